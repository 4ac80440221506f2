"""Constants from samples that are made of known constants."""

from collections.abc import Iterator
from dataclasses import replace
from statistics import NormalDist

import pytest

from async_ingest.capacity.calibration import Calibration, Times
from async_ingest.capacity.load import Load
from async_ingest.capacity.settings import Settings
from tests.operate.capacity_check import invocations
from tests.operate.capacity_check.calibrate import (
    FED_TABLE_SECONDS,
    Backlog,
    Samples,
    calibration_of,
)
from tests.operate.capacity_check.cases import CASES
from tests.operate.capacity_check.invocations import Invocation
from tests.operate.capacity_check.system import Posts, Sent, recorded

KNOWN = replace(
    Calibration(),
    load_balancer_seconds=0,
    ingest_cpu_seconds=0,
    ingest_seconds=0.05,
    ingest_tail=3,
    ingest_requests_per_second=70,
    cold_start_seconds=0.6,
    poll_seconds=0.03,
    dispatch_seconds=0.02,
    process_cpu_seconds_per_batch=0,
    process_cpu_seconds_per_order=0,
    process_seconds_per_batch=0.04,
    process_seconds_per_order=0.003,
    put_seconds=0.015,
    batch_call_seconds=0.025,
    call_tail=1,
    process_tail=1,
)


def one_after_another(count: int, seconds: float, at_once: int = 1) -> Iterator[Invocation]:
    for number in range(count):
        yield Invocation(seconds * (number // at_once + 1), seconds, [1.0], is_cold=False)


def samples(known: Calibration) -> Samples:
    """What a stack with these constants would show."""
    times = Times(known, Settings(), Load(1))
    cold = known.cold_start_seconds + known.poll_seconds
    return Samples(
        posts=Posts(known.ingest_seconds, 0.04, known.ingest_tail * 0.04, 4),
        idle=[Invocation(n, 0.1, [0.1 + known.poll_seconds], is_cold=False) for n in range(2, 9)],
        cold=[Invocation(1, 0.5, [0.5 + late], is_cold=True) for late in (cold + 9, cold, cold)],
        requests_per_second=known.ingest_requests_per_second,
        calls={
            "PutItem": [known.put_seconds] * 5,
            "BatchExecuteStatement": [known.batch_call_seconds] * 5,
        },
        backlogs={
            size: Backlog(2, list(one_after_another(20, times.process(size), at_once=2)))
            for size in (1, 2, 10, 100)
        },
        fed=Backlog(
            2, list(one_after_another(20, times.process(1) + FED_TABLE_SECONDS, at_once=2))
        ),
        busiest=Backlog(10, list(one_after_another(50, known.dispatch_seconds))),
    )


def test_the_constants_are_found_again() -> None:
    found, known = vars(calibration_of(samples(KNOWN))), vars(KNOWN)
    assert found == pytest.approx(known)


def test_a_tail_is_that_of_the_calls() -> None:
    normal = NormalDist(0, 0.5)
    calls = [2.718**one for one in normal.quantiles(1000)]
    made = replace(samples(KNOWN), calls={"PutItem": [1.0], "BatchExecuteStatement": calls})
    assert calibration_of(made).call_tail == pytest.approx(2.718 ** normal.inv_cdf(0.99), rel=0.02)


def test_what_the_load_adds_does_not_vary() -> None:
    for case in CASES:
        made = case.calibration(replace(KNOWN, process_tail=4, call_tail=5))
        assert made.put_seconds == KNOWN.put_seconds + case.table_seconds
        is_slower = bool(case.table_seconds or case.seconds_per_message)
        assert (made.process_tail < 3) is is_slower


def test_invocations_are_read_from_the_log() -> None:
    line = (
        '{"_aws":{"Timestamp":5000,"CloudWatchMetrics":[]},"FunctionName":"f","Written":2,'
        '"Age":[250,1500],"duration_ms":125.5,"cold_start":1}'
    )
    other = '{"_aws":{"Timestamp":4000},"DeadLettered":1,"duration_ms":5,"cold_start":0}'
    found = invocations.read(["START", line, '{"level":"ERROR"}', other])
    assert found == [
        Invocation(4.0, 0.005, [], is_cold=False),
        Invocation(5.0, 0.1255, [0.25, 1.5], is_cold=True),
    ]


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [([], 0.95, 0), ([7.0], 0.95, 7), (range(1, 101), 0.95, 95), (range(100, 0, -1), 0.5, 50)],
)
def test_percentiles(values: list[float], share: float, expected: float) -> None:
    assert invocations.percentile(values, share) == expected


def test_freshness_is_that_of_all_orders() -> None:
    ages = [Invocation(1, 1, [0.1] * 94, is_cold=False), Invocation(2, 1, [9.0] * 6, is_cold=False)]
    assert Sent({}, ages).freshness_p95 == 9.0


@pytest.mark.parametrize(("measured", "expected"), [(17.2, 16.2), (0.3, 0), (None, None)])
def test_drain_counts_from_the_end_of_the_load(
    measured: float | None, expected: float | None
) -> None:
    sent = Sent({"drain_seconds": measured, "seconds": 49.0}, [])
    assert sent.drain_seconds(Load(1, 50)) == pytest.approx(expected)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_sent_is_what_is_predicted(case: object) -> None:
    assert case in CASES
    load = next(one for one in CASES if one is case).load
    _, *rows = recorded(load).split()
    sent = sum(float(row.split(",")[1]) for row in rows)
    assert sent == pytest.approx(load.requests * (1 - load.permanent_failures))
    assert len(rows) == load.seconds
    assert load.orders_per_request == 1


def test_the_loads_that_have_to_be_compared() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 8
    assert any(burst.rate == 20 * case.load.rate for case in CASES for burst in case.load.bursts)
    assert any(span.seconds == 60 for case in CASES for span in case.load.throttled)
    assert {case.settings.process_batch_size for case in CASES} >= {10, 100}
