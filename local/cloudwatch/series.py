"""Metrics, a minute at a time: "CloudWatch concepts" in the Amazon CloudWatch User Guide."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

MINUTE = 60
KEPT_SECONDS = 8 * 24 * 3600.0  # an alarm looks at 7 days at most

Dimensions = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Metric:
    """A metric is one exact set of dimensions: each set is a metric of its own."""

    namespace: str
    name: str
    dimensions: Dimensions = ()

    @classmethod
    def of(cls, namespace: str, name: str, dimensions: Mapping[str, str]) -> Metric:
        return cls(namespace, name, tuple(sorted(dimensions.items())))


@dataclass
class Statistics:
    """Statistics of a metric in some time.

    Sum, minimum and maximum are exact. For percentiles, values are kept to three significant
    digits, so that there are not many however often a function is called.
    """

    count: float = 0.0
    total: float = 0.0
    low: float = math.inf
    high: float = -math.inf
    values: dict[float, float] = field(default_factory=dict)

    def add(self, value: float, weight: float = 1.0) -> None:
        self.count += weight
        self.total += value * weight
        self.low, self.high = min(self.low, value), max(self.high, value)
        rounded = float(f"{value:.3g}")
        self.values[rounded] = self.values.get(rounded, 0.0) + weight

    def add_set(self, count: float, total: float, low: float, high: float) -> None:
        """Adds a statistic set: it has no percentiles, unless all its values are the same."""
        self.count += count
        self.total += total
        self.low, self.high = min(self.low, low), max(self.high, high)
        if low == high:
            self.values[low] = self.values.get(low, 0.0) + count

    def merge(self, other: Statistics, *, with_values: bool = True) -> None:
        self.count += other.count
        self.total += other.total
        self.low, self.high = min(self.low, other.low), max(self.high, other.high)
        for value, weight in other.values.items() if with_values else ():
            self.values[value] = self.values.get(value, 0.0) + weight

    def get(self, name: str) -> float | None:
        """Returns a statistic, as GetMetricData names it, or None if there is none.

        Raises:
            ValueError: There is no such statistic.
        """
        if not self.count:
            return None
        match name:
            case "SampleCount":
                return self.count
            case "Sum":
                return self.total
            case "Average":
                return self.total / self.count
            case "Minimum":
                return self.low
            case "Maximum":
                return self.high
        if name[:1] == "p":
            return self._percentile(float(name[1:]))
        raise ValueError(f"unknown statistic {name}")

    def _percentile(self, percent: float) -> float | None:
        """Interpolates between the two nearest ranks."""
        known = sum(self.values.values())
        if known != self.count or self.low < 0:
            return None
        rank = percent / 100 * (known - 1) if known > 1 else 0.0
        below = self._at(math.floor(rank))
        return below + (rank - math.floor(rank)) * (self._at(math.ceil(rank)) - below)

    def _at(self, rank: float) -> float:
        seen = 0.0
        for value, weight in sorted(self.values.items()):
            seen += weight
            if rank < seen:
                return value
        return self.high


class Store:
    """All metrics of an account in a region. Its methods may be called by several threads.

    It holds at most `KEPT_SECONDS` of the newest minutes of each metric.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._minutes: dict[Metric, dict[str, dict[int, Statistics]]] = {}  # by unit

    def add(
        self, metric: Metric, value: float, at: float, unit: str = "None", weight: float = 1.0
    ) -> None:
        """Adds a value, `weight` times, at a time in seconds of the epoch."""
        with self._lock:
            self._at(metric, at, unit).add(value, weight)

    def add_set(
        self, metric: Metric, at: float, unit: str, values: tuple[float, float, float, float]
    ) -> None:
        """Adds a sample count, a sum, a minimum and a maximum."""
        with self._lock:
            self._at(metric, at, unit).add_set(*values)

    def statistics(
        self,
        metric: Metric,
        start: float,
        end: float,
        unit: str | None = None,
        *,
        percentiles: bool = True,
    ) -> Statistics:
        """Returns the statistics of the minutes from `start` to before `end`."""
        found = Statistics()
        with self._lock:
            for one, minutes in self._minutes.get(metric, {}).items():
                if unit in (None, one):
                    first = math.ceil(start / MINUTE) * MINUTE
                    times = range(first, math.ceil(end), MINUTE)
                    for at in times if len(times) < len(minutes) else list(minutes):
                        if start <= at < end and at in minutes:
                            found.merge(minutes[at], with_values=percentiles)
        return found

    def units(self, metric: Metric) -> list[str]:
        with self._lock:
            return sorted(self._minutes.get(metric, {}))

    def metrics(self) -> list[Metric]:
        with self._lock:
            return list(self._minutes)

    def clear(self) -> None:
        with self._lock:
            self._minutes.clear()

    def _at(self, metric: Metric, at: float, unit: str) -> Statistics:
        minutes = self._minutes.setdefault(metric, {}).setdefault(unit, {})
        minute = math.floor(at / MINUTE) * MINUTE
        found = minutes.get(minute)
        if found is None:
            while minutes and (oldest := next(iter(minutes))) < minute - KEPT_SECONDS:
                del minutes[oldest]
            found = minutes[minute] = Statistics()
        return found
