"""A short selection of ``make settle`` and its mutants; its numbers are the deployed ones."""

import pytest

from local.limits import ARE_POSSIBLE
from tests.settle.mutants import MUTANTS, Mutant, mutated
from tests.settle.run import run
from tests.settle.scenarios import SCENARIOS
from tests.support.mutation import Mutation

SELECTION = (
    "10_bodies_of_small_numbers",
    "1000_known_in_one_message",
    "1000_sort_keys_of_one_partition",
    "any_batch_within_6_seconds",
    "messages_of_1_mib_in_the_least_time",
    "largest_batches_of_100",
    "throttled_for_an_hour",
)
QUICK_MUTANTS = [name for name in MUTANTS if name not in ("no_byte_budget", "one_thread")]

pytestmark = pytest.mark.skipif(not ARE_POSSIBLE, reason="limits a function: Linux only")


@pytest.mark.parametrize("name", SELECTION)
def test_every_order_settles(name: str) -> None:
    result = run(name, SCENARIOS[name])

    assert not result.failure, result


@pytest.mark.parametrize("name", QUICK_MUTANTS)
def test_a_mistake_in_the_loop_is_seen(name: str) -> None:
    with mutated(MUTANTS[name]) as sources:
        result = run(name, SCENARIOS[MUTANTS[name].scenario], sources, until_red=True)

    assert result.failure, result


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mistake_has_its_place_in_the_source(name: str) -> None:
    mutation = MUTANTS[name].mutation
    with mutated(MUTANTS[name]) as sources:
        assert mutation.replacement in (sources / mutation.path).read_text()


def test_a_deleted_message_whose_orders_are_not_stored_is_seen() -> None:
    keeps_what_is_stored = Mutant(
        "A key that exists counts as a newer order.",
        "1000_known_in_one_message",
        Mutation(
            "process/writer.py", '"DuplicateItem": None,', '"DuplicateItem": Outcome.SUPERSEDED,'
        ),
    )
    with mutated(keeps_what_is_stored) as sources:
        result = run("mutant", SCENARIOS[keeps_what_is_stored.scenario], sources)

    assert result.not_stored  # except those for which PutItem came first
    assert result.failure
