"""A connection is reused, and whatever ends it while idle costs no call."""

import gc
import json
import socket
import threading
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared import aws, connections
from tests.support import clients
from tests.support.scripted_server import (
    LONG_SECONDS,
    Behavior,
    Exchange,
    ScriptedServer,
    abort,
    answer,
    close,
    reset,
    send,
    silence,
)


@pytest.fixture(params=["plain", "tls"])
def any_server(request: pytest.FixtureRequest) -> ScriptedServer:
    found: ScriptedServer = request.getfixturevalue(
        "server" if request.param == "plain" else "tls_server"
    )
    return found


def wait_until(is_true: Callable[[], bool]) -> None:
    until = time.monotonic() + LONG_SECONDS
    while not is_true():
        assert time.monotonic() < until
        threading.Event().wait(0.002)  # time.sleep may be replaced


def kept_socket(client: aws.BuiltinClient) -> socket.socket:
    connection: socket.socket = client._connections._own.kept[0].socket
    return connection


def used(server: ScriptedServer) -> list[int]:
    """The connections over which requests arrived."""
    return [request.connection for request in server.requests]


def test_a_connection_is_reused(any_server: ScriptedServer) -> None:
    client = clients.builtin(any_server.url)
    for _ in range(5):
        clients.put(client)
    assert used(any_server) == [1] * 5


def test_each_thread_has_its_own_connection(any_server: ScriptedServer) -> None:
    client = clients.builtin(any_server.url)
    together = threading.Barrier(4, timeout=LONG_SECONDS)

    def calls(_: int) -> None:
        for _ in range(5):
            together.wait()
            clients.put(client)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(calls, range(4)))
    assert any_server.connections == 4
    for number in range(1, 5):
        assert used(any_server).count(number) == 5


@pytest.mark.parametrize("end", [None, abort], ids=["closed", "reset"])
def test_a_connection_that_ended_while_idle_is_replaced(
    any_server: ScriptedServer, end: Callable[[socket.socket], None] | None, pauses: list[float]
) -> None:
    client = clients.builtin(any_server.url)
    clients.put(client)
    any_server.drop_connections(end)
    poll = connections._is_readable
    wait_until(lambda: poll(kept_socket(client)))
    clients.put(client)
    assert used(any_server) == [1, 2]
    assert pauses == []  # the call was not an attempt


@pytest.mark.parametrize("behavior", [close(), reset()], ids=["closed", "reset"])
def test_a_connection_that_ends_when_used_is_replaced(
    any_server: ScriptedServer,
    behavior: Behavior,
    pauses: list[float],
    environment: pytest.MonkeyPatch,
) -> None:
    """The end arrives only after the request is sent."""
    client = clients.builtin(any_server.url)
    clients.put(client)
    environment.setattr(connections, "_is_readable", lambda _: False)
    any_server.script = [behavior]
    clients.put(client)
    assert used(any_server) == [1, 1, 2]
    assert pauses == []


@pytest.mark.parametrize("behavior", [close(), reset()], ids=["closed", "reset"])
def test_a_new_connection_that_ends_is_a_failed_attempt(
    any_server: ScriptedServer, behavior: Behavior, pauses: list[float]
) -> None:
    """The connection was not idle, so the call was an attempt."""
    client = clients.builtin(any_server.url)
    any_server.script = [behavior] * aws.ATTEMPTS
    assert clients.refusal(client).is_transient
    assert len(any_server.requests) == aws.ATTEMPTS
    assert len(pauses) == aws.ATTEMPTS - 1


def test_a_connection_that_is_silently_gone_is_replaced_after_a_timeout(
    any_server: ScriptedServer, pauses: list[float]
) -> None:
    client = clients.builtin(any_server.url, read_timeout_seconds=0.3)
    clients.put(client)
    any_server.script = [silence()]
    clients.put(client)
    assert used(any_server) == [1, 1, 2]
    assert len(pauses) == 1


