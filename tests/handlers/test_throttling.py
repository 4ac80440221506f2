"""Throttled writes are retried within the invocation, while half of its time is left."""

import time
from typing import Any

import pytest

from process.writer import Writer
from shared import aws
from shared.aws import CallError, Deadline
from tests.support.fakes import FakeDynamoDB
from tests.support.writing import (
    ACCEPTED_AT,
    PERMANENT_FAILURE,
    SUPERSEDED,
    TRANSIENT_FAILURE,
    WRITTEN,
    entry,
)

SECONDS = 30.0


class Clock:
    """Time that passes only by sleeping, so that each pause is known."""

    def __init__(self) -> None:
        self.pauses: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)

    @property
    def deadline(self) -> Deadline:
        return Deadline(lambda: SECONDS - sum(self.pauses))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "sleep", clock.sleep)
    return clock


@pytest.fixture
def fake() -> FakeDynamoDB:
    return FakeDynamoDB()


@pytest.fixture
def table(fake: FakeDynamoDB) -> Writer:
    return Writer(fake, "orders", ACCEPTED_AT, 1)


def times(count: int, code: str, kind: str) -> Any:
    """Returns a plan by which so many calls or statements fail with a code."""
    rest = [code] * count
    return lambda what: rest.pop() if what == kind and rest else "ok"


CODES = [
    ("call", "ThrottlingException"),
    ("call", "ProvisionedThroughputExceededException"),
    ("call", "RequestLimitExceeded"),
]
STATEMENT_CODES = [
    ("statement", "ThrottlingError"),
    ("statement", "ProvisionedThroughputExceeded"),
    ("statement", "RequestLimitExceeded"),
]


@pytest.mark.parametrize(("kind", "code"), CODES + STATEMENT_CODES)
@pytest.mark.parametrize("count", [1, 2, 5])
def test_throttled_inserts_are_retried(
    table: Writer, fake: FakeDynamoDB, clock: Clock, *, kind: str, code: str, count: int
) -> None:
    fake.plan = times(2 * count if kind == "statement" else count, code, kind)

    assert table.write([entry("a"), entry("b")], clock.deadline) == [WRITTEN, WRITTEN]

    assert fake.calls == ["insert 2"] * (count + 1)
    assert len(clock.pauses) == count


def test_only_throttled_statements_are_retried(
    table: Writer, fake: FakeDynamoDB, clock: Clock
) -> None:
    codes = iter(["ok", "ThrottlingError", "InternalServerError", "ThrottlingError", "ok"])
    fake.plan = lambda what: next(codes, "ok") if what == "statement" else "ok"

    outcomes = table.write([entry(key) for key in "abcd"], clock.deadline)

    assert outcomes == [WRITTEN, WRITTEN, TRANSIENT_FAILURE, WRITTEN]
    assert fake.calls == ["insert 4", "insert 2"]


@pytest.mark.parametrize(("kind", "code"), CODES)
@pytest.mark.parametrize("count", [1, 2, 5])
def test_throttled_puts_are_retried(
    table: Writer, fake: FakeDynamoDB, clock: Clock, *, kind: str, code: str, count: int
) -> None:
    fake.plan = times(count, code, kind)

    assert table.write([entry("a")], clock.deadline) == [WRITTEN]

    assert fake.calls == ["put"] * (count + 1)
    assert len(clock.pauses) == count


@pytest.mark.parametrize("keys", ["a", "ab"], ids=["put", "insert"])
@pytest.mark.parametrize("kind", ["call", "statement"])
def test_retries_leave_half_of_the_time(
    table: Writer, fake: FakeDynamoDB, clock: Clock, keys: str, kind: str
) -> None:
    fake.plan = lambda what: "ThrottlingException" if what == kind or keys == "a" else "ok"

    assert table.write([entry(key) for key in keys], clock.deadline) == [TRANSIENT_FAILURE] * len(
        keys
    )

    waited = sum(clock.pauses)
    assert SECONDS / 2 - aws.MAX_PAUSE_SECONDS < waited < SECONDS / 2
    assert len(fake.calls) == len(clock.pauses) + 1


def test_the_half_is_of_the_time_left_when_writing_begins(
    table: Writer, fake: FakeDynamoDB, clock: Clock
) -> None:
    fake.plan = lambda _: "ThrottlingException"
    clock.pauses.append(SECONDS - 8)  # spent on other groups

    table.write([entry("a")], clock.deadline)

    assert 0 < sum(clock.pauses[1:]) < 4


def test_without_time_no_call_is_made(table: Writer, fake: FakeDynamoDB, clock: Clock) -> None:
    clock.pauses.append(SECONDS)

    assert (
        table.write([entry("a"), entry("b"), entry("c")], clock.deadline) == [TRANSIENT_FAILURE] * 3
    )

    assert fake.calls == []


def test_pauses_are_random_and_grow(table: Writer, fake: FakeDynamoDB, clock: Clock) -> None:
    fake.plan = lambda _: "ThrottlingException"

    shares: list[float] = []
    for _ in range(40):
        clock.pauses.clear()
        table.write([entry("a")], clock.deadline)
        limits = [min(0.1 * 2**attempt, 5.0) for attempt in range(len(clock.pauses))]
        shares += [pause / limit for pause, limit in zip(clock.pauses, limits, strict=True)]
    assert all(0 <= share <= 1 for share in shares)
    # Full jitter: of a hundred pauses, some are in either half.
    assert len(shares) > 100
    assert min(shares) < 0.5 < max(shares)


@pytest.mark.parametrize("code", ["InternalServerError", "AccessDeniedException", "NotKnown"])
def test_other_errors_are_not_retried(
    table: Writer, fake: FakeDynamoDB, clock: Clock, code: str
) -> None:
    """shared/aws.py has already retried the calls where that helps."""
    fake.plan = lambda _: code

    assert table.write([entry("a")], clock.deadline) == [TRANSIENT_FAILURE]
    assert (fake.calls, clock.pauses) == (["put"], [])


def test_a_refusal_after_throttling_is_a_permanent_failure(
    table: Writer, fake: FakeDynamoDB, clock: Clock
) -> None:
    fake.plan = times(2, "ThrottlingException", "call")
    fake.refuses = lambda _: True

    assert table.write([entry("a")], clock.deadline) == [PERMANENT_FAILURE]


def test_a_put_that_was_throttled_after_it_happened_is_superseded_by_itself(
    table: Writer, fake: FakeDynamoDB, clock: Clock
) -> None:
    """The order is stored, so the outcome loses nothing."""
    really_call = fake.call
    throttled = [True]

    def call(*arguments: Any) -> dict[str, Any]:
        answer = really_call(*arguments)
        if throttled.pop() if throttled else False:
            raise CallError("ThrottlingException", status=400)
        return answer

    fake.call = call  # type: ignore[assignment]

    assert table.write([entry("a")], clock.deadline) == [SUPERSEDED]
    assert len(fake.table) == 1
