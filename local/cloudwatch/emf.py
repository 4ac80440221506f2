"""Metrics in log lines: "Specification: Embedded metric format", Amazon CloudWatch User Guide."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeGuard

from local.cloudwatch.series import Metric

MAX_DIMENSIONS = 30
MAX_VALUES = 100
MAX_METRICS = 100


@dataclass(frozen=True)
class Datum:
    """Values of a metric, at a time in seconds of the epoch, or None."""

    metric: Metric
    values: tuple[float, ...]
    unit: str
    at: float | None


def metrics_in(line: str) -> Iterator[Datum]:
    """Yields the metrics of a line; none of a line that is not in the format."""
    if '"_aws"' not in line:
        return
    try:
        document = json.loads(line)
    except ValueError:
        return
    about = document.get("_aws") if isinstance(document, dict) else None
    if not isinstance(about, dict):
        return
    timestamp = about.get("Timestamp")
    at = timestamp / 1000 if isinstance(timestamp, int | float) else None
    for directive in about.get("CloudWatchMetrics") or []:
        yield from _of_directive(directive, document, at)


def _of_directive(
    directive: dict[str, Any], document: dict[str, Any], at: float | None
) -> Iterator[Datum]:
    sets = [
        {name: str(document[name]) for name in names}
        for names in directive.get("Dimensions") or [[]]
        if len(names) <= MAX_DIMENSIONS and all(name in document for name in names)
    ]
    for definition in directive.get("Metrics", [])[:MAX_METRICS]:
        target = document.get(definition["Name"])
        values = target if isinstance(target, list) else [target]
        numbers = tuple(float(one) for one in values if _is_number(one))
        if not numbers or len(numbers) != len(values) or len(numbers) > MAX_VALUES:
            continue
        for dimensions in sets:
            metric = Metric.of(directive["Namespace"], definition["Name"], dimensions)
            yield Datum(metric, numbers, definition.get("Unit", "None"), at)


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
