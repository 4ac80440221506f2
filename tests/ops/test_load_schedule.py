"""When requests of a load are due, and what they consist of."""

import json
import math
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from async_ingest.errors import OpsError
from async_ingest.load import limits, schedule
from async_ingest.load.mix import MARK, Generator, Mark, Mix
from async_ingest.load.schedule import Schedule, Segment
from async_ingest.system import Key
from tests.support.properties import examples

RATES = st.just(0.0) | st.floats(0.5, 300)
SEGMENTS = st.lists(st.builds(Segment, st.floats(0.5, 10), RATES, RATES), min_size=1, max_size=4)


def expected_until(segments: list[Segment], time: float) -> float:
    """The integral of the rate, by its definition."""
    total = 0.0
    for one in segments:
        part = min(max(time, 0.0), one.seconds)
        rate_there = one.first + (one.last - one.first) * part / one.seconds
        total += part * (one.first + rate_there) / 2
        time -= one.seconds
    return total


@given(SEGMENTS)
@examples(100)
def test_even_arrivals_follow_the_rate_to_the_request(segments: list[Segment]) -> None:
    times = list(Schedule(segments).times())
    total = expected_until(segments, math.inf)

    assert len(times) == pytest.approx(total, abs=1)
    assert all(earlier <= later for earlier, later in pairwise(times))
    for number, time in enumerate(times):
        assert expected_until(segments, time) == pytest.approx(number, abs=1e-4)


@given(SEGMENTS, st.integers(0, 1000))
@examples(100)
def test_random_arrivals_have_the_rate_on_average(segments: list[Segment], seed: int) -> None:
    made = Schedule(segments, is_random=True, seed=seed)
    times = list(made.times())
    total = expected_until(segments, math.inf)

    assert times == list(made.times())
    assert all(earlier <= later for earlier, later in pairwise(times))
    assert all(0 <= time <= made.seconds for time in times)
    assert abs(len(times) - total) <= 6 * math.sqrt(total) + 6  # six standard deviations


def test_random_arrivals_are_as_irregular_as_a_poisson_process() -> None:
    counts = schedule.per_second(Schedule(schedule.constant(50, 400), True, 1).times())

    mean = sum(counts) / len(counts)
    variance = sum((one - mean) ** 2 for one in counts) / len(counts)
    assert variance / mean == pytest.approx(1, abs=0.25)


def test_a_ramp_begins_and_ends_at_its_rates() -> None:
    counts = schedule.per_second(Schedule(schedule.ramp(10, 110, 10)).times())

    assert counts == [15, 25, 35, 45, 55, 65, 75, 85, 95, 105]


def test_bursts_are_so_many_times_the_rate() -> None:
    made = Schedule(schedule.bursts(2, 12, factor=20, every=5, length=1))

    assert schedule.per_second(made.times()) == [2, 2, 2, 2, 40, 2, 2, 2, 2, 40, 2, 2]
    assert (made.seconds, made.peak) == (12, 40)


@pytest.mark.parametrize(
    "text",
    [
        "time,requests\n0,5\n2,0\n4,10\n",
        "requests,time\n5,1700000000\n0,1700000002\n10,1700000004\n",
        "time,requests\n2026-11-01T00:00:00Z,5\n2026-11-01T00:00:02Z,0\n2026-11-01T00:00:04Z,10\n",
        "﻿time,requests,extra\n0,5,x\n2,0,x\n4,10,x\n",
    ],
)
def test_a_recorded_series_is_replayed(tmp_path: Path, text: str) -> None:
    path = tmp_path / "series.csv"
    path.write_text(text)

    made = Schedule(schedule.recorded(path))

    assert schedule.per_second(made.times()) == [3, 2, 0, 0, 5, 5]
    assert len(list(Schedule(schedule.recorded(path, scale=10)).times())) == 150


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("time,count\n0,1\n", 1),
        ("time,requests\n0,1\n0,1\n", 3),
        ("time,requests\n0,1\n1,-1\n", 3),
        ("time,requests\n0,1\nx,1\n", 3),
        ("time,requests\n0,1\n1\n", 3),
        ("time,requests\n0,1\nnan,1\n", 3),
        ("time,requests\n0,1\n", 2),
    ],
    ids=["column", "time twice", "negative", "no time", "no number", "nan", "one row"],
)
def test_of_a_bad_series_the_line_is_named(tmp_path: Path, text: str, line: int) -> None:
    path = tmp_path / "series.csv"
    path.write_text(text)

    with pytest.raises(OpsError, match=f"line {line}: "):
        schedule.recorded(path)


