"""The write path when calls fail: each failure affects only the orders it concerns."""

from collections.abc import Callable
from typing import Any

import pytest

from shared.aws import Deadline
from tests.support.writing import (
    ACCEPTED_AT,
    PERMANENT_FAILURE,
    SUPERSEDED,
    TRANSIENT_FAILURE,
    WRITTEN,
    Table,
    entry,
)

pytestmark = pytest.mark.usefixtures("quick_calls")


@pytest.fixture
def fake() -> Table:
    return Table()


TRANSIENT_STATEMENT_CODES = [
    *("InternalServerError", "TransactionConflict", "ResourceNotFound", "AccessDenied"),
    *("ItemCollectionSizeLimitExceeded", "ConditionalCheckFailed", "SomethingNew"),
]
TRANSIENT_CALL_CODES = [
    *("InternalServerError", "500", "lost"),
    *("AccessDeniedException", "ExpiredTokenException", "ResourceNotFoundException"),
]
# Errors of the request, which may succeed in another form; a put fails with them.
REQUEST_CODES = ["ItemCollectionSizeLimitExceededException", "SerializationException", "413"]


def planned(*codes: str) -> Callable[[str], str]:
    """Returns a plan by which calls and statements meet these codes, and then succeed."""
    rest = iter(codes)
    return lambda _: next(rest, "ok")


def only(kind: str, *codes: str) -> Callable[[str], str]:
    plan = planned(*codes)
    return lambda what: plan(what) if what == kind else "ok"


@pytest.mark.parametrize("code", TRANSIENT_STATEMENT_CODES)
def test_a_statement_that_fails_fails_alone(
    fake: Table, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    fake.fake.plan = only("statement", "ok", code, "ok")

    assert fake.write(entry("a", 1), entry("b", 1), entry("c", 1)) == [
        WRITTEN,
        TRANSIENT_FAILURE,
        WRITTEN,
    ]

    assert fake.fake.calls == ["insert 3"]
    assert set(fake.items()) == {"a", "c"}
    (logged,) = caplog.records
    assert (logged.message, logged.__dict__["errors"]) == ("Statements failed", [code])


@pytest.mark.parametrize("code", TRANSIENT_CALL_CODES)
def test_a_failed_call_fails_only_its_own_orders(fake: Table, code: str) -> None:
    fake.fake.plan = only("call", code)

    outcomes = fake.write(*[entry(str(n), 1) for n in range(26)])

    assert outcomes == [TRANSIENT_FAILURE] * 25 + [WRITTEN]


@pytest.mark.parametrize("code", [*TRANSIENT_CALL_CODES, *REQUEST_CODES])
def test_a_put_that_fails_fails_alone(fake: Table, code: str) -> None:
    fake.write(entry("a", 1), entry("b", 1))
    fake.fake.plan = only("call", "ok", code)

    assert fake.write(entry("a", 2), entry("b", 2)) == [TRANSIENT_FAILURE, WRITTEN]


@pytest.mark.parametrize("code", ["ValidationException", *REQUEST_CODES])
def test_a_refused_call_is_split_into_puts(fake: Table, code: str) -> None:
    fake.fake.plan = only("call", code)

    assert fake.write(entry("a", 1), entry("b", 1)) == [WRITTEN, WRITTEN]
    assert fake.fake.calls == ["insert 2", "put", "put"]


@pytest.mark.parametrize(
    "answer", [{}, {"Responses": []}, {"Responses": [{}, {}, {}]}, None], ids=str
)
def test_an_invalid_answer_is_a_transient_failure(fake: Table, answer: Any) -> None:
    fake.fake.call = lambda *_: answer  # type: ignore[method-assign]

    assert fake.write(entry("a", 1), entry("b", 1)) == [TRANSIENT_FAILURE, TRANSIENT_FAILURE]


def test_what_was_written_without_an_answer_is_superseded_by_itself(fake: Table) -> None:
    fake.fake.plan = only("call", "lost")
    assert fake.write(entry("a", 1)) == [TRANSIENT_FAILURE]

    assert fake.write(entry("a", 1)) == [SUPERSEDED]


def test_an_older_order_fails_with_the_newest(fake: Table) -> None:
    fake.fake.plan = only("call", "InternalServerError")

    assert fake.write(entry("a", 1), entry("a", 3), entry("a", 2)) == [TRANSIENT_FAILURE] * 3
    assert fake.items() == {}


def test_if_the_newest_is_refused_the_next_is_tried(fake: Table) -> None:
    fake.fake.refuses = lambda item: item[ACCEPTED_AT]["N"] in ("3", "4")

    outcomes = fake.write(entry("a", 1), *[entry("a", n) for n in (3, 2, 4)], entry("b", 4))

    assert outcomes == [
        SUPERSEDED,
        PERMANENT_FAILURE,
        WRITTEN,
        PERMANENT_FAILURE,
        PERMANENT_FAILURE,
    ]
    assert fake.accepted_at() == {"a": 2}


@pytest.mark.parametrize("calls", [0, 1, 2, 3, 4])
def test_when_time_is_up_the_remaining_orders_fail_untried(fake: Table, calls: int) -> None:
    fake.write(entry("0", 1), entry("1", 1))
    fake.fake.calls.clear()
    deadline = Deadline(lambda: 30 if len(fake.fake.calls) < calls else 0)

    outcomes = fake.write(*[entry(str(n), 2) for n in range(26)], deadline=deadline)

    # One INSERT of 25, a put for each of the two existing keys, and one for the last.
    assert len(fake.fake.calls) == calls
    puts = [
        WRITTEN if calls > 1 else TRANSIENT_FAILURE,
        WRITTEN if calls > 2 else TRANSIENT_FAILURE,
    ]
    inserts = [WRITTEN if calls > 0 else TRANSIENT_FAILURE] * 23
    assert outcomes == puts + inserts + [WRITTEN if calls > 3 else TRANSIENT_FAILURE]
