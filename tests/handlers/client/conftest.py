"""What every test of the functions' own client needs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.certificates import Certificate, ensure_certificate
from tests.support import clients
from tests.support.scripted_server import ScriptedServer


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    clients.isolate(monkeypatch)
    yield monkeypatch
    clients.forget_tls()


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as running:
        yield running


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    directory: Path = tmp_path_factory.mktemp("certificate")
    return ensure_certificate(directory)


@pytest.fixture
def tls_server(
    certificate: Certificate, environment: pytest.MonkeyPatch
) -> Iterator[ScriptedServer]:
    """Its authority is trusted."""
    environment.setenv("AWS_CA_BUNDLE", str(certificate.authority))
    with ScriptedServer(certificate=certificate) as running:
        yield running
