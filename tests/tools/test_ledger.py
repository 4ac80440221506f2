"""The account of the fault suite itself: what it must call lost, unexpected and stale."""

import json
from typing import Any

import pytest

from tests.faults.ledger import Attempt, Ledger, Outcome, Verdict, judge


class Books:
    """A ledger with a clock of its own: each order is sent, stamped and answered in one tick."""

    def __init__(self) -> None:
        self.ledger = Ledger("books")
        self.now = 0

    def sent(self, attempt: Attempt, outcome: Outcome = Outcome.ACKNOWLEDGED) -> Attempt:
        self.now += 1
        attempt.sent_at = attempt.answered_at = self.now
        attempt.outcome = outcome
        return attempt

    def order(self, key: str = "a", outcome: Outcome = Outcome.ACKNOWLEDGED) -> Attempt:
        return self.sent(self.ledger.order(key), outcome)

    def verdict(self, *rows: dict[str, Any], dead: tuple[Attempt, ...] = ()) -> Verdict:
        return judge(self.ledger, rows, [json.dumps(attempt.order) for attempt in dead])


@pytest.fixture
def books() -> Books:
    return Books()


def row(attempt: Attempt, **changes: Any) -> dict[str, Any]:
    return attempt.order | {"accepted_at": attempt.sent_at} | changes


def test_what_is_stored_as_sent_is_in_order(books: Books) -> None:
    old, new = books.order(), books.order()

    verdict = books.verdict(row(new))

    assert verdict.is_good
    assert (verdict.stored, verdict.superseded) == (1, 1)
    assert old.key == new.key


def test_an_acknowledged_order_that_is_nowhere_is_lost(books: Books) -> None:
    order = books.order()

    assert books.verdict().lost == [order.number]


def test_an_acknowledged_order_behind_an_older_row_is_lost_and_its_key_stale(books: Books) -> None:
    old, new = books.order(), books.order()

    verdict = books.verdict(row(old))

    assert verdict.lost == [new.number]
    assert verdict.stale == [str(new.key)]


def test_a_wrong_stamp_does_not_hide_a_stale_row(books: Books) -> None:
    old, new = books.order(), books.order()

    verdict = books.verdict(row(old, accepted_at=new.sent_at + 1))

    assert verdict.lost == [new.number]
    assert verdict.stale == [str(new.key)]


def test_poison_that_is_a_dead_letter_is_in_order(books: Books) -> None:
    poison = books.sent(books.ledger.poison())

    verdict = books.verdict(dead=(poison,))

    assert verdict.is_good
    assert verdict.dead_lettered == 1


def test_a_good_order_that_is_a_dead_letter_is_not_lost_but_given_up(books: Books) -> None:
    order = books.order()

    verdict = books.verdict(dead=(order,))

    assert verdict.lost == []
    assert verdict.given_up == [order.number]
    assert not verdict.is_good


def test_poison_has_to_be_a_dead_letter(books: Books) -> None:
    poison = books.sent(books.ledger.poison())

    assert books.verdict().lost == [poison.number]


def test_without_an_answer_both_is_right(books: Books) -> None:
    order = books.order(outcome=Outcome.INDETERMINATE)

    assert books.verdict().is_good
    assert books.verdict(row(order)).is_good


def test_a_refused_order_must_not_turn_up(books: Books) -> None:
    order = books.order(outcome=Outcome.REFUSED)

    assert books.verdict().is_good
    assert books.verdict(row(order)).unexpected
    assert books.verdict(dead=(order,)).unexpected


@pytest.mark.parametrize(
    "changes", [{"number": 0}, {"qty": 3}, {"item": "Tea"}], ids=["number", "more", "other-key"]
)
def test_a_row_that_nobody_has_sent_is_unexpected(books: Books, changes: dict[str, Any]) -> None:
    order = books.order()

    assert books.verdict(row(order, **changes)).unexpected


@pytest.mark.parametrize(
    "body", ['{"order_id":"books/stranger"}', '[{"number":0}]', "no JSON", "1", "[1]"]
)
def test_a_dead_letter_that_nobody_has_sent_is_unexpected(books: Books, body: str) -> None:
    assert judge(books.ledger, [], [body]).unexpected


def test_an_array_in_a_dead_letter_is_taken_apart(books: Books) -> None:
    orders = [books.order("a"), books.order("b")]
    body = json.dumps([order.order for order in orders])

    assert judge(books.ledger, [], [body]).given_up == [order.number for order in orders]


def test_a_row_without_a_stamp_is_unexpected(books: Books) -> None:
    order = books.order()

    assert books.verdict(order.order).unexpected
