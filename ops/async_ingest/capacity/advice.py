"""Which one setting to change next, found by simulating the candidates; and what breaks first."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from async_ingest.capacity import aws, cost
from async_ingest.capacity.calibration import Calibration
from async_ingest.capacity.cost import Prices
from async_ingest.capacity.load import Load
from async_ingest.capacity.results import Result
from async_ingest.capacity.settings import Settings
from async_ingest.capacity.simulator import simulate

# One request in a thousand refused is as bad as a freshness at its target.
_ACCEPTED_LOSS = 0.001
# A change is worth its trouble if it saves this share of the cost.
_WORTH = 0.02
_FOLLOWED_SECONDS = 1800
# Where to look for the rate that breaks the system, in steps of this factor, then this precise.
_FACTOR, _PRECISION = 2.0, 1.05
_BREAKING_SECONDS = 300
_MOST = 1_000_000
# Values that are tried.
_FACTORS = (2, 4, 16)
_MEMORY = (512, 1024, aws.MEMORY_OF_A_CORE)
_BATCHES = ((10, 0), (100, 1))
# Of an event source mapping, as in variables.tf, which has them from "Configuring scaling behavior
# for SQS event source mappings": concurrency, and the fewest and most provisioned pollers.
MAXIMUM_CONCURRENCY = 1000
LEAST_POLLERS, MOST_LEAST_POLLERS, MOST_POLLERS = 2, 200, 2000
# Pollers are proposed with room, because a backlog has to drain as well.
_ROOM = 1.5


@dataclass(frozen=True)
class Outcome:
    """A simulation with its cost, measured by what it should reach."""

    result: Result
    cost: Mapping[str, float]
    target: float

    @property
    def total(self) -> float:
        return sum(self.cost.values())

    @property
    def problems(self) -> dict[str, float]:
        """How bad it is by what is the limit, in multiples of what one accepts; empty is good."""
        result = self.result
        refused = result.requests["refused"] / max(1e-9, sum(result.requests.values()))
        accepted = max(1e-9, result.orders["accepted"])
        late = result.freshness["p95"] / self.target
        if result.drain_seconds is None:
            # All that waits is late, whatever the orders took that made it.
            late = max(late, 2.0) + result.orders["in_queue"] / accepted
        late += result.orders["expired"] / accepted / _ACCEPTED_LOSS
        slow = "table" if result.throttled else "process"
        found = {"ingest": refused / _ACCEPTED_LOSS, slow: late if late > 1 else 0.0}
        return {name: round(value, 2) for name, value in found.items() if value > 0.1}

    @property
    def score(self) -> tuple[float, float]:
        """The lower, the better: how bad it is, then what it costs."""
        return sum(self.problems.values()), self.total

    def problem(self, what: str) -> float:
        """How bad it is by one limit; orders that the table delays are late like any other."""
        names = {"ingest"} if what == "ingest" else {"process", "table"}
        return sum(value for name, value in self.problems.items() if name in names)

    @property
    def breaks(self) -> str:
        """What is the worst limit, if there is a problem."""
        problems = self.problems
        return max(problems, key=lambda name: problems[name], default="")

    def described(self) -> str:
        result = self.result
        drained = result.drain_seconds
        return (
            f"{result.requests['refused']:,.0f} refused, "
            f"freshness p95 {in_words(result.freshness['p95'])}, "
            f"drained {'not in time' if drained is None else f'after {in_words(drained)}'}, "
            f"{self.total:,.0f} USD a month"
        )


@dataclass(frozen=True)
class Advice:
    """A change of one setting, and what it gives; `values` has its companion, if it needs one."""

    values: Mapping[str, Any]
    before: Outcome
    after: Outcome

    def as_json(self) -> dict[str, Any]:
        return {
            "set": dict(self.values),
            "before": self.before.described(),
            "after": self.after.described(),
        }


class Adviser:
    """Simulates a load with other settings."""

    def __init__(
        self, load: Load, calibration: Calibration, prices: Prices, target: float = 60
    ) -> None:
        """Initializes an adviser.

        Args:
            load: To be carried.
            calibration: How long the pieces take.
            prices: Of the region.
            target: Seconds within which 95 % of the orders should be in the table.
        """
        self._load, self._calibration = load, calibration
        self._prices, self._target = prices, target

    def outcome(self, settings: Settings, load: Load | None = None) -> Outcome:
        load = load or self._load
        result = simulate(settings, load, self._calibration, drain_seconds=_FOLLOWED_SECONDS)
        return Outcome(result, cost.monthly(settings, load, result, self._prices), self._target)

    def next_change(self, settings: Settings, now: Outcome, against: str = "") -> Advice | None:
        """Returns the one change that helps most; None if none is worth it.

        Args:
            settings: As they are.
            now: What they lead to.
            against: The one limit that counts first, if there are several; by default, all do.
        """

        def score(outcome: Outcome) -> tuple[float, ...]:
            return (outcome.problem(against) if against else 0.0, *outcome.score)

        different = {
            json.dumps(values, sort_keys=True): values
            for values in candidates(settings, now)
            if settings.with_values(values) != settings
        }
        tried = [
            Advice(values, now, self.outcome(settings.with_values(values)))
            for values in different.values()
        ]
        best = min(tried, key=lambda one: score(one.after), default=None)
        if best is None:
            return None
        if now.problems:
            return best if score(best.after)[:-1] < score(now)[:-1] else None
        return best if best.after.total < (1 - _WORTH) * now.total else None

    def plan(self, settings: Settings, most: int = 12) -> tuple[Settings, list[Advice]]:
        """Follows the advice while there is a problem; returns where it leads, and the changes."""
        changes: list[Advice] = []
        now = self.outcome(settings)
        while now.problems and len(changes) < most:
            change = self.next_change(settings, now)
            if change is None:
                break
            changes.append(change)
            settings, now = settings.with_values(change.values), change.after
        return settings, changes

    def breaking_point(self, settings: Settings) -> tuple[float, str]:
        """Returns the steady rate at which the settings first have a problem, and what breaks."""

        def tried(rate: float) -> str:
            load = replace(
                self._load,
                rate=rate,
                seconds=_BREAKING_SECONDS,
                ramp_seconds=_BREAKING_SECONDS / 3,
                bursts=(),
                throttled=(),
            )
            return self.outcome(settings, load).breaks

        low, high = 0.0, max(1.0, self._load.rate)
        while not (breaks := tried(high)) and high < _MOST:
            low, high = high, high * _FACTOR
        while breaks and high > _PRECISION * low and high > 1:
            middle = math.sqrt(low * high) if low else high / _FACTOR
            found = tried(middle)
            low, high, breaks = (low, middle, found) if found else (middle, high, breaks)
        return high, breaks


def candidates(settings: Settings, now: Outcome) -> Iterator[dict[str, Any]]:
    """Yields changes of one setting that may help against what breaks, or save money."""
    if "ingest" in now.problems:
        yield from _for_ingest(settings, now)
    if "table" in now.problems:
        yield from _for_table(settings)
    if now.problems.keys() & {"process", "table"}:
        yield from _for_process(settings, now)
    for memory in _MEMORY:
        if memory != settings.process_memory_size:
            yield {"process_memory_size": memory}
        if memory != settings.ingest_memory_size:
            yield {"ingest_memory_size": memory}
    for size, least_window in _BATCHES:
        if size != settings.process_batch_size:
            window = max(settings.process_batching_window_seconds, least_window)
            yield {"process_batch_size": size, "process_batching_window_seconds": window}


def _for_ingest(settings: Settings, now: Outcome) -> Iterator[dict[str, Any]]:
    for factor in _FACTORS:
        yield {"account_concurrency_quota": settings.account_concurrency_quota * factor}
        if settings.ingest_reserved_concurrency:
            yield {"ingest_reserved_concurrency": settings.ingest_reserved_concurrency * factor}
    peak = math.ceil(now.result.ingest_concurrency)
    if peak > (settings.ingest_provisioned_concurrency or 0):
        yield {"ingest_provisioned_concurrency": peak}


def _for_table(settings: Settings) -> Iterator[dict[str, Any]]:
    for factor in _FACTORS:
        peak = settings.table_peak_write_units * factor
        quota = max(settings.table_write_quota, aws.GROWTH * peak)
        yield {"table_peak_write_units": peak, "table_write_quota": quota}


def _for_process(settings: Settings, now: Outcome) -> Iterator[dict[str, Any]]:
    for factor in _FACTORS:
        yield {"account_concurrency_quota": settings.account_concurrency_quota * factor}
    if not settings.process_provisioned_pollers:
        wanted = (settings.maximum_concurrency * factor for factor in _FACTORS)
        for concurrency in sorted({min(MAXIMUM_CONCURRENCY, one) for one in wanted}):
            if concurrency <= settings.account_concurrency_quota:
                room = _room_for(concurrency, settings)
                yield {"process_maximum_concurrency": concurrency, **room}
    for pollers in _pollers(settings, now):
        change: dict[str, Any] = {"process_provisioned_pollers": pollers}
        if settings.process_maximum_concurrency:
            change["process_maximum_concurrency"] = None
        yield change | _room_for(aws.INVOKES_PER_POLLER * pollers["maximum"], settings)


def _pollers(settings: Settings, now: Outcome) -> Iterator[dict[str, int]]:
    """Yields more provisioned pollers: in all, or from the start."""
    here = settings.process_provisioned_pollers or {"minimum": LEAST_POLLERS, "maximum": 0}
    has = here["maximum"] or math.ceil(settings.maximum_concurrency / aws.INVOKES_PER_POLLER)
    more = [has * factor for factor in _FACTORS]
    # Each receives only so many messages a second, however many invocations it may start.
    each = aws.POLLS_PER_SECOND * aws.MESSAGES_PER_CALL
    needed = math.ceil(_ROOM * max(now.result.series["arrived_per_second"]) / each)
    affordable = settings.account_concurrency_quota // aws.INVOKES_PER_POLLER
    top = min(MOST_POLLERS, affordable)

    def within_limits(minimum: int, maximum: int) -> tuple[int, int]:
        maximum = max(LEAST_POLLERS, min(top, maximum))
        return min(MOST_LEAST_POLLERS, minimum, maximum), maximum

    in_all = {within_limits(here["minimum"], wanted) for wanted in (needed, *more)}
    at_once = {within_limits(wanted, wanted) for wanted in (has, needed)}
    for minimum, maximum in sorted(in_all | at_once):
        if minimum >= here["minimum"] and maximum >= here["maximum"]:
            yield {"minimum": minimum, "maximum": maximum}


def _room_for(concurrency: int, settings: Settings) -> dict[str, int]:
    """Returns what goes with it: the module refuses a reservation below what pollers may start."""
    reserved = settings.process_reserved_concurrency
    if reserved is None or reserved >= concurrency:
        return {}
    return {"process_reserved_concurrency": concurrency}


def in_terraform(values: Mapping[str, Any]) -> list[str]:
    """Returns assignments of settings, as one writes them in Terraform."""

    def written(value: Any) -> str:
        if not isinstance(value, Mapping):
            return json.dumps(value)
        inner = ", ".join(f"{name} = {written(one)}" for name, one in value.items())
        return f"{{ {inner} }}"

    return [f"{name} = {written(value)}" for name, value in values.items()]


def in_words(value: float) -> str:
    """Returns seconds as a person says them."""
    if value < 1:
        return f"{value * 1000:.0f} ms"
    if value < 100:
        return f"{value:.1f} s"
    return f"{value / 60:.0f} min" if value < 2 * 3600 else f"{value / 3600:.1f} h"
