"""Latencies in HDR histograms: exact to three digits, whatever their range."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

from async_ingest.errors import USAGE, OpsError

try:
    from hdrh.histogram import HdrHistogram
except ImportError:
    HdrHistogram = None

MICROSECONDS = 10**6
HIGHEST_SECONDS = 3600
DIGITS = 3
PERCENTILES = (50.0, 90.0, 95.0, 99.0, 99.9, 99.99)


def require() -> None:
    """Raises OpsError without the library, so that nothing is sent in vain."""
    if HdrHistogram is None:
        raise OpsError(
            "load needs the package hdrhistogram: install async-ingest with its extra, as "
            '"async-ingest[load] @ git+https://…", or `pipx inject async-ingest hdrhistogram`.',
            USAGE,
        )


class Latencies:
    """A histogram of seconds."""

    def __init__(self, seconds: Iterable[float] = ()) -> None:
        require()
        self._histogram = HdrHistogram(1, HIGHEST_SECONDS * MICROSECONDS, DIGITS)
        for one in seconds:
            limited = min(max(1, round(one * MICROSECONDS)), HIGHEST_SECONDS * MICROSECONDS)
            self._histogram.record_value(limited)

    @classmethod
    def read(cls, encoded: str) -> Self:
        """Returns the histogram of a document."""
        made = cls()
        made._histogram = HdrHistogram.decode(encoded.encode())
        return made

    def ms(self, percentile: float) -> float:
        """Returns a percentile in milliseconds; the 100th is the highest."""
        return round(float(self._histogram.get_value_at_percentile(percentile)) / 1000, 3)

    def spectrum(self) -> list[tuple[float, float]]:
        """Returns (1 / (1 - share), ms) up to the highest, as HDR plots have them."""
        total = self._histogram.get_total_count()
        points, inverse = [], 1.0
        while total and inverse < total:
            points.append((inverse, self.ms(100 - 100 / inverse)))
            inverse *= 1.15
        return [*points, (float(total), self.ms(100))] if total else []

    def as_json(self) -> dict[str, Any]:
        """Returns percentiles in ms, and the histogram to be merged with others'."""
        return {
            "count": self._histogram.get_total_count(),
            "mean": round(float(self._histogram.get_mean_value()) / 1000, 3),
            **{f"p{percentile:g}": self.ms(percentile) for percentile in PERCENTILES},
            "max": self.ms(100),
            "hdr": self._histogram.encode().decode(),  # microseconds, HdrHistogram's V2 encoding
        }
