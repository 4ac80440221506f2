"""INSERT or PutItem first: the writer learns whether keys exist, and takes the cheaper way."""

import itertools
from collections.abc import Iterator

import pytest

from process import writer
from process.writer import Writer
from tests.support.fakes import FakeDynamoDB
from tests.support.writing import (
    ACCEPTED_AT,
    ENOUGH,
    WRITTEN,
    entry,
)

ORDERS = 1000


class Table:
    """A fake table with a writer."""

    def __init__(self) -> None:
        self.fake = FakeDynamoDB()
        self._writer = Writer(self.fake, "orders", ACCEPTED_AT, 8)
        self._now = 0

    def write(self, keys: range, batch_size: int) -> int:
        """Writes an order for each key, in batches, and returns how many requests that took."""
        before = len(self.fake.calls)
        self._now += 1
        for start in keys[::batch_size]:
            batch = [
                entry(str(key), self._now)
                for key in range(start, min(start + batch_size, keys.stop))
            ]
            assert self._writer.write(batch, ENOUGH) == [WRITTEN] * len(batch)
        times = {item[ACCEPTED_AT]["N"] for item in self._items(keys)}
        assert times == {str(self._now)}
        return len(self.fake.calls) - before

    def try_to_write(self, keys: range) -> None:
        """Writes an order for each key, in batches of ten, whether it succeeds or not."""
        self._now += 1
        for start in keys[::10]:
            self._writer.write(
                [entry(str(key), self._now) for key in range(start, start + 10)], ENOUGH
            )

    def _items(self, keys: range) -> Iterator[dict[str, dict[str, str]]]:
        return (self.fake.table[str(key), "Kopi"] for key in keys)


KEYS = range(ORDERS)
NEW_KEYS = range(ORDERS, 3 * ORDERS)


@pytest.fixture(params=[10, 100])
def batch_size(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def table() -> Table:
    return Table()


@pytest.fixture
def known(table: Table) -> Table:
    """A table with all of KEYS, stored by another instance; this one has not seen an order yet."""
    other = Table()
    other.fake = table.fake
    other._writer = Writer(table.fake, "orders", ACCEPTED_AT, 8)
    other.write(KEYS, 100)
    table._now = 1
    return table


def test_new_keys_cost_one_request_per_25(table: Table, batch_size: int) -> None:
    assert table.write(KEYS, batch_size) == ORDERS // batch_size * -(-batch_size // 25)


def test_known_keys_cost_little_more_than_a_request_each(known: Table, batch_size: int) -> None:
    """From the first order on, and also later."""
    assert known.write(KEYS, batch_size) <= 1.02 * ORDERS
    assert known.write(KEYS, batch_size) <= 1.02 * ORDERS


def test_new_keys_are_soon_cheap_again_after_known_ones(known: Table, batch_size: int) -> None:
    known.write(KEYS, batch_size)

    found_after = writer.PROBE_ORDERS + 2 * batch_size
    requests = known.write(NEW_KEYS[:found_after], batch_size)
    assert requests <= writer.PROBE_ORDERS + 8

    rest = NEW_KEYS[found_after : found_after + 4 * batch_size]
    assert known.write(rest, batch_size) == 4 * -(-batch_size // 25)


def test_known_keys_are_cheap_after_new_ones(table: Table, batch_size: int) -> None:
    table.write(KEYS, batch_size)

    assert table.write(KEYS, batch_size) <= 1.02 * ORDERS


def test_a_mixture_of_known_and_new_keys_is_inserted(known: Table) -> None:
    """One INSERT of ten orders that saves two PutItems is worth its call."""
    for start in range(0, 800, 8):
        new = NEW_KEYS[start // 4 : start // 4 + 2]
        batch = [*KEYS[start : start + 8], *new]
        known._now += 1
        known._writer.write([entry(str(key), known._now) for key in batch], ENOUGH)

    assert known.fake.calls[-9:].count("insert 10") == 1
    assert known.fake.calls[-9:].count("put") == 8


def test_a_single_order_is_put_whether_its_key_exists_or_not(known: Table) -> None:
    assert known.write(KEYS[:100], 1) == 100
    assert known.write(NEW_KEYS[:100], 1) == 100
    assert known.fake.calls[-200:] == ["put"] * 200


@pytest.mark.parametrize("code", ["InternalServerError", "ValidationError", "AccessDenied"])
def test_failures_do_not_count_as_known_keys(known: Table, code: str) -> None:
    known.fake.plan = lambda what: code if what == "statement" else "ok"
    known.try_to_write(KEYS[:200])
    known.fake.plan = lambda _: "ok"

    assert known.write(NEW_KEYS[:100], 10) == 10


@pytest.mark.parametrize("code", ["InternalServerError", "ValidationError", "AccessDenied"])
def test_failures_do_not_count_as_new_keys(known: Table, code: str) -> None:
    codes = itertools.cycle(["ok", code])
    known.fake.plan = lambda what: next(codes) if what == "statement" else "ok"
    known.try_to_write(KEYS[:200])
    known.fake.plan = lambda _: "ok"

    assert known.write(KEYS[:100], 10) == 100
