"""The slowest of several services."""

import math
from random import Random
from statistics import fmean

import pytest

from async_ingest.capacity.calibration import Calibration, Times
from async_ingest.capacity.distribution import slowest_of
from async_ingest.capacity.load import Load
from async_ingest.capacity.settings import Settings


def test_one_takes_the_mean_and_the_same_the_same() -> None:
    assert slowest_of(1, 5) == pytest.approx(1)
    assert slowest_of(8, 1) == pytest.approx(1)


@pytest.mark.parametrize(("number", "tail"), [(2, 4), (8, 5)])
def test_several_take_as_long_as_when_they_are_drawn(number: int, tail: float) -> None:
    random, sigma = Random(4), math.log(tail) / 2.326
    draws = [[random.lognormvariate(0, sigma) for _ in range(number)] for _ in range(20_000)]
    assert slowest_of(number, tail) == pytest.approx(
        fmean(map(max, draws)) / fmean(map(fmean, draws)), rel=0.03
    )


@pytest.mark.parametrize(
    ("messages", "tail", "calls"),
    [(10, 5, 1), (200, 1, 1), (201, 1, 2), (200, 5, slowest_of(8, 5))],
)
def test_an_invocation_ends_with_its_slowest_calls(
    messages: int, tail: float, calls: float
) -> None:
    known = Calibration(
        process_cpu_seconds_per_batch=0,
        process_cpu_seconds_per_order=0,
        batch_call_seconds=1,
        call_tail=tail,
    )
    assert Times(known, Settings(), Load(1)).process(messages) == pytest.approx(calls)
