"""Dead addresses of a name cost no call and little time, and come last the next time."""

import contextlib
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from shared import aws, connections
from tests.support import clients
from tests.support.scripted_server import ScriptedServer, silence

NAME = "service.example"


@contextlib.contextmanager
def black_hole() -> Iterator[tuple[str, int]]:
    """An address at which nothing answers: a listener whose queue is full and stays full."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        address = listener.getsockname()
        for _ in range(8):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(address)
        with socket.socket() as probe:
            probe.settimeout(0.3)
            with pytest.raises(TimeoutError):
                probe.connect(address)
        yield address


@contextlib.contextmanager
def refusing() -> Iterator[tuple[str, int]]:
    """An address at which nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()


class Names:
    """What the resolver answers, and the addresses that are tried."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.addresses: list[tuple[str, int]] = []
        self.connected: list[tuple[str, int]] = []
        patch.setattr(socket, "getaddrinfo", self._resolve)
        outer = self

        class _Observed(socket.socket):
            def connect(self, address: Any) -> None:
                outer.connected.append(address)
                super().connect(address)

        patch.setattr(socket, "socket", _Observed)

    def _resolve(self, *_: Any, **__: Any) -> list[Any]:
        if not self.addresses:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        kind = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
        return [(*kind, address) for address in self.addresses]


@pytest.fixture
def names(environment: pytest.MonkeyPatch) -> Names:
    return Names(environment)


def test_dead_addresses_are_skipped(
    server: ScriptedServer, names: Names, pauses: list[float]
) -> None:
    client = clients.builtin(f"http://{NAME}")
    good = (server.host, server.port)
    with black_hole() as silent, refusing() as closed:
        names.addresses = [closed, silent, good]
        names.connected.clear()
        began = time.monotonic()
        clients.put(client)
        assert time.monotonic() - began < 10
        assert names.connected == [closed, silent, good]
        # Again, on new connections: nothing dead is tried.
        for _ in range(3):
            client._connections.close()
            clients.put(client)
        assert names.connected == [closed, silent, *[good] * 4]
    assert pauses == []


def test_dead_addresses_share_one_budget(names: Names, pauses: list[float]) -> None:
    client = clients.builtin(f"http://{NAME}")
    with black_hole() as first, black_hole() as second, black_hole() as third:
        names.addresses = [first, second, third]
        names.connected.clear()
        began = time.monotonic()
        error = clients.refusal(client)
        lasted = time.monotonic() - began
    assert error.code == "ConnectTimeout"
    assert len(names.connected) == 3 * aws.ATTEMPTS
    assert len(pauses) == aws.ATTEMPTS - 1
    at_most = aws.ATTEMPTS * connections.CONNECT_BUDGET_SECONDS
    assert at_most / 2 < lasted < at_most + 5


def test_dead_addresses_take_no_longer_than_the_deadline(names: Names, pauses: list[float]) -> None:
    client = clients.builtin(f"http://{NAME}")
    with black_hole() as silent:
        names.addresses = [silent] * 3
        began = time.monotonic()
        error = clients.refusal(client, seconds=0.3)
        assert time.monotonic() - began < 1.4  # the budget is 1.5
    assert error.code == "ConnectTimeout"


def test_an_address_that_dies_is_replaced(server: ScriptedServer, names: Names) -> None:
    client = clients.builtin(f"http://{NAME}")
    other = (server.host, server.port)
    with ScriptedServer() as dying:
        names.addresses = [(dying.host, dying.port), other]
        clients.put(client)
        assert len(dying.requests) == 1
    client._connections.close()
    clients.put(client)
    client._connections.close()
    names.connected.clear()
    clients.put(client)
    assert names.connected == [other]
    assert len(server.requests) == 2


def test_an_address_that_connects_and_is_silent_comes_last(
    server: ScriptedServer, names: Names, pauses: list[float]
) -> None:
    """As a host whose kernel is all that still runs."""
    client = clients.builtin(f"http://{NAME}", read_timeout_seconds=0.3)
    with ScriptedServer(usual=silence()) as silent:
        names.addresses = [(silent.host, silent.port), (server.host, server.port)]
        clients.put(client)
        assert len(silent.requests) == 1
        assert len(pauses) == 1


def test_a_handshake_that_never_ends_times_out(
    tls_server: ScriptedServer, names: Names, pauses: list[float]
) -> None:
    client = clients.builtin("https://localhost", read_timeout_seconds=0.3)
    with ScriptedServer(reads=False) as silent:
        names.addresses = [(silent.host, silent.port), (tls_server.host, tls_server.port)]
        clients.put(client)
        client._connections.close()
        names.connected.clear()
        clients.put(client)
        assert names.connected == [(tls_server.host, tls_server.port)]
    assert pauses == []


def test_a_missing_address_family_is_skipped(
    server: ScriptedServer, names: Names, environment: pytest.MonkeyPatch
) -> None:
    """As on a kernel without IPv6, or outside of dual-stack subnets."""
    real = socket.socket

    class _OnlyIPv4(real):  # type: ignore[misc, valid-type]
        def __init__(self, family: int = -1, *arguments: Any, **options: Any) -> None:
            if family == socket.AF_INET6:
                raise OSError(97, "Address family not supported by protocol")
            super().__init__(family, *arguments, **options)

    environment.setattr(socket, "socket", _OnlyIPv4)
    found = [
        (socket.AF_INET6, socket.SOCK_STREAM, 0, "", ("::1", server.port, 0, 0)),
        (socket.AF_INET, socket.SOCK_STREAM, 0, "", (server.host, server.port)),
    ]
    environment.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    clients.put(clients.builtin(f"http://{NAME}"))
    assert len(server.requests) == 1


def test_an_ipv6_address_is_reached() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    with ScriptedServer(host="::1") as server:
        clients.put(clients.builtin(f"http://[::1]:{server.port}"))
        assert server.requests[0].headers["host"] == f"[::1]:{server.port}"


@pytest.mark.usefixtures("names")
def test_a_name_without_an_address_is_an_unknown_host(pauses: list[float]) -> None:
    error = clients.refusal(clients.builtin(f"http://{NAME}"))
    assert (error.code, error.is_transient) == ("UnknownHost", True)
    assert len(pauses) == aws.ATTEMPTS - 1


@pytest.mark.parametrize("name", ["a..example", "x" * 64 + ".example"])
def test_an_invalid_name_is_an_unknown_host(name: str, pauses: list[float]) -> None:
    assert clients.refusal(clients.builtin(f"http://{name}")).code == "UnknownHost"
