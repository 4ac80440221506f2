"""The recipes of docs/upgrading.md plan as they are written, with a release's packages."""

import json
import os
import re
from pathlib import Path

import pytest

from local.emulator import ROOT
from local.terraform import Terraform
from tests.consumers.configurations import PUBLISHED
from tests.support.plans import write_test
from tests.support.repository import Repository
from tools import markup, packages

pytestmark = pytest.mark.nightly

FUNCTION = "module.async_ingest.module.{}.aws_lambda_function.this"


def blocks() -> list[str]:
    return markup.blocks((ROOT / "docs" / "upgrading.md").read_text(), "hcl")


@pytest.fixture
def consumer(tmp_path: Path) -> Terraform:
    directory, data = tmp_path / "consumer", tmp_path / "data"
    directory.mkdir()
    data.mkdir()
    (directory / "provider.tf").write_text('provider "aws" {\n  region = "eu-central-1"\n}\n')
    write_test(directory)
    return Terraform(directory, data, os.environ)


def planned(consumer: Terraform, repository: Repository, block: str) -> dict[str, dict[str, str]]:
    """Plans a recipe. Returns both functions as planned."""
    text, count = re.subn(PUBLISHED, f'"{repository.source()}"', block)
    assert count == 1
    (consumer.directory / "main.tf").write_text(text)
    consumer.init()
    plan = consumer.tested_resources()
    return {name: plan[FUNCTION.format(name)] for name in ("ingest", "process")}


def test_a_plan_with_the_packages_of_a_release_has_the_hashes_of_one_that_packs(
    consumer: Terraform, repository: Repository, tmp_path: Path
) -> None:
    built = packages.build(Repository(tmp_path / "built").directory, os.environ)
    release = consumer.directory / "release"
    release.mkdir()
    for name, package in built.items():
        (release / f"{name}.zip").write_bytes(package.file.read_bytes())
    hashes = {
        name: {"filename": f"{name}.zip", "source_code_hash": package.source_code_hash}
        for name, package in built.items()
    }
    (release / "packages.json").write_text(json.dumps(hashes))

    functions = planned(consumer, repository, blocks()[0])

    for name, package in built.items():
        assert functions[name]["source_code_hash"] == package.source_code_hash
        assert functions[name]["filename"].endswith(f"/release/{name}.zip")
    assert list(consumer.directory.rglob(".terraform/packages/*")) == []


def test_code_comes_from_the_newest_version_of_an_object(
    consumer: Terraform, repository: Repository
) -> None:
    functions = planned(consumer, repository, blocks()[1])

    for name, function in functions.items():
        assert function["s3_key"] == f"orders/{name}.zip"
        assert function["s3_object_version"]
        assert function["filename"] is None
