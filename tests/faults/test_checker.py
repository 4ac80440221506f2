"""The checker reports orders that are lost, unexpected, stale or given up, and only those."""

import json
from typing import Any

import pytest

from tests.support.checker import Verdict, check
from tests.support.history import Attempt, History, Outcome


class Scenario:
    """A history with its own clock: an order is sent, accepted and answered in one tick."""

    def __init__(self) -> None:
        self.history = History("test")
        self.now = 0

    def sent(self, attempt: Attempt, outcome: Outcome = Outcome.ACKNOWLEDGED) -> Attempt:
        self.now += 1
        attempt.sent_at = attempt.answered_at = self.now
        attempt.outcome = outcome
        return attempt

    def order(self, key: str = "a", outcome: Outcome = Outcome.ACKNOWLEDGED) -> Attempt:
        return self.sent(self.history.order(key), outcome)

    def permanent_failure(self) -> Attempt:
        return self.sent(self.history.permanent_failure())

    def verdict(self, *rows: dict[str, Any], dead: tuple[Attempt, ...] = ()) -> Verdict:
        return check(self.history, rows, [json.dumps(attempt.order) for attempt in dead])


@pytest.fixture
def scenario() -> Scenario:
    return Scenario()


def row(attempt: Attempt, **changes: Any) -> dict[str, Any]:
    return {**attempt.order, "accepted_at": attempt.sent_at, **changes}


def test_an_order_stored_as_sent_is_good(scenario: Scenario) -> None:
    old, new = scenario.order(), scenario.order()

    verdict = scenario.verdict(row(new))

    assert verdict.is_good
    assert (verdict.stored, verdict.superseded) == (1, 1)
    assert old.key == new.key


def test_a_forged_order_may_neither_be_acknowledged_nor_turn_up(scenario: Scenario) -> None:
    forged = [
        scenario.sent(scenario.history.order(key, is_genuine=False), outcome)
        for key, outcome in zip("abc", Outcome, strict=True)
    ]

    numbers = [attempt.number for attempt in forged]
    assert scenario.verdict(row(forged[2]), dead=(forged[1],)).unexpected == [
        f"row {forged[2].key}",
        f"dead letter {numbers[1]}",
        f"forged {numbers[0]}",
    ]


def test_an_acknowledged_order_that_is_nowhere_is_lost(scenario: Scenario) -> None:
    order = scenario.order()

    assert scenario.verdict().lost == [order.number]


def test_an_acknowledged_order_behind_an_older_row_is_lost_and_its_key_stale(
    scenario: Scenario,
) -> None:
    old, new = scenario.order(), scenario.order()

    verdict = scenario.verdict(row(old))

    assert verdict.lost == [new.number]
    assert verdict.stale == [str(new.key)]


def test_an_impossible_accepted_at_does_not_hide_a_stale_row(scenario: Scenario) -> None:
    old, new = scenario.order(), scenario.order()

    verdict = scenario.verdict(row(old, accepted_at=new.sent_at + 1))

    assert verdict.lost == [new.number]
    assert verdict.stale == [str(new.key)]


def test_a_dead_lettered_permanent_failure_is_good(scenario: Scenario) -> None:
    verdict = scenario.verdict(dead=(scenario.permanent_failure(),))

    assert verdict.is_good
    assert verdict.dead_lettered == 1


def test_a_dead_lettered_storable_order_is_given_up_but_not_lost(scenario: Scenario) -> None:
    order = scenario.order()

    verdict = scenario.verdict(dead=(order,))

    assert verdict.lost == []
    assert verdict.given_up == [order.number]
    assert not verdict.is_good


def test_a_permanent_failure_that_is_nowhere_is_lost(scenario: Scenario) -> None:
    order = scenario.permanent_failure()

    assert scenario.verdict().lost == [order.number]


def test_an_order_without_an_answer_may_be_stored_or_not(scenario: Scenario) -> None:
    order = scenario.order(outcome=Outcome.INDETERMINATE)

    assert scenario.verdict().is_good
    assert scenario.verdict(row(order)).is_good


def test_a_refused_order_must_not_turn_up(scenario: Scenario) -> None:
    order = scenario.order(outcome=Outcome.REFUSED)

    assert scenario.verdict().is_good
    assert scenario.verdict(row(order)).unexpected
    assert scenario.verdict(dead=(order,)).unexpected


@pytest.mark.parametrize(
    "changes",
    [{"number": 0}, {"qty": 3}, {"item": "Tea"}],
    ids=["other number", "one more attribute", "other key"],
)
def test_a_row_that_was_never_sent_is_unexpected(
    scenario: Scenario, changes: dict[str, Any]
) -> None:
    order = scenario.order()

    assert scenario.verdict(row(order, **changes)).unexpected


def test_a_row_without_accepted_at_is_unexpected(scenario: Scenario) -> None:
    order = scenario.order()

    assert scenario.verdict(order.order).unexpected


@pytest.mark.parametrize(
    "body", ['{"order_id":"test/stranger"}', '[{"number":0}]', "no JSON", "1", "[1]"]
)
def test_a_dead_letter_that_was_never_sent_is_unexpected(scenario: Scenario, body: str) -> None:
    assert check(scenario.history, [], [body]).unexpected


def test_every_order_of_a_dead_lettered_array_counts(scenario: Scenario) -> None:
    orders = [scenario.order("a"), scenario.order("b")]
    body = json.dumps([order.order for order in orders])

    assert check(scenario.history, [], [body]).given_up == [order.number for order in orders]


@pytest.fixture
def versioned(scenario: Scenario) -> Scenario:
    scenario.history.version = "revision"
    return scenario


def versioned_row(attempt: Attempt, **changes: Any) -> dict[str, Any]:
    return row(attempt, order_version_N_revision=attempt.order["revision"], **changes)


def test_the_highest_version_must_be_stored(versioned: Scenario) -> None:
    new = versioned.sent(versioned.history.order("a", revision=2))
    old = versioned.sent(versioned.history.order("a", revision=1))

    assert versioned.verdict(versioned_row(new)).is_good
    verdict = versioned.verdict(versioned_row(old))
    assert (verdict.lost, verdict.stale) == ([new.number], [str(new.key)])


def test_the_first_of_equal_versions_must_be_stored(versioned: Scenario) -> None:
    first, replay = (versioned.sent(versioned.history.order("a", revision=1)) for _ in range(2))

    assert versioned.verdict(versioned_row(first)).is_good
    verdict = versioned.verdict(versioned_row(replay))
    assert (verdict.lost, verdict.stale) == ([first.number], [str(first.key)])


@pytest.mark.parametrize("changes", [{"order_version_N_revision": 2}, {}], ids=["other", "none"])
def test_a_row_without_its_version_is_unexpected(
    versioned: Scenario, changes: dict[str, Any]
) -> None:
    order = versioned.sent(versioned.history.order("a", revision=1))

    assert versioned.verdict(row(order, **changes)).unexpected
