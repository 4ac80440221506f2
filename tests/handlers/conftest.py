"""Imports the handlers in their environment, and starts engines and fakes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.engines import Engine
from local.engines import dynamodb_local as dynamodb_local_server
from local.events import ENVIRONMENT
from tests.support import engines
from tests.support.fakes import FakeDynamoDB, FakeSqs

with pytest.MonkeyPatch.context() as patch:
    for _name, _value in ENVIRONMENT.items():
        patch.setenv(_name, _value)
    patch.delenv("AWS_CA_BUNDLE", raising=False)  # may be set on this machine
    from ingest import handler as ingest_handler
    from process import handler as process_handler
    from process import writer
    from shared import aws
    from tests.support.hooks import Hooks


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials for calls that are really made."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, ENVIRONMENT[name])


@pytest.fixture
def quick_calls(credentials: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls have credentials, and retry without waiting."""
    monkeypatch.setattr(aws.Deadline, "pause", lambda self, *least: sum(least) < self.remaining())


@pytest.fixture
def sqs(monkeypatch: pytest.MonkeyPatch) -> FakeSqs:
    """A fake of the queue behind ingest and of the dead-letter queue behind process."""
    fake = FakeSqs()
    monkeypatch.setattr(ingest_handler.QUEUE, "_client", fake)
    monkeypatch.setattr(process_handler.DEAD_LETTER_QUEUE, "_client", fake)
    return fake


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> FakeDynamoDB:
    """A fake of the table behind process."""
    fake = FakeDynamoDB()
    monkeypatch.setattr(process_handler.WRITER, "_client", fake)
    monkeypatch.setattr(process_handler.WRITER, "_insert_statistics", writer._InsertStatistics())
    return fake


@pytest.fixture
def hooks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hooks:
    return Hooks(tmp_path, monkeypatch)


@pytest.fixture(scope="session")
def dynamodb_local() -> Iterator[Engine]:
    with engines.or_skip(dynamodb_local_server()) as engine:
        yield engine


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    directory: Path = tmp_path_factory.mktemp("emulator")
    with engines.emulator(directory) as engine:
        yield engine


@pytest.fixture
def in_moto() -> Iterator[Engine]:
    with engines.in_moto() as engine:
        yield engine
