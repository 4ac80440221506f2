"""Percentiles of latencies: waits that the simulator computes, and services that vary."""

from __future__ import annotations

import math
from collections import Counter
from functools import cache
from statistics import NormalDist

_NORMAL = NormalDist()
_P99 = _NORMAL.inv_cdf(0.99)
_BINS_PER_FACTOR = 50  # 1/50 of a natural logarithm: values are kept within 1 %
_SMALLEST = 1e-4


@cache
def slowest_of(number: int, tail: float) -> float:
    """Returns the mean of the slowest of so many services, divided by the mean of them all.

    Args:
        number: Of services at the same time.
        tail: The 99th percentile of a service divided by its median.
    """
    sigma = _deviation(tail)
    # An integral over the density of the greatest of `number` normal values.
    steps = [step / 50 for step in range(-300, 400)]
    return (
        sum(
            math.exp(sigma * z - sigma**2 / 2)
            * number
            * _NORMAL.pdf(z)
            * _NORMAL.cdf(z) ** (number - 1)
            for z in steps
        )
        / 50
    )


class Latencies:
    """A mixture of `wait + service`, where the services of each part vary log-normally."""

    def __init__(self, tail: float) -> None:
        """Initializes a mixture.

        Args:
            tail: The 99th percentile of a service divided by its median.
        """
        self._sigma = _deviation(tail)
        self._weights: Counter[tuple[int, int]] = Counter()
        self._seconds = 0.0
        self.count = 0.0

    def add(self, wait: float, service: float, count: float) -> None:
        """Adds so many latencies of a wait and a mean service, in seconds."""
        self._weights[_bin(wait), _bin(service)] += count  # type: ignore[assignment]
        self._seconds += (wait + service) * count
        self.count += count

    @property
    def mean(self) -> float:
        return self._seconds / self.count if self.count else 0.0

    def percentile(self, share: float) -> float:
        """Returns the seconds within which this share is; 0 if there is none."""
        if not self.count:
            return 0.0
        parts = [(_value(w), _value(s), n) for (w, s), n in self._weights.items()]
        low, high = 0.0, max(w + s for w, s, _ in parts) * math.exp(4 * self._sigma) + _SMALLEST
        while high - low > 1e-3 * high + _SMALLEST / 100:
            middle = (low + high) / 2
            within = sum(n * self._share(middle - w, s) for w, s, n in parts)
            low, high = (middle, high) if within < share * self.count else (low, middle)
        return (low + high) / 2

    def _share(self, seconds: float, mean: float) -> float:
        """Returns the share of services with this mean that take no longer."""
        if seconds <= 0:
            return 0.0
        if not self._sigma or not mean:
            return float(seconds >= mean)
        median = mean * math.exp(-(self._sigma**2) / 2)
        return _NORMAL.cdf(math.log(seconds / median) / self._sigma)


def _deviation(tail: float) -> float:
    return math.log(max(tail, 1.0)) / _P99


def _bin(seconds: float) -> int:
    return round(math.log(max(seconds, _SMALLEST) / _SMALLEST) * _BINS_PER_FACTOR)


def _value(number: int) -> float:
    return _SMALLEST * math.exp(number / _BINS_PER_FACTOR) if number else 0.0
