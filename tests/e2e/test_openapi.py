"""The HTTP interface is as docs/openapi.yaml says, whatever schemathesis sends."""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings

from local.emulator import HOST, ROOT
from local.stack import Stack
from tests.support.stack import without_invoke_permission

pytestmark = pytest.mark.stack

DOCUMENT = schemathesis.openapi.from_path(ROOT / "docs" / "openapi.yaml")
# Valid by the schema and refused with 400, for what no schema can say and the document tells.
DOCUMENT.config.checks.positive_data_acceptance.expected_statuses += ["400", "413"]
DOCUMENT.config.checks.negative_data_rejection.expected_statuses += ["413"]
OPERATION = DOCUMENT["/lambda/api"]["POST"]
RESPONSES = {
    int(status): DOCUMENT.raw_schema["components"]["responses"][response["$ref"].split("/")[-1]]
    for status, response in OPERATION.definition.raw["responses"].items()
}
# The load balancer's own answers. The function's: tests/handlers/test_openapi_document.py.
# That of plain HTTP beside a certificate is in test_examples.py.
SEEN = {
    *((403, "application/json"), (404, "application/json")),
    *((413, "text/html"), (502, "text/html")),
}
# The emulator's load balancer has no web ACL, passes TRACE on, and has no limits of AWS's on lines,
# time and forwarding. 503 and 504 need a failure of AWS.
NOT_SEEN = {(status, "text/html") for status in (400, 403, 405, 408, 414, 463, 500, 501, 503, 504)}
NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
BEYOND_SCHEMAS = (
    *("more than once", "all the key", "significant digits", "surrogate", "levels"),
    "bytes in UTF-8",
)


@pytest.fixture(scope="module")
def statuses() -> Iterator[Counter[int]]:
    """How often each was the answer. Both sides of the document must have been tried."""
    seen: Counter[int] = Counter()
    yield seen
    assert min(seen[202], seen[400]) >= 50, seen
    assert {202, 400, 405, 415} <= set(seen)


@contextmanager
def client(stack: Stack) -> Iterator[requests.Session]:
    """Of the stack's load balancer."""
    with requests.Session() as session:
        session.trust_env = False  # no proxy
        session.verify = str(stack.emulator.ca_bundle)
        yield session


def url(stack: Stack) -> str:
    return stack.emulator.alb_url(stack.outputs["load_balancer_name"])


def checked_answer(stack: Stack, path: str, body: bytes, port: int = 80) -> tuple[int, str]:
    """Status and media type of the answer to a POST, which is as documented."""
    with client(stack) as session:
        headers = {"Content-Type": "application/json", "Host": f"{HOST}:{port}"}
        answer = session.post(url(stack) + path, data=body, headers=headers)
    media = answer.headers["Content-Type"]
    assert media in RESPONSES[answer.status_code]["content"]
    OPERATION.validate_response(answer)  # against the schema, if it is in JSON
    return answer.status_code, media


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
        answer = case.call_and_validate(base_url=url(stack), session=session, verify=session.verify)
    statuses[answer.status_code] += 1
    if answer.status_code == 400 and case.meta and case.meta.generation.mode.is_positive:
        assert any(reason in answer.json()["detail"] for reason in BEYOND_SCHEMAS)
    if "application/problem+json" in answer.headers["content-type"]:
        # The document cannot require what the load balancer's own answers lack.
        documented = set(RESPONSES[answer.status_code]["headers"]) - {"X-Amzn-Trace-Id"}
        assert {name.lower() for name in documented} <= set(answer.headers)


def test_no_answer_is_documented_of_which_nobody_knows_whether_it_is_checked() -> None:
    documented = {
        (status, media)
        for status, response in RESPONSES.items()
        for media in response["content"]
        if media != "application/problem+json" and status != 202
    }
    assert documented == SEEN | NOT_SEEN
    assert not SEEN & NOT_SEEN


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("/", b"{}", (404, "application/json")),
        ("/lambda/api", b" " * 1_048_577, (413, "text/html")),
    ],
    ids=["another path", "above 1 MB"],
)
def test_what_the_load_balancer_answers_is_documented(
    stack: Stack, path: str, body: bytes, expected: tuple[int, str]
) -> None:
    assert checked_answer(stack, path, body) == expected


def test_a_function_that_cannot_be_called_is_a_documented_page(stack: Stack) -> None:
    with without_invoke_permission(stack, "e2e-ingest"):
        assert checked_answer(stack, "/lambda/api", b"{}") == (502, "text/html")
