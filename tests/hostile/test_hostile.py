"""Hostile requests, through the load balancer: the corpus of tests/hostile, and what it lacks."""

import pytest

from local.stack import Stack
from tests.hostile.corpus import Request, categories
from tests.hostile.run import FAULTS, Sender, run

pytestmark = pytest.mark.stack

REQUESTS = [request for category in categories() for request in category]


def test_the_corpus_says_what_to_expect_and_why() -> None:
    assert len(REQUESTS) >= 300
    assert len({(request.category, request.name) for request in REQUESTS}) == len(REQUESTS)
    for request in REQUESTS:
        assert request.why
        assert request.by in {"ingest", "load balancer"}
        assert bool(request.problem) == (400 in request.statuses and request.by == "ingest")
        assert max(request.statuses, default=0) < 500


def test_no_hostile_request_does_any_harm(stack: Stack) -> None:
    report = run(stack)

    assert report.faults == []
    assert report.requests.total() == len(REQUESTS)
    assert {kind: report.content()[kind] for kind in FAULTS} == dict.fromkeys(FAULTS, 0)
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
def test_a_transfer_coding_that_is_unknown_gets_no_further(stack: Stack, lines: str) -> None:
    """RFC 9112, 6.1, has the load balancer answer 501, and AWS's does; the corpus has no 5xx."""
    head = (
        "POST $PATH HTTP/1.1\r\nHost: $HOST\r\nContent-Type: application/json\r\nConnection: close"
    )
    raw = f"{head}\r\n{lines}\r\n\r\n$HEX\r\n$ORDER\r\n0\r\n\r\n"
    request = Request(category="", name="", status=501, why="", raw=raw)
    with stack.paused_mapping():
        sent = Sender(stack).send(request, "marker")

        assert [answer.status for answer in sent.answers] == request.statuses
        assert stack.queued() == 0
