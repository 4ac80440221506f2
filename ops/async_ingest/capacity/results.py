"""What a simulation counts, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

_POINTS = 300


@dataclass
class Usage:
    """What is paid for by use, in the whole run."""

    requests: float = 0
    ingest_seconds: float = 0
    ingest_cold_starts: float = 0
    messages: float = 0
    process_invocations: float = 0
    process_seconds: float = 0
    receives: float = 0
    deletes: float = 0
    write_units: float = 0
    poller_seconds: float = 0


@dataclass(frozen=True)
class Result:
    """The answers of a simulation. Seconds, unless said otherwise; percentiles by their name.

    `drain_seconds` is from the end of the load until nothing waits; None if that is not reached.
    Of `orders`: accepted = stored + superseded + dead_lettered + expired + in_queue.
    """

    seconds: float
    load_seconds: float
    requests: Mapping[str, float]
    orders: Mapping[str, float]
    post: Mapping[str, float]
    freshness: Mapping[str, float]
    ingest_concurrency: float
    process_concurrency: float
    mean_process_concurrency: float
    mean_messages: float
    mean_freshness: float
    peak_backlog: float
    drain_seconds: float | None
    throttled: float
    redelivered: float
    cold_starts: float
    partitions: int
    usage: Usage
    series: Mapping[str, list[float]]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass
class Series:
    """Figures over time, for plots; thinned to a few hundred points, in which peaks stay."""

    _rows: dict[str, list[float]] = field(default_factory=dict)

    def add(self, **row: float) -> None:
        for name, value in row.items():
            self._rows.setdefault(name, []).append(value)

    def thinned(self) -> dict[str, list[float]]:
        count = len(next(iter(self._rows.values()), []))
        step = max(1, count // _POINTS)
        return {
            name: [
                round(values[index] if name == "seconds" else max(values[index : index + step]), 3)
                for index in range(0, count, step)
            ]
            for name, values in self._rows.items()
        }
