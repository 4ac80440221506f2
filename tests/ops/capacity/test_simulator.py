"""The simulator's invariants, whatever the settings and the load."""

import math
import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from async_ingest.capacity import aws
from async_ingest.capacity.calibration import Calibration
from async_ingest.capacity.load import Load, Span
from async_ingest.capacity.settings import Settings
from async_ingest.capacity.simulator import TICK_SECONDS, simulate

SPANS = st.builds(Span, st.floats(0, 60), st.floats(1, 20), st.floats(0, 5000))
LOADS = st.builds(
    Load,
    rate=st.floats(0.5, 3000),
    seconds=st.integers(5, 30),
    ramp_seconds=st.sampled_from([0, 0, 20]),
    bursts=st.lists(SPANS, max_size=1),
    orders_per_request=st.sampled_from([1, 1, 7, 100]),
    order_bytes=st.sampled_from([100, 1000, 3000]),
    known=st.sampled_from([0.0, 0.5, 1.0]),
    superseded=st.floats(0, 1),
    permanent_failures=st.sampled_from([0.0, 0.01, 1.0]),
    hot=st.sampled_from([0.0, 0.5]),
    throttled=st.lists(SPANS, max_size=1),
)
# Of a batch: its size, and the window, which the module demands above 10.
BATCHES = st.sampled_from([(1, 0), (10, 0), (1, 1), (10, 1), (100, 1), (10, 5), (100, 5)])
OTHERS = st.builds(
    Settings,
    ingest_reserved_concurrency=st.sampled_from([None, 30, 100]),
    ingest_provisioned_concurrency=st.sampled_from([None, 20]),
    queue_retention_seconds=st.sampled_from([60, 345_600]),
    queue_max_receive_count=st.sampled_from([5, None]),
    process_maximum_concurrency=st.sampled_from([None, 2, 50]),
    process_provisioned_pollers=st.sampled_from([None, None, {"minimum": 2, "maximum": 20}]),
    process_dead_letter_immediately=st.booleans(),
    process_memory_size=st.sampled_from([256, 1769]),
    process_timeout_seconds=st.sampled_from([6, 30]),
    account_concurrency_quota=st.sampled_from([10, 1000]),
)


def batched(system: Settings, batch: tuple[int, int]) -> Settings:
    size, window = batch
    return replace(system, process_batch_size=size, process_batching_window_seconds=window)


SYSTEMS = st.builds(batched, OTHERS, BATCHES)


@settings(deadline=None, max_examples=30)
@given(SYSTEMS, LOADS)
def test_nothing_is_created_or_lost(system: Settings, load: Load) -> None:
    result = simulate(system, load, drain_seconds=900)
    orders = dict(result.orders)
    assert min(orders.values()) >= -1e-6
    accepted = orders.pop("accepted")
    assert sum(orders.values()) == pytest.approx(accepted, rel=1e-6, abs=1e-3)
    assert sum(result.requests.values()) == pytest.approx(load.requests, rel=1e-6, abs=1e-3)
    assert accepted == pytest.approx(result.requests["accepted"] * load.orders_per_request)


@settings(deadline=None, max_examples=30)
@given(SYSTEMS, LOADS)
def test_no_more_runs_than_may(system: Settings, load: Load) -> None:
    result = simulate(system, load, drain_seconds=60)
    assert result.process_concurrency <= system.maximum_concurrency + 1e-6
    assert result.ingest_concurrency <= (
        system.ingest_reserved_concurrency or system.account_concurrency_quota
    )


@settings(deadline=None, max_examples=25)
@given(LOADS, st.integers(2, 40), st.integers(1, 40), BATCHES)
def test_more_concurrency_never_drains_later(
    load: Load, less: int, more: int, batch: tuple[int, int]
) -> None:
    """While the table has room; by at most a cold start, which more environments may add."""
    load = replace(load, permanent_failures=0, throttled=(), hot=0)
    fewer = batched(
        Settings(
            process_maximum_concurrency=less,
            table_write_quota=10**9,
            table_peak_write_units=10**9,
        ),
        batch,
    )
    greater = replace(fewer, process_maximum_concurrency=less + more)
    times = [simulate(one, load).drain_seconds for one in (fewer, greater)]
    assert times[0] is not None
    assert times[1] is not None
    slack = Calibration().cold_start_seconds + 2 * TICK_SECONDS
    assert times[1] <= times[0] + max(slack, 0.001 * times[0])


@settings(deadline=None, max_examples=15)
@given(
    rate=st.floats(20, 400),
    burst=st.floats(500, 3000),
    per_batch=st.floats(0.2, 2),
    size=st.sampled_from([1, 10]),
    concurrency=st.integers(5, 60),
)
def test_littles_law(
    rate: float, burst: float, per_batch: float, size: int, concurrency: int
) -> None:
    """L = λ W, for messages and for invocations; both sides are counted separately."""
    known = Calibration(process_seconds_per_batch=per_batch, poll_seconds=0, cold_start_seconds=0)
    load = Load(rate, 60, bursts=[Span(10, 10, burst)])
    system = Settings(process_maximum_concurrency=concurrency, process_batch_size=size)
    result = simulate(system, load, known, tick=0.02)
    arrivals = result.orders["accepted"] / result.seconds
    assert result.mean_messages == pytest.approx(arrivals * result.mean_freshness, rel=0.02)
    used = result.usage
    invocations = used.process_invocations / result.seconds
    duration = used.process_seconds / used.process_invocations
    assert result.mean_process_concurrency == pytest.approx(invocations * duration, rel=0.02)


