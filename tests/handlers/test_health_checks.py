"""Health checks of the load balancer are counted apart from clients' requests."""

from typing import Any

import pytest

from ingest import handler
from local.events import request
from tests.support.fakes import FakeSqs, error
from tests.support.ingest import ORDER
from tests.support.runtime import Invocation, invoke

HEALTH_CHECKER = {"user-agent": "ELB-HealthChecker/2.0"}


def check(**changes: Any) -> Invocation:
    """Handles a health check: a GET that expects a 4xx."""
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


def test_a_health_checker_that_sends_orders_counts_as_a_client(sqs: FakeSqs) -> None:
    headers = HEALTH_CHECKER | {"content-type": "application/json"}

    assert counts(check(httpMethod="POST", body=ORDER, headers=headers)) == {"Accepted": 1}


def test_a_clients_request_has_no_health_check_metric(sqs: FakeSqs) -> None:
    sqs.troubles = [error("ThrottlingException")]

    assert counts(invoke(handler.handle, request())) == {"Failed": 1}
    assert "HealthChecks" not in invoke(handler.handle, request()).metrics
