"""Credentials are refreshed before they expire, and once after they are rejected."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared import credentials
from tests.support import clients
from tests.support.container_endpoint import document, enough, refusal
from tests.support.scripted_server import Exchange, ScriptedServer, answer, error


def test_credentials_are_kept_until_shortly_before_they_expire(
    endpoint: ScriptedServer, environment: pytest.MonkeyPatch
) -> None:
    endpoint.script = [document(1, 3600), document(2, 7200)]
    for _ in range(3):
        assert credentials.current(enough).access_key == "key-1"
    assert len(endpoint.requests) == 1
    now = time.time()
    environment.setattr(time, "time", lambda: now + 3600 - credentials.EARLY_SECONDS + 2)
    for _ in range(3):
        assert credentials.current(enough).access_key == "key-2"
    assert len(endpoint.requests) == 2


def test_a_failed_refresh_keeps_valid_credentials(
    endpoint: ScriptedServer, environment: pytest.MonkeyPatch
) -> None:
    """They are used until they expire, and the endpoint is not asked for every call."""
    endpoint.script = [document(1, 200)]
    endpoint.usual = error(500, "Some")
    for _ in range(5):
        assert credentials.current(enough).access_key == "key-1"
    assert len(endpoint.requests) == 2
    now = time.time()
    environment.setattr(time, "time", lambda: now + credentials.EARLY_PAUSE_SECONDS + 1)
    assert credentials.current(enough).access_key == "key-1"
    assert len(endpoint.requests) == 3
    environment.setattr(time, "time", lambda: now + 201)
    assert refusal() == "CredentialsRefused"


def test_a_refresh_blocks_no_other_thread(endpoint: ScriptedServer) -> None:
    """While one thread refreshes, the others use the current credentials."""
    may_answer = threading.Event()
    endpoint.script = [document(1, 200)]
    endpoint.usual = lambda exchange: (may_answer.wait(30), document(2)(exchange))[1]
    assert credentials.current(enough).access_key == "key-1"
    with ThreadPoolExecutor(1) as pool:
        fetching = pool.submit(credentials.current, enough)
        while len(endpoint.requests) < 2:
            time.sleep(0.002)
        assert credentials.current(enough).access_key == "key-1"
        may_answer.set()
        assert fetching.result().access_key == "key-2"
    assert credentials.current(enough).access_key == "key-2"


def test_threads_fetch_credentials_once(endpoint: ScriptedServer) -> None:
    together = threading.Barrier(8, timeout=30)
    usual = endpoint.usual

    def late(exchange: Exchange) -> None:
        exchange.stopped.wait(0.2)  # so that all threads have come by then
        usual(exchange)

    endpoint.usual = late

    def fetch(_: int) -> str:
        together.wait()
        return credentials.current(enough).access_key

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(fetch, range(8))) == {"key-1"}
    assert len(endpoint.requests) == 1


class Service:
    """Rejects some keys, as AWS does when they have expired."""

    def __init__(self, *refused: str) -> None:
        self.refused = refused

    def __call__(self, exchange: Exchange) -> None:
        authorization = exchange.request.headers["authorization"]
        if any(f"Credential={key}/" in authorization for key in self.refused):
            error(400, "ExpiredTokenException")(exchange)
        else:
            answer()(exchange)


def test_rejected_credentials_are_fetched_again(
    endpoint: ScriptedServer, pauses: list[float]
) -> None:
    endpoint.script = [document(1), document(2)]
    with ScriptedServer(usual=Service("key-1")) as service:
        client = clients.builtin(service.url)
        clients.put(client)
        clients.put(client)
        assert len(service.requests) == 3
    assert len(endpoint.requests) == 2


def test_credentials_rejected_twice_are_not_retried(
    endpoint: ScriptedServer, pauses: list[float]
) -> None:
    """The endpoint has no others, so another attempt cannot help. The next call asks again."""
    with ScriptedServer(usual=Service("key-1")) as service:
        client = clients.builtin(service.url)
        assert clients.refusal(client).code == "ExpiredTokenException"
        assert len(service.requests) == 2
        assert len(endpoint.requests) == 2
        endpoint.usual = document(2)
        clients.put(client)
        assert len(service.requests) == 3


def test_rejected_credentials_are_fetched_once_for_all_threads(
    endpoint: ScriptedServer, pauses: list[float]
) -> None:
    endpoint.script = [document(1), document(2)]
    refuses = Service("key-1")
    together = threading.Barrier(8, timeout=30)

    def behave(exchange: Exchange) -> None:
        if "key-1" in exchange.request.headers["authorization"]:
            together.wait()
        refuses(exchange)

    with ScriptedServer(usual=behave) as service:
        client = clients.builtin(service.url)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: clients.put(client), range(8)))
        assert len(service.requests) == 16
    assert len(endpoint.requests) == 2


def test_rejected_credentials_of_the_environment_are_not_retried(pauses: list[float]) -> None:
    key = clients.ENVIRONMENT["AWS_ACCESS_KEY_ID"]
    with ScriptedServer(usual=Service(key)) as service:
        assert clients.refusal(clients.builtin(service.url)).code == "ExpiredTokenException"
        assert len(service.requests) == 1
