"""The functions as with order_version_attribute set."""

import json

import pytest

from ingest import handler as ingest
from process import handler as process
from process.versions import VersionedWriter
from process.writer import Writer
from shared.aws import Client
from shared.version import Version

NUMBER = Version("revision", "N", "order_version_N_revision")
TIME = Version("updated_at", "S", "order_version_S_updated_at")
SETTING = json.dumps({"name": NUMBER.name, "type": NUMBER.type, "kept_in": NUMBER.kept_in})


def set_versions(patch: pytest.MonkeyPatch, version: Version | None, dynamodb: Client) -> None:
    """Switches both functions to a version, or to none, with a new writer to a table."""
    for handler in (ingest, process):
        patch.setattr(handler, "SCHEMA", handler.SCHEMA._replace(version=version))
    patch.setattr(process, "WRITER", writer(dynamodb, "accepted_at", version))


def writer(
    dynamodb: Client, accepted_at_name: str, version: Version | None, parallel_calls: int = 1
) -> Writer:
    arguments = (dynamodb, "orders", accepted_at_name, parallel_calls)
    return VersionedWriter(*arguments, version.kept_in) if version else Writer(*arguments)
