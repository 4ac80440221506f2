"""Calls of the write path: how many run in parallel, and how large they are."""

import json
import threading
from typing import Any

import pytest

from local.events import ENVIRONMENT
from process import handler, writer
from process.messages import Entry
from process.writer import Writer
from shared.aws import CallError, Deadline
from tests.support.fakes import FakeDynamoDB
from tests.support.writing import (
    ACCEPTED_AT,
    ENOUGH,
    WRITTEN,
    entry,
)

WAIT_SECONDS = 60  # until a call that should have come is given up


def entries(count: int, prefix: str = "", text: str = "") -> list[Entry]:
    """Returns new orders with different keys."""
    return [entry(f"{prefix}{number}", text={"S": text}) for number in range(count)]


class Meeting:
    """A client whose calls return once ``size`` of them are in progress."""

    def __init__(self, size: int) -> None:
        self._barrier = threading.Barrier(size, timeout=WAIT_SECONDS)
        self._lock = threading.Lock()
        self._under_way = 0
        self.most_under_way = 0
        self.threads: set[int] = set()
        self.operations: list[str] = []

    def call(self, operation: str, parameters: str, deadline: Deadline) -> dict[str, Any]:
        with self._lock:
            self._under_way += 1
            self.most_under_way = max(self.most_under_way, self._under_way)
            self.threads.add(threading.get_ident())
            self.operations.append(operation)
        try:
            self._barrier.wait()
        except threading.BrokenBarrierError:
            raise CallError("TheOthersHaveNotCome") from None
        finally:
            with self._lock:
                self._under_way -= 1
        return {"Responses": [{} for _ in json.loads(parameters).get("Statements", [])]}


@pytest.mark.parametrize("width", [2, 8])
def test_inserts_run_in_parallel_up_to_the_limit(width: int) -> None:
    client = Meeting(width)
    table = Writer(client, "orders", ACCEPTED_AT, width)

    assert table.write(entries(25 * 5 * width), ENOUGH) == [WRITTEN] * 25 * 5 * width

    assert client.operations == ["BatchExecuteStatement"] * 5 * width
    assert client.most_under_way == len(client.threads) == width


@pytest.mark.parametrize("width", [2, 8])
def test_puts_run_in_parallel_up_to_the_limit(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "MAX_STATEMENTS", 1)  # a chunk of one is put
    client = Meeting(width)
    table = Writer(client, "orders", ACCEPTED_AT, width)

    assert table.write(entries(5 * width), ENOUGH) == [WRITTEN] * 5 * width

    assert set(client.operations) == {"PutItem"}
    assert client.most_under_way == len(client.threads) == width


def test_a_single_call_starts_no_thread() -> None:
    client = Meeting(1)

    Writer(client, "orders", ACCEPTED_AT, 8).write(entries(25), ENOUGH)

    assert client.threads == {threading.get_ident()}


def test_the_limit_is_that_of_the_setting() -> None:
    assert handler.WRITER._parallel_calls == int(ENVIRONMENT["PARALLEL_CALLS"])


# How large calls are


class Scale(FakeDynamoDB):
    """A fake that records the number of statements and bytes of each call."""

    def __init__(self) -> None:
        super().__init__()
        self.weights: list[tuple[int, int]] = []

    def call(self, operation: str, parameters: str, deadline: Deadline) -> dict[str, Any]:
        statements = json.loads(parameters).get("Statements", [])
        self.weights.append((len(statements), len(parameters)))
        return super().call(operation, parameters, deadline)


@pytest.mark.parametrize("text_bytes", [0, 10_000, 80_000, 100_000, 390_000])
def test_a_call_has_at_most_25_statements_and_2_mb(text_bytes: int) -> None:
    scale = Scale()
    some = entries(60, text="x" * text_bytes)
    statement_bytes = text_bytes + 250  # with the statement and its JSON

    outcomes = Writer(scale, "orders", ACCEPTED_AT, 1).write(some, ENOUGH)

    assert outcomes == [WRITTEN] * 60
    fitting = min(25, writer.MAX_CALL_BYTES // statement_bytes)
    assert [count for count, _ in scale.weights] == [fitting] * (60 // fitting) + [60 % fitting] * (
        60 % fitting > 0
    )
    assert all(size <= writer.MAX_CALL_BYTES + 100 for _, size in scale.weights)


def test_an_order_above_the_budget_of_a_call_is_put(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "MAX_CALL_BYTES", 10_000)
    scale = Scale()
    some = [*entries(2, "a"), *entries(1, "b", "x" * 10_000), *entries(2, "c")]

    assert Writer(scale, "orders", ACCEPTED_AT, 1).write(some, ENOUGH) == [WRITTEN] * 5

    assert sorted(scale.calls) == ["insert 2", "insert 2", "put"]