MIX = Mix.of(
    {
        "known_share": 0.5,
        "known_keys": 30,
        "orders_per_request": {"1": 1, "25": 1},
        "bytes_per_order": {"0": 1, "500": 1},
        "tenants": {"a": 3, "b": 1},
        "tenant_attribute": "customer",
        "attributes": {"note": "load"},
    }
)


@given(st.integers(0, 10**6), st.integers(0, 10**6))
@examples(100)
def test_a_request_is_the_same_wherever_it_is_made(seed: int, request: int) -> None:
    maker = Generator(MIX, "run", seed)
    orders = maker.orders(request)

    assert orders == Generator(MIX, "run", seed).orders(request)
    assert len(orders) == maker.count(request)
    assert len({order["order_id"] for order in orders}) == len(orders)
    assert len({order["customer"] for order in orders}) == 1
    marks = [Mark.read(order[MARK]) for order in orders]
    assert marks == [Mark("run", request, place) for place in range(len(orders))]
    body = json.loads(maker.body(request))
    assert (body if isinstance(body, list) else [body]) == orders


def test_the_shares_are_those_of_the_file() -> None:
    maker = Generator(MIX, "run")
    orders = [order for request in range(400) for order in maker.orders(request)]
    sizes = [len(json.dumps(order, separators=(",", ":"))) for order in orders]

    def share(of: list[bool]) -> float:
        return sum(of) / len(of)

    assert share([maker.count(one) == 25 for one in range(400)]) == pytest.approx(0.5, abs=0.1)
    assert share(["known" in one["item"] for one in orders]) == pytest.approx(0.5, abs=0.05)
    assert share([size == 500 for size in sizes]) == pytest.approx(0.5, abs=0.05)
    requests = [maker.orders(one)[0]["customer"] == "a" for one in range(400)]
    assert share(requests) == pytest.approx(0.75, abs=0.1)
    assert all(order["note"] == "load" for order in orders)


def test_keys_and_versions_are_of_the_table_s_types() -> None:
    keys = (Key("id", "N"), Key("at", "S"))
    maker = Generator(MIX, "run", 0, keys, version=Key("changed", "S"), epoch=1_700_000_000_999_999)
    orders = [order for request in range(50) for order in maker.orders(request)]

    assert all(type(order["id"]) is int and len(str(order["id"])) < 38 for order in orders)
    versions = [order["changed"] for order in orders]
    assert versions == sorted(versions)
    assert versions[0] == "2023-11-14T22:13:20.999999Z"
    assert len(set(versions)) == 50


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"known_shares": 1}, "known_shares"),
        ({"known_share": 1.5}, "from 0 to 1"),
        ({"known_share": 1, "known_keys": 5, "orders_per_request": 6}, "known_keys"),
        ({"orders_per_request": 0}, "from 1"),
        ({"orders_per_request": {"1": 0}}, "above 0"),
        ({"tenants": {"a": -1}}, "above 0"),
    ],
    ids=str,
)
def test_a_mix_is_refused_with_the_reason(given: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Mix.of(given)


@pytest.mark.parametrize("suffix", ["toml", "json"])
def test_a_mix_is_read_from_a_file(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"mix.{suffix}"
    texts = {
        "toml": "known_share = 0.1\norders_per_request = { 1 = 9, 20 = 1 }\n",
        "json": '{"known_share": 0.1, "orders_per_request": {"1": 9, "20": 1}}',
    }
    path.write_text(texts[suffix])

    assert Mix.read(path).orders_per_request == {1: 9, 20: 1}


@pytest.mark.parametrize(
    ("url", "is_local"),
    [
        ("http://127.0.0.1:4566/x", True),
        ("https://[::1]/x", True),
        ("http://localhost/x", True),
        ("http://127.0.0.1.example.com/x", False),
        ("http://127.0.0.1@example.com/x", False),
        ("http://10.0.0.1/x", False),
        ("https://orders.example.com", False),
    ],
)
def test_only_loopback_is_local(url: str, is_local: bool) -> None:
    assert limits.is_local(url) == is_local
