"""The HTTP interface is as docs/openapi.yaml says, whatever schemathesis sends."""

import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings

from local.emulator import ROOT
from tests.e2e.stack import Stack

DOCUMENT = schemathesis.openapi.from_path(ROOT / "docs" / "openapi.yaml")
# Valid by the schema and refused with 400, for what no schema can say and the document tells.
DOCUMENT.config.checks.positive_data_acceptance.expected_statuses += ["400", "413"]
DOCUMENT.config.checks.negative_data_rejection.expected_statuses += ["413"]
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
    with requests.Session() as session:
        session.trust_env = False  # no proxy
        answer = case.call_and_validate(
            base_url=stack.emulator.alb_url(stack.outputs["load_balancer_name"]),
            session=session,
            verify=str(stack.emulator.ca_bundle),
        )
    statuses[answer.status_code] += 1
    if answer.status_code == 400 and case.meta and case.meta.generation.mode.is_positive:
        assert any(reason in answer.json()["detail"] for reason in BEYOND_SCHEMAS)
