"""Cost, advice, and what breaks first."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from async_ingest.capacity import cost
from async_ingest.capacity.advice import Adviser
from async_ingest.capacity.calibration import Calibration
from async_ingest.capacity.load import Load
from async_ingest.capacity.settings import Settings
from async_ingest.capacity.simulator import simulate

PRICES = cost.read_prices()


def monthly(load: Load, system: Settings | None = None) -> dict[str, float]:
    system = system or Settings()
    return cost.monthly(system, load, simulate(system, load), PRICES)


def adviser(load: Load) -> Adviser:
    return Adviser(load, Calibration(), PRICES)


@settings(deadline=None, max_examples=25)
@given(
    st.floats(1, 3000),
    st.floats(1, 2),
    st.sampled_from(["rate", "orders_per_request", "order_bytes"]),
)
def test_more_never_costs_less(rate: float, factor: float, grows: str) -> None:
    load = Load(rate, 30)
    value = getattr(load, grows) * factor
    more = dataclasses.replace(load, **{grows: value if grows == "rate" else round(value)})
    assert sum(monthly(more).values()) >= sum(monthly(load).values()) * (1 - 1e-6)


def test_tiers_are_paid_one_after_the_other() -> None:
    assert PRICES.of("log_gb", 10) == pytest.approx(5)
    assert PRICES.of("log_gb", 20_000) == pytest.approx(10_000 * 0.5 + 10_000 * 0.25)


def test_a_month_by_component() -> None:
    month = 3600 * cost.HOURS
    found = monthly(Load(100, 60))
    assert found["table writes"] == pytest.approx(100 * month * 0.625e-6, rel=0.01)
    # A send, a receive and a delete of each, and the receives of idle pollers.
    assert found["queue"] == pytest.approx((300 * month + 5 * month / 20) * 0.4e-6, rel=0.02)
    assert found["endpoint"] == pytest.approx(
        2 * cost.HOURS * 0.01 + 100 * month * 2000 / 1e9 * 0.01, rel=0.01
    )
    without = monthly(Load(100, 60), Settings(tracing_enabled=False, observability_enabled=False))
    assert (without["traces"], without["alarms"]) == (0, 0)
    pollers = Settings(process_provisioned_pollers={"minimum": 3, "maximum": 9})
    assert monthly(Load(1, 60), pollers)["pollers"] == pytest.approx(
        3 * cost.HOURS * 0.00925, rel=0.01
    )


def test_a_backlog_that_is_left_is_paid_as_well() -> None:
    load, system = Load(5000, 30), Settings()
    whole = cost.monthly(system, load, simulate(system, load), PRICES)
    part = cost.monthly(system, load, simulate(system, load, drain_seconds=0), PRICES)
    assert part["table writes"] == pytest.approx(whole["table writes"], rel=0.01)


@pytest.mark.parametrize(
    ("load", "system", "breaks", "advised"),
    [
        (Load(3000, 300, ramp_seconds=60), Settings(), "process", "process_batch_size"),
        (
            Load(20_000, 300, ramp_seconds=100),
            Settings(
                process_batch_size=100,
                process_batching_window_seconds=1,
                process_memory_size=1769,
                account_concurrency_quota=4000,
                table_peak_write_units=20_000,
            ),
            "process",
            "process_maximum_concurrency",
        ),
        (
            Load(2000, 60),
            Settings(account_concurrency_quota=100),
            "ingest",
            "account_concurrency_quota",
        ),
        (
            Load(8000, 300, ramp_seconds=60),
            Settings(process_maximum_concurrency=100),
            "table",
            "table_peak_write_units",
        ),
        (Load(100, 60), Settings(), "", "process_batch_size"),
        (
            Load(1, 60),
            Settings(process_batch_size=100, process_batching_window_seconds=1),
            "",
            None,
        ),
    ],
    ids=[
        "process",
        "larger batches no longer suffice",
        "ingest",
        "table",
        "saves money",
        "nothing",
    ],
)
def test_one_change(load: Load, system: Settings, breaks: str, advised: str | None) -> None:
    here = adviser(load)
    now = here.outcome(system)
    assert now.breaks == breaks
    change = here.next_change(system, now)
    if advised is None:
        assert change is None
        return
    assert change
    assert next(iter(change.values)) == advised
    # What it says is what the changed system does.
    assert here.outcome(system.with_values(change.values)).described() == change.after.described()
    assert change.after.score < now.score


def test_following_the_advice_ends_without_a_problem() -> None:
    here = adviser(Load(8000, 300, ramp_seconds=60))
    system, changes = here.plan(Settings())
    assert len(changes) >= 2
    assert not here.outcome(system).problems


def test_the_breaking_point_is_between_what_works_and_what_does_not() -> None:
    here = adviser(Load(100))
    rate, breaks = here.breaking_point(Settings())
    assert breaks == "process"
    for share, is_broken in ((0.9, False), (1.1, True)):
        load = Load(share * rate, 300, ramp_seconds=100)
        assert bool(here.outcome(Settings(), load).breaks) is is_broken
