"""Hostile requests through the load balancer: the corpus, and what it cannot express."""

import pytest

from local.stack import Stack
from tests.hostile.corpus import Request, categories
from tests.hostile.run import KINDS, Sender, run

pytestmark = pytest.mark.stack

REQUESTS = [request for category in categories() for request in category]


def test_every_request_has_an_expectation_and_a_reason() -> None:
    assert len(REQUESTS) >= 300
    assert len({(request.category, request.name) for request in REQUESTS}) == len(REQUESTS)
    for request in REQUESTS:
        assert request.why
        assert request.by in {"ingest", "load balancer"}
        assert bool(request.problem) == (400 in request.statuses and request.by == "ingest")
        assert max(request.statuses, default=0) < 500


def test_no_hostile_request_does_any_harm(stack: Stack) -> None:
    report = run(stack)

    assert report.findings == []
    assert report.requests.total() == len(REQUESTS)
    assert {kind: report.content()[kind] for kind in KINDS} == dict.fromkeys(KINDS, 0)
    assert report.stored > report.statuses[202]  # some are arrays


@pytest.mark.parametrize(
    "lines",
    [
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Transfer-Encoding: identity\r\nContent-Length: 37",
    ],
)
def test_an_unknown_transfer_coding_reaches_no_function(stack: Stack, lines: str) -> None:
    """By RFC 9112, 6.1, the load balancer answers 501, as AWS's does. The corpus allows no 5xx."""
    head = (
        "POST $PATH HTTP/1.1\r\nHost: $HOST\r\nContent-Type: application/json\r\nConnection: close"
    )
    raw = f"{head}\r\n{lines}\r\n\r\n$HEX\r\n$ORDER\r\n0\r\n\r\n"
    request = Request(category="", name="", status=501, why="", raw=raw)
    stack.wait_for_empty_queue()
    with stack.paused_mapping():
        sent = Sender(stack).send(request, "marker")

        assert [answer.status for answer in sent.answers] == request.statuses
        assert stack.queued() == 0
