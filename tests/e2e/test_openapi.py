"""The HTTP interface matches docs/openapi.yaml, whatever schemathesis sends."""

import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings

from local.stack import Stack
from tests.e2e.openapi import DOCUMENT, RESPONSES, checked_answer, client
from tests.support.stack import without_invoke_permission

pytestmark = pytest.mark.stack

# The load balancer's own answers. The function's: tests/handlers/test_openapi_document.py.
# 403, for plain HTTP beside a certificate, is tested in test_examples.py.
TESTED = {
    *((403, "application/json"), (404, "application/json")),
    *((413, "text/html"), (502, "text/html")),
}
# The emulator's load balancer has no web ACL, forwards TRACE, and lacks AWS's limits on lines, time
# and forwarding. 503 and 504 need a failure of AWS.
NOT_TESTED = {
    (status, "text/html") for status in (400, 403, 405, 408, 414, 463, 500, 501, 503, 504)
}
NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
BEYOND_SCHEMAS = (
    *("more than once", "repeats the key", "significant digits", "surrogate", "levels"),
    "bytes in UTF-8",
)


@pytest.fixture(scope="module")
def statuses() -> Iterator[Counter[int]]:
    """Counts the answers by status: both valid and invalid requests must have been sent."""
    seen: Counter[int] = Counter()
    yield seen
    assert min(seen[202], seen[400]) >= 50, seen
    assert {202, 400, 405, 415} <= set(seen)


@DOCUMENT.parametrize()
@settings(
    max_examples=2000 if NIGHTLY else 200,
    derandomize=not NIGHTLY,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
def test_the_interface_is_as_documented(
    case: schemathesis.Case[Any], stack: Stack, statuses: Counter[int]
) -> None:
    with client(stack) as session:
        answer = case.call_and_validate(
            base_url=stack.url_of(""), session=session, verify=session.verify
        )
    statuses[answer.status_code] += 1
    if answer.status_code == 400 and case.meta and case.meta.generation.mode.is_positive:
        assert any(reason in answer.json()["detail"] for reason in BEYOND_SCHEMAS)
    if "application/problem+json" in answer.headers["content-type"]:
        # The document cannot require headers that the load balancer's own answers lack.
        documented = set(RESPONSES[answer.status_code]["headers"]) - {"X-Amzn-Trace-Id"}
        assert {name.lower() for name in documented} <= set(answer.headers)


def test_every_documented_answer_is_listed_as_tested_or_not() -> None:
    documented = {
        (status, media)
        for status, response in RESPONSES.items()
        for media in response["content"]
        if media != "application/problem+json" and status != 202
    }
    assert documented == TESTED | NOT_TESTED
    assert not TESTED & NOT_TESTED


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("/", b"{}", (404, "application/json")),
        ("/lambda/api", b" " * 1_048_577, (413, "text/html")),
    ],
    ids=["another path", "above 1 MB"],
)
def test_answers_of_the_load_balancer_are_documented(
    stack: Stack, path: str, body: bytes, expected: tuple[int, str]
) -> None:
    assert checked_answer(stack, path, body) == expected


def test_a_failed_invocation_is_a_documented_page(stack: Stack) -> None:
    with without_invoke_permission(stack, "e2e-ingest"):
        assert checked_answer(stack, "/lambda/api", b"{}") == (502, "text/html")
