"""TLS 1.2 or newer, with a certificate that AWS_CA_BUNDLE or the system vouches for."""

import contextlib
import socket
import ssl
import threading

import pytest

from local.certificates import Certificate, ensure_certificate
from shared import aws, connections, settings
from tests.support import clients
from tests.support.scripted_server import ScriptedServer


@pytest.fixture
def client(implementation: str, tls_server: ScriptedServer) -> aws.Client:
    return clients.client(tls_server.url)


def test_trusted(tls_server: ScriptedServer, client: aws.Client) -> None:
    clients.put(client)
    assert len(tls_server.requests) == 1


def test_other_name(implementation: str, tls_server: ScriptedServer, pauses: list[float]) -> None:
    """The certificate is of 127.0.0.1 and localhost."""
    with ScriptedServer(host="127.0.0.2", certificate=tls_server.certificate) as server:
        client = clients.client(server.url)
        error = clients.refusal(client)
        assert "SSL" in error.code
        assert server.requests == []


@pytest.mark.parametrize("bundle", ["system", "other"])
def test_unknown_authority(
    *,
    bundle: str,
    implementation: str,
    tls_server: ScriptedServer,
    environment: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
    pauses: list[float],
) -> None:
    environment.delenv("AWS_CA_BUNDLE")
    if bundle == "other":
        other = ensure_certificate(tmp_path_factory.mktemp("other"))
        environment.setenv("AWS_CA_BUNDLE", str(other.authority))
    clients.forget_tls()
    error = clients.refusal(clients.client(tls_server.url))
    assert "SSL" in error.code
    assert tls_server.requests == []


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_version(
    version: ssl.TLSVersion,
    certificate: Certificate,
    environment: pytest.MonkeyPatch,
    implementation: str,
) -> None:
    environment.setenv("AWS_CA_BUNDLE", str(certificate.authority))
    with ScriptedServer(certificate=certificate, tls_version=version) as server:
        client = clients.client(server.url)
        clients.put(client)
        clients.put(client)
        assert [request.connection for request in server.requests] == [1, 1]


@pytest.mark.filterwarnings("ignore:.*TLSv1_1 is deprecated")
def test_old_version(
    certificate: Certificate,
    environment: pytest.MonkeyPatch,
    implementation: str,
    pauses: list[float],
) -> None:
    """TLS 1.1 is refused even where OpenSSL would still speak it."""
    environment.setenv("AWS_CA_BUNDLE", str(certificate.authority))
    set_ciphers = ssl.SSLContext.set_ciphers

    def permit(context: ssl.SSLContext, *_: object) -> None:
        set_ciphers(context, "ALL:@SECLEVEL=0")

    connections.tls_context().set_ciphers("ALL:@SECLEVEL=0")
    environment.setattr(ssl.SSLContext, "set_ciphers", permit)
    with ScriptedServer(certificate=certificate, tls_version=ssl.TLSVersion.TLSv1_1) as server:
        error = clients.refusal(clients.client(server.url))
        assert "SSL" in error.code
        assert server.connections == 0


def test_plain_server(environment: pytest.MonkeyPatch, pauses: list[float]) -> None:
    """It is not spoken to without TLS, and it does not know what to make of it."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                connection.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    client = clients.builtin(f"https://127.0.0.1:{listener.getsockname()[1]}")
    assert clients.refusal(client).code in ("SSLError", "ConnectionResetError")
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_bundle_that_is_none(
    content: str | None, environment: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """It ends the start with a line that names the variable."""
    path = tmp_path_factory.mktemp("bundle") / "bundle.pem"
    if content is not None:
        path.write_text(content)
    environment.setenv("AWS_CA_BUNDLE", str(path))
    with pytest.raises(settings.SettingsError, match="AWS_CA_BUNDLE"):
        aws.client("dynamodb", clients.REGION, 1)


def test_context_at_the_start(environment: pytest.MonkeyPatch) -> None:
    """Reading the roots is the start's work, not that of the first order."""
    assert connections.tls_context.cache_info().currsize == 0
    aws.client("dynamodb", clients.REGION, 1)
    assert connections.tls_context.cache_info().currsize == 1
