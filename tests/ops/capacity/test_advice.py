"""Cost, advice, and what breaks first."""

import dataclasses
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from async_ingest.capacity import advice, cost
from async_ingest.capacity.advice import Adviser
from async_ingest.capacity.calibration import Calibration
from async_ingest.capacity.load import Load
from async_ingest.capacity.settings import Settings
from async_ingest.capacity.simulator import simulate

ROOT = Path(__file__).parents[3]
PRICES = cost.read_prices()


def monthly(load: Load, system: Settings | None = None) -> dict[str, float]:
    system = system or Settings()
    return cost.monthly(system, load, simulate(system, load), PRICES)


def adviser(load: Load, known: Calibration | None = None) -> Adviser:
    return Adviser(load, known or Calibration(), PRICES)


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


def test_what_exists_already_costs_nothing_by_the_hour() -> None:
    load = Load(100, 60)
    own, shared = monthly(load), monthly(load, Settings(endpoint_zones=0, load_balancers=0))
    assert own["load balancer"] - shared["load balancer"] == pytest.approx(cost.HOURS * 0.0225)
    assert shared["load balancer"] > 0  # its capacity units
    assert shared["endpoint"] == shared["NAT gateway"] == own["NAT gateway"] == 0


def test_calls_pass_the_nat_gateway_where_there_is_no_endpoint() -> None:
    load, hours = Load(100, 60), cost.HOURS * 0.045
    beside = monthly(load, Settings(nat_gateways=2))
    instead = monthly(load, Settings(nat_gateways=1, endpoint_zones=0))
    assert beside["NAT gateway"] == pytest.approx(2 * hours)
    sent_gb = 100 * 3600 * cost.HOURS * 2000 / 1e9
    assert instead["NAT gateway"] == pytest.approx(hours + sent_gb * 0.045, rel=0.01)


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


def test_a_change_against_one_limit_leaves_another_that_is_worse() -> None:
    here = Adviser(Load(8000, 30, ramp_seconds=10), Calibration(), PRICES, target=5)
    system = Settings(account_concurrency_quota=500, table_peak_write_units=10_000)
    now = here.outcome(system)
    assert now.breaks == "ingest"
    assert "process" in now.problems
    any_limit, one_limit = (here.next_change(system, now, against=one) for one in ("", "process"))
    assert any_limit
    assert [*any_limit.values] == ["account_concurrency_quota"]
    assert one_limit
    assert [*one_limit.values] != ["account_concurrency_quota"]
    assert one_limit.after.problem("process") == 0


POLLED = Settings(
    process_batch_size=100,
    process_batching_window_seconds=1,
    process_provisioned_pollers={"minimum": 2, "maximum": 2},
    account_concurrency_quota=20_000,
    table_peak_write_units=40_000,
)


def test_too_few_provisioned_pollers_become_more() -> None:
    here = adviser(Load(30_000, 120, ramp_seconds=60))
    now = here.outcome(POLLED)
    change = here.next_change(POLLED, now)
    assert change
    assert [*change.values] == ["process_provisioned_pollers"]
    assert now.breaks == "process"
    assert not change.after.problems


def test_pollers_are_provisioned_where_standard_ones_reach_their_limit() -> None:
    slow = Calibration(process_seconds_per_order=0.15)
    system = Settings(
        process_maximum_concurrency=1000,
        process_reserved_concurrency=1000,
        account_concurrency_quota=20_000,
        table_peak_write_units=40_000,
    )
    here = adviser(Load(10_000, 300, ramp_seconds=200), slow)
    now = here.outcome(system)
    change = here.next_change(system, now)
    assert change
    values = dict(change.values)
    pollers = values.pop("process_provisioned_pollers")
    # The module refuses the one with the other, and a reservation that is less than may start.
    assert values == {
        "process_maximum_concurrency": None,
        "process_reserved_concurrency": 10 * pollers["maximum"],
    }
    assert change.after.score < now.score


@pytest.mark.parametrize(
    ("pollers", "quota"),
    [(None, 1000), ((2, 2), 20_000), ((2, 1500), 50_000), ((200, 2000), 50_000), ((5, 50), 100)],
)
def test_proposed_pollers_are_within_the_modules_limits(
    pollers: tuple[int, int] | None, quota: int
) -> None:
    [limits] = re.findall(
        r"pollers.minimum >= (\d+) .*pollers.minimum <= (\d+) .*pollers.maximum <= (\d+)",
        (ROOT / "variables.tf").read_text(),
    )
    least, most_least, most = map(int, limits)
    here = pollers and {"minimum": pollers[0], "maximum": pollers[1]}
    system = dataclasses.replace(
        POLLED, process_provisioned_pollers=here, account_concurrency_quota=quota
    )
    never_in_time = Adviser(Load(300_000, 10), Calibration(), PRICES, target=1e-6)
    now = never_in_time.outcome(system)
    proposed = [
        one["process_provisioned_pollers"]
        for one in advice.candidates(system, now)
        if "process_provisioned_pollers" in one
    ]
    assert proposed or quota == 100  # which 50 pollers exceed already
    fewest, most_now = pollers or (least, least)
    for one in proposed:
        assert fewest <= one["minimum"] <= min(most_least, one["maximum"])
        assert most_now <= one["maximum"] <= min(most, quota // 10)


def test_a_change_is_said_as_terraform_writes_it() -> None:
    values = {"process_provisioned_pollers": {"minimum": 2, "maximum": 9}, "x": None, "y": True}
    assert advice.in_terraform(values) == [
        "process_provisioned_pollers = { minimum = 2, maximum = 9 }",
        "x = null",
        "y = true",
    ]


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
