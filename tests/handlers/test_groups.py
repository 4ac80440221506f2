"""Which message is taken next, and which are taken together."""

from collections.abc import Iterable
from typing import Any

import pytest

from local.events import record
from process import reader
from process.reader import LAST_RECEIVES, MAX_GROUP_BYTES

MAX_RECEIVE_COUNT = 485


def delivered(*counts: int) -> list[Any]:
    """A record for each count of receives."""
    return [
        record("{}", str(number), attributes={"ApproximateReceiveCount": str(count)})
        for number, count in enumerate(counts)
    ]


def of_length(*lengths: int) -> list[Any]:
    return [record("x" * length, str(number)) for number, length in enumerate(lengths)]


def counts_as_taken(records: list[Any], limit: int = MAX_RECEIVE_COUNT) -> list[int]:
    return [
        int(one["attributes"]["ApproximateReceiveCount"])
        for group in reader.groups(records, limit)
        for one in group
    ]


def ids(groups: Iterable[list[Any]]) -> list[list[str]]:
    return [[one["messageId"] for one in group] for group in groups]


def test_those_with_the_fewest_deliveries_go_first() -> None:
    assert counts_as_taken(delivered(7, 1, 300, 2, 1)) == [1, 1, 2, 7, 300]


def test_the_last_deliveries_go_before_all_others_and_the_very_last_first() -> None:
    first = MAX_RECEIVE_COUNT - LAST_RECEIVES + 1
    counts = [first - 1, 1, *range(first, MAX_RECEIVE_COUNT + 2), 2]

    assert counts_as_taken(delivered(*counts)) == [
        *range(MAX_RECEIVE_COUNT + 1, first - 1, -1),
        *(1, 2, first - 1),
    ]


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_with_few_deliveries_each_is_one_of_the_last(limit: int) -> None:
    assert counts_as_taken(delivered(*range(1, limit + 1)), limit) == [*range(limit, 0, -1)]


def test_what_is_delivered_for_the_first_time_stays_in_its_order() -> None:
    assert ids(reader.groups(delivered(1, 1, 1), MAX_RECEIVE_COUNT)) == [["0", "1", "2"]]


@pytest.mark.parametrize("attributes", [None, {}, [], {"ApproximateReceiveCount": "x"}])
def test_a_record_that_does_not_say_counts_as_new(attributes: Any) -> None:
    strange = {"messageId": "strange", "body": "{}", "attributes": attributes}
    groups = reader.groups([*delivered(2), strange, *delivered(1)], MAX_RECEIVE_COUNT)

    assert [one["messageId"] for group in groups for one in group] == ["strange", "0", "0"]


def test_small_messages_share_a_group_and_large_ones_have_their_own() -> None:
    half = MAX_GROUP_BYTES // 2
    records = of_length(half, half, 1, MAX_GROUP_BYTES, 1, MAX_GROUP_BYTES - 2, 1, 1)

    assert ids(reader.groups(records, MAX_RECEIVE_COUNT)) == [
        *(["0", "1"], ["2"], ["3"], ["4", "5", "6"], ["7"])
    ]


def test_a_message_above_the_budget_is_taken_alone() -> None:
    records = of_length(1, MAX_GROUP_BYTES + 1, 1)

    assert ids(reader.groups(records, MAX_RECEIVE_COUNT)) == [["0"], ["1"], ["2"]]


def test_no_record_is_dropped_whatever_its_body() -> None:
    strange: list[Any] = [{"messageId": "none"}, {"messageId": "null", "body": None}]

    assert ids(reader.groups(strange, MAX_RECEIVE_COUNT)) == [["none", "null"]]
    assert ids(reader.groups([], MAX_RECEIVE_COUNT)) == []
