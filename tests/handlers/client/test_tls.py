"""TLS 1.2 or newer, with a certificate that AWS_CA_BUNDLE or the system trusts."""

import contextlib
import socket
import ssl
import threading

import pytest

from local.certificates import Certificate, ensure_certificate
from local.limits import ARE_POSSIBLE
from shared import aws, connections, settings
from tests.support import clients
from tests.support.scripted_server import ScriptedServer


@pytest.fixture
def client(implementation: str, tls_server: ScriptedServer) -> aws.Client:
    return clients.client(tls_server.url)


def test_a_trusted_certificate_is_accepted(tls_server: ScriptedServer, client: aws.Client) -> None:
    clients.put(client)
    assert len(tls_server.requests) == 1


@pytest.mark.skipif(not ARE_POSSIBLE, reason="listens on 127.0.0.2, which macOS lacks: Linux only")
def test_a_certificate_of_another_name_is_refused(
    implementation: str, tls_server: ScriptedServer, pauses: list[float]
) -> None:
    """The certificate is of 127.0.0.1 and localhost."""
    with ScriptedServer(host="127.0.0.2", certificate=tls_server.certificate) as server:
        client = clients.client(server.url)
        error = clients.refusal(client)
        assert "SSL" in error.code
        assert server.requests == []


@pytest.mark.parametrize("bundle", ["system", "other"])
def test_an_unknown_authority_is_refused(
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
def test_a_supported_version_is_used(
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
def test_an_old_version_is_refused(
    certificate: Certificate,
    environment: pytest.MonkeyPatch,
    implementation: str,
    pauses: list[float],
) -> None:
    """Even where OpenSSL still supports TLS 1.1."""
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


def test_a_server_without_tls_fails(environment: pytest.MonkeyPatch, pauses: list[float]) -> None:
    """The client never falls back to plain HTTP."""
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
def test_an_invalid_bundle_stops_the_start(
    content: str | None, environment: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The line names the variable."""
    path = tmp_path_factory.mktemp("bundle") / "bundle.pem"
    if content is not None:
        path.write_text(content)
    environment.setenv("AWS_CA_BUNDLE", str(path))
    with pytest.raises(settings.SettingsError, match="AWS_CA_BUNDLE"):
        aws.client("dynamodb", clients.REGION, 1)


def test_the_roots_are_read_during_the_start(environment: pytest.MonkeyPatch) -> None:
    """The first order does not have to wait for it."""
    assert connections.tls_context.cache_info().currsize == 0
    aws.client("dynamodb", clients.REGION, 1)
    assert connections.tls_context.cache_info().currsize == 1
