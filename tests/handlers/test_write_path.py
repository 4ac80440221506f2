"""The write path: the newest order of each key wins, in as few requests as possible."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from process import writer
from process.messages import Entry, Outcome
from tests.support.writing import (
    ACCEPTED_AT,
    SUPERSEDED,
    VERSION,
    WRITTEN,
    Table,
    entry,
    item_of,
    versioned_entry,
)

pytestmark = pytest.mark.usefixtures("quick_calls")


@pytest.fixture(params=["dynamodb_local", "emulator"])
def table(request: pytest.FixtureRequest) -> Table:
    return Table(request.getfixturevalue(request.param))


@pytest.fixture
def fake() -> Table:
    return Table()


def test_new_orders_are_written(table: Table) -> None:
    assert table.write(entry("a", 5), entry("b", 5)) == [WRITTEN, WRITTEN]
    assert table.items() == {"a": item_of(entry("a", 5)), "b": item_of(entry("b", 5))}


def test_later_orders_overwrite_and_earlier_ones_do_not(table: Table) -> None:
    table.write(entry("same", 5), entry("newer", 5), entry("older", 5))

    outcomes = table.write(entry("same", 5), entry("newer", 6), entry("older", 4), entry("new", 1))

    assert outcomes == [SUPERSEDED, WRITTEN, SUPERSEDED, WRITTEN]
    assert table.accepted_at() == {"same": 5, "newer": 6, "older": 5, "new": 1}


@pytest.mark.parametrize("times", list(itertools.permutations([7, 8, 9])), ids=str)
def test_within_a_batch_the_newest_wins(table: Table, times: tuple[int, ...]) -> None:
    outcomes = table.write(*[entry("a", time) for time in times])

    assert outcomes == [WRITTEN if time == 9 else SUPERSEDED for time in times]
    assert table.accepted_at() == {"a": 9}


def test_the_first_of_two_accepted_at_the_same_time_wins(table: Table) -> None:
    outcomes = table.write(entry("a", 7, n={"N": "1"}), entry("a", 7, n={"N": "2"}))

    assert outcomes == [WRITTEN, SUPERSEDED]
    assert table.items()["a"]["n"] == {"N": "1"}


@pytest.fixture(params=["dynamodb_local", "emulator", "in_moto"])
def by_put_item(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Table]:
    """A table to which everything is written by PutItem, which moto supports too."""
    monkeypatch.setattr(writer, "MAX_STATEMENT_BYTES", 0)
    writer._insert_statement.cache_clear()
    yield Table(request.getfixturevalue(request.param))
    writer._insert_statement.cache_clear()


@pytest.mark.parametrize(
    ("stored", "outcome"),
    [
        (None, WRITTEN),
        ({"N": "4"}, WRITTEN),
        ({"N": "5"}, SUPERSEDED),
        ({"N": "6"}, SUPERSEDED),
        ({"N": "10"}, SUPERSEDED),
    ],
    ids=str,
)
def test_put_item_has_the_last_word(by_put_item: Table, stored: Any, outcome: Outcome) -> None:
    if stored:
        by_put_item.put(item_of(entry("a", 0)) | {ACCEPTED_AT: stored})

    assert by_put_item.write(entry("a", 5)) == [outcome]

    expected = {"N": "5"} if outcome is WRITTEN else stored
    assert by_put_item.items()["a"][ACCEPTED_AT] == expected


# Not in moto, which compares strings with numbers.
@pytest.mark.parametrize(
    "foreign",
    [{}, {ACCEPTED_AT: {"S": "zzz"}}, {ACCEPTED_AT: {"NULL": True}}],
    ids=str,
)
def test_an_item_of_another_writer_counts_as_older(table: Table, foreign: dict[str, Any]) -> None:
    table.put({"order_id": {"S": "a"}, "item": {"S": "Kopi"}, **foreign})

    assert table.write(entry("a", 5)) == [WRITTEN]

    assert table.accepted_at() == {"a": 5}


# Versions; test_version has what process makes of them.

ROW = {"order_id": {"S": "a"}, "item": {"S": "Kopi"}}


@pytest.fixture(params=["dynamodb_local", "emulator"])
def versioned(request: pytest.FixtureRequest) -> Table:
    return Table(request.getfixturevalue(request.param), has_versions=True)


@pytest.mark.parametrize(
    ("stored", "order", "outcome"),
    [
        (("2", 5), ("3", 1), WRITTEN),
        (("2", 5), ("1", 9), SUPERSEDED),
        (("-1", 5), ("-2", 9), SUPERSEDED),
        (("9", 5), ("10", 1), WRITTEN),
        (("9" * 37 + "8", 5), ("9" * 38, 1), WRITTEN),
        (("9" * 38, 1), ("9" * 37 + "8", 5), SUPERSEDED),
        (("2", 5), ("2.0", 4), WRITTEN),
        (("2", 5), ("20E-1", 5), SUPERSEDED),
        (("2", 5), ("2", 6), SUPERSEDED),
        (("2", 5), (None, 9), SUPERSEDED),
        ((None, 9), ("-2", 1), WRITTEN),
        ((None, 5), (None, 6), WRITTEN),
        ((None, 5), (None, 4), SUPERSEDED),
    ],
    ids=str,
)
@pytest.mark.parametrize("neighbours", [[], [versioned_entry("b", 1, "1")]], ids=["put", "insert"])
def test_the_highest_version_stays_and_the_first_of_equal_ones(
    versioned: Table,
    stored: tuple[str | None, int],
    order: tuple[str | None, int],
    outcome: Outcome,
    neighbours: list[Entry],
) -> None:
    versioned.write(versioned_entry("a", stored[1], stored[0]))

    assert versioned.write(versioned_entry("a", order[1], order[0]), *neighbours)[0] is outcome

    newest = order if outcome is WRITTEN else stored
    assert versioned.accepted_at()["a"] == newest[1]
    assert (VERSION in versioned.items()["a"]) == (newest[0] is not None)


@pytest.mark.parametrize("foreign", [{"S": "9"}, {"NULL": True}, {"L": []}], ids=str)
@pytest.mark.parametrize("version", ["-1", None])
def test_a_row_whose_version_is_no_number_counts_as_older(
    versioned: Table, foreign: dict[str, Any], version: str | None
) -> None:
    versioned.put(ROW | {ACCEPTED_AT: {"N": "4"}, VERSION: foreign})

    assert versioned.write(versioned_entry("a", 5, version)) == [WRITTEN]


def test_a_row_with_its_version_but_without_accepted_at_stays_against_lower_ones_only(
    versioned: Table,
) -> None:
    versioned.put(ROW | {VERSION: {"N": "2"}})

    assert versioned.write(versioned_entry("a", 5, "1")) == [SUPERSEDED]
    assert versioned.write(versioned_entry("a", 5, "2")) == [WRITTEN]


# The number of requests


@pytest.mark.parametrize(
    ("count", "calls"),
    [
        (0, []),
        (1, ["put"]),
        (2, ["insert 2"]),
        (10, ["insert 10"]),
        (25, ["insert 25"]),
        (26, ["insert 25", "put"]),
        (27, ["insert 25", "insert 2"]),
        (100, ["insert 25"] * 4),
    ],
)
def test_new_orders_take_one_request_per_25(fake: Table, count: int, calls: list[str]) -> None:
    assert fake.write(*[entry(str(n), 1) for n in range(count)]) == [WRITTEN] * count
    assert fake.fake.calls == calls


def test_only_existing_keys_take_a_request_each(fake: Table) -> None:
    fake.write(entry("a", 1), entry("b", 1))
    fake.fake.calls.clear()

    fake.write(entry("a", 2), entry("c", 1), entry("b", 2), entry("a", 3))

    assert fake.fake.calls == ["insert 3", "put", "put"]
