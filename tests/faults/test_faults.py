"""A short selection of the fault suite; ``make faults`` runs all of it, with a larger load."""

from collections.abc import Iterator

import pytest

from local.stack import Stack
from tests.faults import scenarios
from tests.faults.mutants import MUTANTS
from tests.faults.suite import run
from tests.faults.system import System, under_test

pytestmark = pytest.mark.stack

SELECTION = (
    "sqs_acknowledgement_lost",
    "ingest_killed_between_send_and_answer",
    "dynamodb_acknowledgement_lost",
    "dynamodb_some_statements_failed",
    "process_killed_in_a_batch",
    "delivery_in_reverse_order",
    "redrive_after_the_cause_is_gone",
    "versions_out_of_order",
    "as_slow_as_aws_backlog_of_updates",
)
MISTAKES = (
    ("ignores_errors_of_statements", "dynamodb_some_statements_failed"),
    ("compares_accepted_at_the_wrong_way_round", "delivery_in_reverse_order"),
)


@pytest.fixture(scope="module")
def system(stack: Stack) -> Iterator[System]:
    with pytest.MonkeyPatch.context() as patch, under_test(stack) as system:
        patch.setattr(scenarios, "REQUESTS", 60)
        yield system


@pytest.mark.parametrize("name", SELECTION)
def test_every_order_is_accounted_for(system: System, name: str) -> None:
    result = run(system, name)

    assert not result.failure, f"{result.failure}: {result.counts}"


@pytest.mark.parametrize(("mutant", "name"), MISTAKES)
def test_a_mistake_in_a_handler_is_seen(system: System, mutant: str, name: str) -> None:
    system.deploy(*MUTANTS[mutant].mutations)
    try:
        result = run(system, name, title=mutant)
    finally:
        system.deploy()

    assert result.counts["faults"]
    assert result.counts["lost"] or result.counts["stale"]
