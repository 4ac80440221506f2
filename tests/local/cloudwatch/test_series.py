"""The store of metrics, and the clock."""

import time

import pytest

from local.cloudwatch.clock import Clock
from local.cloudwatch.series import KEPT_SECONDS, MINUTE, Metric, Store

METRIC = Metric.of("N", "M", {"B": "2", "A": "1"})
START = 1_800_000_000.0 - 1_800_000_000 % MINUTE


def test_statistics_are_of_the_minutes_asked_for() -> None:
    store = Store()
    for minute in range(5):
        store.add(METRIC, minute, START + minute * MINUTE + 59.9)

    found = store.statistics(METRIC, START + MINUTE, START + 4 * MINUTE)

    names = ("SampleCount", "Sum", "Average", "Minimum", "Maximum")
    assert [found.get(name) for name in names] == [3, 6, 2, 1, 3]
    assert store.statistics(Metric("N", "M"), START, START + MINUTE).get("Sum") is None


def test_percentiles_interpolate() -> None:
    store = Store()
    for value in range(1, 101):
        store.add(METRIC, value, START)

    found = store.statistics(METRIC, START, START + MINUTE)

    assert found.get("p50") == 50.5
    assert found.get("p100") == 100
    assert found.get("p0") == 1
    with pytest.raises(ValueError, match="unknown"):
        found.get("Mode")


def test_a_statistic_set_has_no_percentiles() -> None:
    store = Store()
    store.add_set(METRIC, START, "None", (2, 5, 1, 4))

    found = store.statistics(METRIC, START, START + MINUTE)

    assert found.get("Average") == 2.5
    assert found.get("p50") is None


def test_it_does_not_grow_without_bound() -> None:
    store = Store()
    for number in range(20_000):
        store.add(METRIC, number / 7, START)
    found = store.statistics(METRIC, START, START + MINUTE)
    assert len(found.values) < 4000
    assert found.get("Sum") == pytest.approx(sum(number / 7 for number in range(20_000)))

    store.add(METRIC, 1, START + KEPT_SECONDS + MINUTE)

    assert store.statistics(METRIC, START, START + MINUTE).get("Sum") is None


def test_a_moved_clock_knows_what_it_showed_before() -> None:
    clock, before = Clock(), time.time()
    assert clock.now() == pytest.approx(before, abs=1)

    clock.move_to(before + 3600)
    clock.move_to(before + 60)  # never back

    assert clock.now() == pytest.approx(before + 3600, abs=1)
    assert clock.of(before - 10) == before - 10
    assert clock.of(time.time()) == pytest.approx(clock.now(), abs=1)
    clock.reset()
    assert clock.now() == pytest.approx(time.time(), abs=1)
