"""CloudWatch's clock, which tests move."""

from __future__ import annotations

import time
from bisect import bisect_right


class Clock:
    """The time of this machine, and what it has been moved by, which is never back."""

    def __init__(self) -> None:
        self._moved: list[tuple[float, float]] = [(0.0, 0.0)]  # from when on, by how much in all

    def now(self) -> float:
        return time.time() + self._moved[-1][1]

    def of(self, at: float) -> float:
        """Returns what this clock showed at a time of the machine's clock."""
        return at + self._moved[bisect_right(self._moved, (at, float("inf"))) - 1][1]

    def move_to(self, at: float) -> None:
        """Moves it forward to a time; the past is left alone."""
        ahead = at - self.now()
        if ahead > 0:
            self._moved.append((time.time(), self._moved[-1][1] + ahead))
            del self._moved[1:-10_000]

    def reset(self) -> None:
        del self._moved[1:]
