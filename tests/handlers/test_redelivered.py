"""A message that ends every invocation it is in, and those that are delivered together with it."""

import pytest

from process import reader
from process.messages import Record


def batch(count: int, size: int, first: int = 0) -> list[Record]:
    """As SQS delivers the same messages again, in the same order."""
    attributes = {"ApproximateReceiveCount": str(count)}
    return [
        {"messageId": f"{first + number}", "body": "{}", "attributes": attributes}
        for number in range(size)
    ]


@pytest.mark.parametrize("size", [2, 10, 100])
@pytest.mark.parametrize("fatal", [0, 1])
@pytest.mark.parametrize("fresh", [0, 5])
def test_each_of_its_neighbours_is_before_it_soon(size: int, fatal: int, fresh: int) -> None:
    written: set[str] = set()
    for count in range(1, 26):
        records = batch(count, size) + batch(1, fresh, first=1000)
        for group in reader.groups(records, max_receive_count=485):
            ids = {record["messageId"] for record in group}
            if str(fatal) in ids:
                break
            written |= ids

    assert len(written) == size - 1 + fresh


def test_what_failed_often_still_shares_most_of_its_calls() -> None:
    sizes = [len(group) for group in reader.groups(batch(100, 100), max_receive_count=485)]

    assert sizes == [1, 2, 4, 8, 16, 32, 37]


def test_what_is_delivered_for_the_first_times_shares_its_calls() -> None:
    for count in (1, reader.FIRST_RECEIVES):
        assert len(list(reader.groups(batch(count, 100), max_receive_count=485))) == 1
    (first, *_) = reader.groups(batch(1, 10), max_receive_count=485)
    assert first == batch(1, 10), "in the order in which SQS has delivered them"
