"""Servers and environment for the tests of the functions' own client."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.certificates import Certificate, ensure_certificate
from tests.support import clients
from tests.support.container_endpoint import FULL, document
from tests.support.scripted_server import ScriptedServer


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    clients.isolate(monkeypatch)
    clients.forget_tls()
    yield monkeypatch
    clients.forget_tls()


@pytest.fixture(params=clients.IMPLEMENTATIONS)
def implementation(request: pytest.FixtureRequest, environment: pytest.MonkeyPatch) -> str:
    """Runs a test with each implementation of the client."""
    environment.setenv("CLIENT_IMPLEMENTATION", request.param)
    return str(request.param)


@pytest.fixture
def pauses(environment: pytest.MonkeyPatch) -> list[float]:
    """The seconds that the client would have slept; it does not."""
    slept: list[float] = []
    environment.setattr(time, "sleep", slept.append)
    return slept


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
    """A TLS server whose authority is trusted."""
    environment.setenv("AWS_CA_BUNDLE", str(certificate.authority))
    with ScriptedServer(certificate=certificate) as running:
        yield running


@pytest.fixture
def endpoint(server: ScriptedServer, environment: pytest.MonkeyPatch) -> ScriptedServer:
    """The container endpoint, without credentials in the environment."""
    environment.delenv("AWS_ACCESS_KEY_ID")
    environment.delenv("AWS_SECRET_ACCESS_KEY")
    environment.setenv(FULL, f"{server.url}/v1/credentials?id=1")
    server.usual = document()
    return server