@pytest.mark.parametrize("rate", [0.5, 20])
def test_messages_whose_batch_fills_wait_in_the_queue(rate: float) -> None:
    window = Settings(process_batch_size=100, process_batching_window_seconds=5)
    result = simulate(window, Load(rate, 120))
    arrivals = result.orders["accepted"] / result.seconds
    assert result.mean_messages == pytest.approx(arrivals * result.mean_freshness, rel=0.02)
    assert result.drain_seconds == pytest.approx(5, abs=1)


def test_a_backlog_drains_as_fast_as_the_pollers_work() -> None:
    known = Calibration(
        process_seconds_per_batch=1,
        process_cpu_seconds_per_batch=0,
        process_cpu_seconds_per_order=0,
        put_seconds=0,
        batch_call_seconds=0,
        cold_start_seconds=0,
    )
    result = simulate(Settings(), Load(100, 60), known)
    # 6,000 messages at 5 invocations of 10 messages a second.
    assert result.drain_seconds == pytest.approx(60, abs=2)
    assert result.peak_backlog == pytest.approx(3000, rel=0.05)


def test_a_throttled_minute_delays_and_loses_nothing() -> None:
    result = simulate(Settings(), Load(100, 120, throttled=[Span(30, 60)]))
    assert result.orders["stored"] == pytest.approx(12_000)
    assert result.peak_backlog == pytest.approx(6000, rel=0.05)
    # Each of five pollers holds a batch of ten for half of the timeout, and fails it.
    assert result.redelivered == pytest.approx(5 * 10 * math.floor(60 / 14.25), abs=50)
    assert result.freshness["p95"] > 30


def test_nothing_is_received_while_as_much_is_in_flight_as_may() -> None:
    window = Settings(
        process_batch_size=100,
        process_batching_window_seconds=1,
        process_maximum_concurrency=1000,
        account_concurrency_quota=10_000,
    )
    result = simulate(window, Load(5000, 150, ramp_seconds=60, throttled=[Span(0, 60)]))
    assert result.peak_backlog > aws.IN_FLIGHT_QUOTA
    assert result.orders["stored"] == pytest.approx(600_000)


@pytest.mark.parametrize("immediately", [True, False])
def test_permanent_failures_are_dead_lettered(immediately: bool) -> None:
    system = Settings(
        process_dead_letter_immediately=immediately,
        queue_max_receive_count=5,
        process_timeout_seconds=6,
    )
    result = simulate(system, Load(10, 30, permanent_failures=0.1))
    assert result.orders["dead_lettered"] == pytest.approx(30)
    assert result.orders["stored"] == pytest.approx(270)
    # Each is delivered five times, a visibility timeout apart.
    assert result.redelivered == pytest.approx(0 if immediately else 5 * 30)
    assert (result.seconds > 5 * 36) is not immediately


def test_a_hot_key_has_one_partition() -> None:
    system = Settings(process_maximum_concurrency=100, account_concurrency_quota=5000)
    even, hot = (simulate(system, Load(3000, 60, hot=share)) for share in (0, 0.5))
    assert even.throttled == 0
    assert hot.throttled > 0
    # 2,000 orders a second fill the partition with half of them.
    assert hot.drain_seconds == pytest.approx(30, abs=3)


def test_small_batches_while_pollers_are_free() -> None:
    sizes = []
    for rate in (10, 100, 1000, 2000):
        used = simulate(Settings(), Load(rate, 60)).usage
        sizes.append(used.messages / used.process_invocations)
    assert sizes[0] == pytest.approx(1)
    assert sizes == sorted(sizes)
    assert sizes[-1] > 5


def test_ingest_refuses_above_ten_requests_a_second_for_each_concurrency() -> None:
    system = Settings(account_concurrency_quota=100)
    result = simulate(system, Load(2000, 60, ramp_seconds=30))
    assert result.requests["refused"] == pytest.approx((2000 - 1000) * 30 + 1000 * 15 / 2, rel=0.02)


def test_a_hundred_thousand_requests_a_second() -> None:
    """Ten minutes of load in less than a minute; it takes seconds."""
    system = Settings(
        process_maximum_concurrency=1000,
        process_batch_size=100,
        process_batching_window_seconds=1,
        account_concurrency_quota=20_000,
        table_write_quota=200_000,
        table_peak_write_units=100_000,
    )
    started = time.process_time()
    result = simulate(system, Load(100_000, 600, ramp_seconds=300))
    assert time.process_time() - started < 60
    assert result.orders["stored"] == pytest.approx(45_000_000)
    assert result.requests["refused"] == 0
