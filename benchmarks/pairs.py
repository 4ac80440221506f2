"""Paired samples: A B, B A, A B …, so that any disturbance affects both sides alike."""

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

Sample: TypeAlias = Mapping[str, float]


@dataclass(frozen=True)
class Figure:
    """The samples of both sides, of which the nth of each form a pair."""

    key: str  # in bench.json
    title: str
    unit: str
    ours: list[float]
    tutorial: list[float]
    is_ratio: bool = True  # otherwise, the figure is ours alone
    more_is_better: bool = False
    sides: Sequence[str] = ("ours", "tutorial")  # what they are called in the table

    @property
    def ratios(self) -> list[float]:
        return [ours / tutorial for ours, tutorial in zip(self.ours, self.tutorial, strict=True)]

    @property
    def value(self) -> float:
        return statistics.median(self.ratios if self.is_ratio else self.ours)


class Pairs(NamedTuple):
    ours: list[Sample]
    tutorial: list[Sample]

    def figure(self, measure: str, key: str, title: str, unit: str, **options: Any) -> Figure:
        ours, tutorial = ([sample[measure] for sample in side] for side in self)
        return Figure(key, title, unit, ours, tutorial, **options)


def alternate(
    rounds: int,
    samplers: Sequence[Callable[[], Sample]],  # ours, then the tutorial's
    step: Callable[[], object],
    prepare: Callable[[], object] = lambda: None,
) -> Pairs:
    """Takes ``rounds`` pairs of samples, after one that warms up and does not count."""
    pairs = Pairs([], [])
    sides = list(zip(pairs, samplers, strict=True))
    for number in range(-1, rounds):
        prepare()
        for taken, sample in sides if number % 2 else reversed(sides):
            taken.append(sample())
        step()
    return Pairs(*[taken[1:] for taken in pairs])


def timed(work: Callable[[], object], units: int) -> dict[str, float]:
    """CPU time of this process and wall time of ``work``, in milliseconds for each of ``units``."""
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {"cpu": cpu * 1000 / units, "wall": wall * 1000 / units}
