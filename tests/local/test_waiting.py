"""The one way to wait for a condition."""

import itertools

import pytest

from local.waiting import NotInTimeError, eventually


def test_the_first_value_that_satisfies_the_condition_is_returned() -> None:
    numbers = itertools.count()

    assert eventually(lambda: next(numbers), "three", until=lambda number: number >= 3) == 3


def test_without_a_condition_the_first_true_value_is_returned() -> None:
    values = iter([None, "", "value"])

    assert eventually(lambda: next(values), "a value") == "value"


def test_the_error_names_what_is_missing_and_the_last_value() -> None:
    with pytest.raises(NotInTimeError, match=r"Not within 0 s: an order \(last value: \[\]\)"):
        eventually(list, "an order", 0)


def test_the_value_is_read_at_least_once() -> None:
    assert eventually(lambda: 1, "one", 0) == 1
