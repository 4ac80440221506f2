"""Invocations of process, from the lines that it logs."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Invocation:
    """One invocation.

    Attributes:
        ended: In seconds of the epoch.
        seconds: That it took.
        ages: Seconds from acceptance to the row, of each order that it has written.
        is_cold: Whether it was the first of its environment.
    """

    ended: float
    seconds: float
    ages: Sequence[float]
    is_cold: bool

    @property
    def began(self) -> float:
        return self.ended - self.seconds


def read(lines: Iterable[str]) -> list[Invocation]:
    """Returns the invocations of a log's lines; other lines are ignored."""
    found = []
    for text in lines:
        if not text.startswith('{"_aws"'):
            continue
        line = json.loads(text)
        found.append(
            Invocation(
                line["_aws"]["Timestamp"] / 1000,
                line["duration_ms"] / 1000,
                [age / 1000 for age in line.get("Age", ())],
                bool(line["cold_start"]),
            )
        )
    return sorted(found, key=lambda one: one.ended)


def percentile(values: Iterable[float], share: float) -> float:
    """Returns the smallest value that this share does not exceed; 0 if there is none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0
