"""Ingest: health checks are counted apart, and what is too large is not parsed to find that out."""

import base64
import json
from typing import Any

import pytest

from ingest import handler
from local.events import request
from shared import orders
from tests.support.fakes import FakeSqs, error
from tests.support.runtime import Invocation, invoke

HEALTH_CHECKER = {"user-agent": "ELB-HealthChecker/2.0"}
LIMIT = handler.MAX_BODY_BYTES
FRAME = '{"order_id":"1","item":"a","x":""}'


# Health checks


def check(**changes: Any) -> Invocation:
    """As a load balancer probes a target: GET, by itself, and it expects a 4xx."""
    event = {"httpMethod": "GET", "body": "", "headers": HEALTH_CHECKER} | changes
    return invoke(handler.handle, request(**event))


def counts(invocation: Invocation) -> dict[str, int]:
    names = ("Accepted", "Rejected", "Failed", "HealthChecks")
    return {name: invocation.metrics[name] for name in names if invocation.metrics.get(name)}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"path": "/"},
        {"httpMethod": "HEAD"},
        {"multiValueHeaders": {"User-Agent": ["ELB-HealthChecker/2.0"]}, "headers": None},
    ],
    ids=str,
)
def test_a_health_check_counts_as_nothing_else(changes: dict[str, Any]) -> None:
    assert counts(check(**changes)) == {"HealthChecks": 1}


@pytest.mark.parametrize("agent", ["curl/8", "Mozilla ELB-HealthChecker/2.0", "", None])
def test_other_refused_requests_count_as_rejected(agent: Any) -> None:
    assert counts(check(headers={"user-agent": agent})) == {"Rejected": 1}


def test_what_calls_itself_one_and_sends_orders_is_counted_as_a_client(sqs: FakeSqs) -> None:
    headers = HEALTH_CHECKER | {"content-type": "application/json"}

    assert counts(check(httpMethod="POST", body=FRAME, headers=headers)) == {"Accepted": 1}


def test_a_client_has_no_metric_of_health_checks(sqs: FakeSqs) -> None:
    sqs.troubles = [error("ThrottlingException")]

    assert counts(invoke(handler.handle, request())) == {"Failed": 1}
    assert "HealthChecks" not in invoke(handler.handle, request()).metrics


# Size


@pytest.fixture
def never_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*_: Any) -> orders.Document:
        raise AssertionError("what is too large was parsed")

    monkeypatch.setattr(orders, "read", read)


def post(body: str, **changes: Any) -> tuple[int, dict[str, Any]]:
    answer = invoke(handler.handle, request(body, **changes)).answer
    return answer["statusCode"], json.loads(answer["body"])


def of_length(length: int) -> str:
    """An order that takes so many bytes as it is sent."""
    return FRAME.replace('""', f'"{"x" * (length - len(FRAME))}"')


@pytest.mark.usefixtures("never_parsed")
@pytest.mark.parametrize(
    "body",
    [of_length(LIMIT + 1), "x" * (LIMIT + 1), "[" * 1_000_000, "1" * 1_000_000],
    ids=["an order", "no JSON", "brackets", "digits"],
)
@pytest.mark.parametrize("is_base64", [False, True])
def test_what_cannot_become_small_enough_is_refused_before_it_is_parsed(
    sqs: FakeSqs, body: str, is_base64: bool
) -> None:
    sent = base64.b64encode(body.encode()).decode() if is_base64 else body

    status, problem = post(sent, isBase64Encoded=is_base64)

    assert (status, problem["type"]) == (413, "urn:async-ingest:problem:too-large")
    assert f"at least {len(body)} bytes; the limit is {LIMIT}" in problem["detail"]
    assert sqs.sent == []


@pytest.mark.parametrize(
    "body",
    [
        " " * 700_000 + of_length(LIMIT),
        of_length(LIMIT).replace(",", ",\r\n\t" + " " * 200_000),
        "\ufeff" + of_length(LIMIT),
        of_length(LIMIT).replace("xx", "\\u0078x"),
        of_length(LIMIT).replace("x" * 100, "\\/" * 100),
    ],
    ids=["white space", "white space between", "byte order mark", "escapes", "slashes"],
)
def test_what_shrinks_enough_is_accepted(sqs: FakeSqs, body: str) -> None:
    assert post(body)[0] == 202
    assert len(sqs.sent[0]["MessageBody"]) == LIMIT


def test_what_grows_too_much_is_refused_by_its_exact_size(sqs: FakeSqs) -> None:
    body = of_length(LIMIT).replace("x" * 10, "é" * 10, 1)

    status, problem = post(body)

    assert status == 413
    assert f"the orders take {LIMIT + 50} bytes" in problem["detail"]
    assert sqs.sent == []
