"""A wrong clock is corrected by AWS's, once."""

import calendar
import email.utils
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared import aws
from tests.support import clients
from tests.support.scripted_server import Exchange, ScriptedServer, answer, error


class AwsClock:
    """Rejects what is not signed by its clock, as AWS does, and tells the time."""

    def __init__(self, offset: float, code: str) -> None:
        self.offset = offset
        self.code = code

    def __call__(self, exchange: Exchange) -> None:
        now = time.time() + self.offset
        date = {"Date": email.utils.formatdate(now, usegmt=True)}
        signed = time.strptime(exchange.request.headers["x-amz-date"], "%Y%m%dT%H%M%SZ")
        if abs(_seconds(signed) - now) < 300:
            answer(headers=date)(exchange)
        else:
            answer(403, f'{{"__type":"{self.code}"}}'.encode(), headers=date)(exchange)


def _seconds(moment: time.struct_time) -> float:
    return calendar.timegm(moment)


@pytest.mark.parametrize("offset", [-(10**7), -3600, 3600, 10**7])
@pytest.mark.parametrize("code", sorted(aws.SKEW_CODES))
def test_a_wrong_clock_is_corrected(
    offset: float, code: str, server: ScriptedServer, pauses: list[float]
) -> None:
    """The next attempt is signed with AWS's time, and so are all later ones."""
    server.usual = AwsClock(offset, code)
    client = clients.builtin(server.url)
    clients.put(client)
    assert len(server.requests) == 2
    clients.put(client)
    assert len(server.requests) == 3


def test_a_correction_is_corrected(server: ScriptedServer, pauses: list[float]) -> None:
    clock = AwsClock(3600, "InvalidSignatureException")
    server.usual = clock
    client = clients.builtin(server.url)
    clients.put(client)
    clock.offset = 0
    clients.put(client)
    assert len(server.requests) == 4


def test_a_wrong_clock_is_corrected_for_all_threads(
    server: ScriptedServer, pauses: list[float]
) -> None:
    """Every request signed with the wrong time is signed again, not only the first."""
    clock = AwsClock(3600, "InvalidSignatureException")
    together = threading.Barrier(8, timeout=30)

    def behave(exchange: Exchange) -> None:
        if len(server.requests) <= 8:
            together.wait()
        clock(exchange)

    server.usual = behave
    client = clients.builtin(server.url)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: clients.put(client), range(8)))
    assert len(server.requests) == 16


@pytest.mark.parametrize(
    "date",
    [
        pytest.param(None, id="now"),
        "",
        "yesterday",
        "Thu, 01 Jan 99999 00:00:00 GMT",
        "Thu, 99 Jan 2026 00:00:00 GMT",
        "Thu, 01 Jan 0000 00:00:00 GMT",
    ],
)
def test_a_wrong_signature_corrects_no_clock(
    date: str | None, server: ScriptedServer, pauses: list[float]
) -> None:
    """With the right time, or without a credible one, there is nothing to correct."""
    if date is None:
        date = email.utils.formatdate(usegmt=True)
    server.usual = error(403, "SignatureDoesNotMatch", Date=date)
    assert clients.refusal(clients.builtin(server.url)).code == "SignatureDoesNotMatch"
    assert len(server.requests) <= 2
    assert len(pauses) <= 1


def test_an_erratic_clock_causes_no_more_attempts(
    server: ScriptedServer, pauses: list[float]
) -> None:
    dates = iter(range(10**9, 2 * 10**9, 10**6))

    def behave(exchange: Exchange) -> None:
        date = email.utils.formatdate(next(dates), usegmt=True)
        error(403, "RequestTimeTooSkewed", Date=date)(exchange)

    server.usual = behave
    assert clients.refusal(clients.builtin(server.url)).code == "RequestTimeTooSkewed"
    assert len(server.requests) == aws.ATTEMPTS