def test_a_request_that_nobody_reads_times_out(
    environment: pytest.MonkeyPatch, pauses: list[float]
) -> None:
    """The request is larger than the kernel's buffers."""
    with ScriptedServer(reads=False) as server:
        client = clients.builtin(server.url, read_timeout_seconds=0.3)
        body = json.dumps({"MessageBody": "x" * (16 * 1024 * 1024)})
        with pytest.raises(aws.CallError, match="ReadTimeout"):
            client.call("PutItem", body, clients.deadline())
        assert len(pauses) == aws.ATTEMPTS - 1


@pytest.mark.parametrize("clock", ["monotonic", "time"])
def test_a_connection_idle_for_long_is_not_reused(
    any_server: ScriptedServer, clock: str, environment: pytest.MonkeyPatch
) -> None:
    """By either clock, as one may have stopped."""
    client = clients.builtin(any_server.url)
    clients.put(client)
    first = kept_socket(client)
    real = getattr(time, clock)
    environment.setattr(time, clock, lambda: real() + connections.MAX_IDLE_SECONDS + 1)
    clients.put(client)
    assert used(any_server) == [1, 2]
    assert first.fileno() == -1


def test_a_connection_idle_for_less_is_reused(
    any_server: ScriptedServer, environment: pytest.MonkeyPatch
) -> None:
    client = clients.builtin(any_server.url)
    clients.put(client)
    real = time.monotonic
    environment.setattr(time, "monotonic", lambda: real() + connections.MAX_IDLE_SECONDS / 2)
    clients.put(client)
    assert used(any_server) == [1, 1]


@pytest.mark.parametrize(
    "ending",
    [
        answer(headers={"Connection": "close"}),
        answer(version="HTTP/1.0"),
        send(b"HTTP/1.1 200 OK\r\n\r\n{}"),  # without a length, it is read until the end
    ],
    ids=["connection: close", "HTTP/1.0", "no length"],
)
def test_a_connection_that_must_close_is_not_reused(
    any_server: ScriptedServer, ending: Behavior
) -> None:
    def behave(exchange: Exchange) -> None:
        ending(exchange)
        exchange.end()

    client = clients.builtin(any_server.url)
    any_server.script = [behave]
    assert clients.put(client) == {}
    assert getattr(client._connections._own, "kept", None) is None
    clients.put(client)
    assert used(any_server) == [1, 2]


def test_extra_bytes_are_never_the_next_answer(any_server: ScriptedServer) -> None:
    both: list[bytes] = []
    answer(body=b'{"right":1}')(_collector(both))
    answer(body=b'{"wrong":1}')(_collector(both))
    client = clients.builtin(any_server.url)
    any_server.script = [send(b"".join(both))]
    assert clients.put(client) == {"right": 1}
    assert clients.put(client) == {}
    assert used(any_server) == [1, 2]


def test_bytes_that_arrive_later_are_never_the_next_answer(any_server: ScriptedServer) -> None:
    client = clients.builtin(any_server.url)
    may_go_on = threading.Event()

    def behave(exchange: Exchange) -> None:
        answer(body=b'{"right":1}')(exchange)
        may_go_on.wait(LONG_SECONDS)
        answer(body=b'{"wrong":1}')(exchange)

    any_server.script = [behave]
    assert clients.put(client) == {"right": 1}
    may_go_on.set()
    poll = connections._is_readable
    wait_until(lambda: poll(kept_socket(client)))
    assert clients.put(client) == {}
    assert used(any_server) == [1, 2]


def _collector(pieces: list[bytes]) -> Exchange:
    class _Exchange(Exchange):
        def send(self, content: bytes) -> None:
            pieces.append(content)

    return _Exchange(socket.socket(), None, threading.Event())  # type: ignore[arg-type]


def test_no_socket_is_left_open(any_server: ScriptedServer, pauses: list[float]) -> None:
    """Whatever happens, each socket is closed before it is dropped."""
    gc.collect()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ResourceWarning)
        client = clients.builtin(any_server.url, read_timeout_seconds=0.3)
        any_server.script = [
            silence(),
            reset(),
            close(),
            send(b"HTTP/1.1 200 OK\r\nContent-"),
            answer(headers={"Connection": "close"}),
            answer(),
        ]
        clients.refusal(client)
        for _ in range(3):
            clients.put(client)
        client._connections.close()
        del client
        gc.collect()
    assert len(pauses) == aws.ATTEMPTS
    assert [str(warning.message) for warning in caught] == []
