"""Groups: which messages are processed first, and which together."""

from collections.abc import Iterable
from typing import Any

import pytest

from local.events import record
from process import reader
from process.messages import Record
from process.reader import LAST_RECEIVES, MAX_GROUP_BYTES

MAX_RECEIVE_COUNT = 485


def delivered(*counts: int) -> list[Any]:
    """Returns a record for each receive count."""
    return [
        record("{}", str(number), attributes={"ApproximateReceiveCount": str(count)})
        for number, count in enumerate(counts)
    ]


def of_length(*lengths: int) -> list[Any]:
    return [record("x" * length, str(number)) for number, length in enumerate(lengths)]


def receive_counts(records: list[Any], limit: int = MAX_RECEIVE_COUNT) -> list[int]:
    return [
        int(one["attributes"]["ApproximateReceiveCount"])
        for group in reader.groups(records, limit)
        for one in group
    ]


def ids(groups: Iterable[list[Any]]) -> list[list[str]]:
    return [[one["messageId"] for one in group] for group in groups]


def test_messages_with_the_fewest_receives_come_first() -> None:
    assert receive_counts(delivered(7, 1, 300, 2, 1)) == [1, 1, 2, 7, 300]


def test_messages_near_their_last_receive_come_before_all_others() -> None:
    first = MAX_RECEIVE_COUNT - LAST_RECEIVES + 1
    counts = [first - 1, 1, *range(first, MAX_RECEIVE_COUNT + 2), 2]

    assert receive_counts(delivered(*counts)) == [
        *range(MAX_RECEIVE_COUNT + 1, first - 1, -1),
        *(1, 2, first - 1),
    ]


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_with_few_receives_allowed_every_message_is_near_its_last(limit: int) -> None:
    assert receive_counts(delivered(*range(1, limit + 1)), limit) == [*range(limit, 0, -1)]


def test_first_deliveries_keep_their_order() -> None:
    assert ids(reader.groups(delivered(1, 1, 1), MAX_RECEIVE_COUNT)) == [["0", "1", "2"]]


@pytest.mark.parametrize("attributes", [None, {}, [], {"ApproximateReceiveCount": "x"}], ids=str)
def test_a_record_without_a_receive_count_counts_as_new(attributes: Any) -> None:
    strange = {"messageId": "strange", "body": "{}", "attributes": attributes}
    groups = reader.groups([*delivered(2), strange, *delivered(1)], MAX_RECEIVE_COUNT)

    assert [one["messageId"] for group in groups for one in group] == ["strange", "0", "0"]


def test_small_messages_share_a_group_and_large_ones_have_their_own() -> None:
    half = MAX_GROUP_BYTES // 2
    records = of_length(half, half, 1, MAX_GROUP_BYTES, 1, MAX_GROUP_BYTES - 2, 1, 1)

    assert ids(reader.groups(records, MAX_RECEIVE_COUNT)) == [
        *(["0", "1"], ["2"], ["3"], ["4", "5", "6"], ["7"])
    ]


def test_a_message_above_the_budget_is_a_group_of_its_own() -> None:
    records = of_length(1, MAX_GROUP_BYTES + 1, 1)

    assert ids(reader.groups(records, MAX_RECEIVE_COUNT)) == [["0"], ["1"], ["2"]]


def test_no_record_is_dropped_whatever_its_body() -> None:
    strange: list[Any] = [{"messageId": "none"}, {"messageId": "null", "body": None}]

    assert ids(reader.groups(strange, MAX_RECEIVE_COUNT)) == [["none", "null"]]
    assert ids(reader.groups([], MAX_RECEIVE_COUNT)) == []


# A message that ends every invocation it is part of


def batch(count: int, size: int, first: int = 0) -> list[Record]:
    """Returns the records of a redelivery of the same messages, in the same order."""
    attributes = {"ApproximateReceiveCount": str(count)}
    return [
        {"messageId": f"{first + number}", "body": "{}", "attributes": attributes}
        for number in range(size)
    ]


@pytest.mark.parametrize("size", [2, 10, 100])
@pytest.mark.parametrize("fatal", [0, 1])
@pytest.mark.parametrize("fresh", [0, 5])
def test_neighbours_of_a_fatal_message_soon_precede_it(size: int, fatal: int, fresh: int) -> None:
    written: set[str] = set()
    for count in range(1, 26):
        records = batch(count, size) + batch(1, fresh, first=1000)
        for group in reader.groups(records, max_receive_count=485):
            ids = {record["messageId"] for record in group}
            if str(fatal) in ids:
                break
            written |= ids

    assert len(written) == size - 1 + fresh


def test_messages_that_failed_often_share_growing_groups() -> None:
    sizes = [len(group) for group in reader.groups(batch(100, 100), max_receive_count=485)]

    assert sizes == [1, 2, 4, 8, 16, 32, 37]


def test_messages_of_the_first_deliveries_share_a_group() -> None:
    for count in (1, reader.FIRST_RECEIVES):
        assert len(list(reader.groups(batch(count, 100), max_receive_count=485))) == 1
    (first, *_) = reader.groups(batch(1, 10), max_receive_count=485)
    assert first == batch(1, 10), "in the order in which SQS has delivered them"
