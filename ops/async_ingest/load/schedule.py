"""When requests are due: a rate over time, and even or random arrivals at that rate."""

from __future__ import annotations

import csv
import math
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from async_ingest.errors import USAGE, OpsError

ROUNDING = 1e-9  # of a request
COLUMNS = ("time", "requests")


@dataclass(frozen=True)
class Segment:
    """A time with a rate that is constant, or rises or falls steadily.

    Attributes:
        seconds: How long.
        first: Requests a second at its start.
        last: And at its end.
    """

    seconds: float
    first: float
    last: float

    @property
    def requests(self) -> float:
        return self.seconds * (self.first + self.last) / 2

    def due(self, requests: float) -> float:
        """Returns after how many seconds so many requests were due."""
        # The root of first·t + (last - first) / (2·seconds)·t² = requests, in the form that
        # neither cancels nor divides by a slope of 0.
        slope = (self.last - self.first) / self.seconds
        root = math.sqrt(max(0.0, self.first**2 + 2 * slope * requests))
        return min(self.seconds, 2 * requests / (self.first + root)) if requests else 0.0


@dataclass(frozen=True)
class Schedule:
    """A rate over time.

    Attributes:
        segments: One after another.
        is_random: Arrivals are a Poisson process of that rate, rather than evenly spread.
        seed: Of the random arrivals: the same seed has the same ones.
    """

    segments: Sequence[Segment]
    is_random: bool = False
    seed: int = 0

    @property
    def seconds(self) -> float:
        return sum(one.seconds for one in self.segments)

    @property
    def peak(self) -> float:
        """The highest rate, in requests a second."""
        return max((max(one.first, one.last) for one in self.segments), default=0.0)

    def times(self) -> Iterator[float]:
        """Yields when each request is due, in seconds from the start, in that order."""
        # By a change of time: the n-th arrival is where the rate's integral reaches n, or, for a
        # Poisson process, the sum of n exponential gaps.
        gaps = random.Random(self.seed)  # noqa: S311 - nothing is kept secret by it
        wanted = gaps.expovariate(1) if self.is_random else 0.0
        before = started = 0.0
        for segment in self.segments:
            end = before + segment.requests
            while wanted < end - ROUNDING:
                yield started + segment.due(max(0.0, wanted - before))
                wanted += gaps.expovariate(1) if self.is_random else 1.0
            before, started = end, started + segment.seconds


def constant(rate: float, seconds: float) -> list[Segment]:
    return [Segment(seconds, rate, rate)]


def ramp(rate: float, last: float, seconds: float) -> list[Segment]:
    return [Segment(seconds, rate, last)]


def bursts(
    rate: float, seconds: float, *, factor: float, every: float, length: float
) -> list[Segment]:
    """Returns a constant rate that is `factor` times as high at the end of each period.

    Args:
        rate: Between the bursts, in requests a second.
        seconds: How long in all.
        factor: Of the rate in a burst.
        every: Seconds from burst to burst.
        length: Seconds of a burst.
    """
    made: list[Segment] = []
    left = seconds
    while left > ROUNDING:
        for part, its_rate in ((every - length, rate), (length, rate * factor)):
            taken = min(part, left)
            if taken > ROUNDING:
                made.append(Segment(taken, its_rate, its_rate))
            left -= taken
    return made


def recorded(path: Path, scale: float = 1.0) -> list[Segment]:
    """Returns the rates of a series in a CSV file.

    The file has the columns `time` and `requests`: how many requests there were from that time to
    the next row's. Times are seconds, or dates and times in ISO 8601. The last row counts for as
    long as the one before it.

    Raises:
        OpsError: It is not such a file; the message names the line.
    """
    rows: list[tuple[float, float]] = []
    with path.open(newline="", encoding="utf-8-sig") as lines:
        reader = csv.DictReader(lines)
        if missing := set(COLUMNS) - set(reader.fieldnames or ()):
            raise _refused(path, 1, f"it has no column {', '.join(sorted(missing))}")
        for row in reader:
            try:
                time, requests = _seconds(row["time"]), float(row["requests"])
            except (TypeError, ValueError) as error:
                raise _refused(path, reader.line_num, str(error)) from None
            if not (math.isfinite(time) and 0 <= requests < math.inf):
                raise _refused(path, reader.line_num, "no time, or no number of requests")
            if rows and time <= rows[-1][0]:
                raise _refused(path, reader.line_num, "its time is not after that of the last row")
            rows.append((time, requests * scale))
    if len(rows) < 2:
        raise _refused(path, len(rows) + 1, "two rows are needed, to know how long they count for")
    lengths = [later[0] - one[0] for one, later in pairwise(rows)]
    return [
        Segment(seconds, requests / seconds, requests / seconds)
        for (_, requests), seconds in zip(rows, [*lengths, lengths[-1]], strict=True)
    ]


def per_second(times: Iterable[float]) -> list[int]:
    """Returns how many of the times are in each second from 0."""
    counts: list[int] = []
    for time in times:
        counts += [0] * (int(time) + 1 - len(counts))
        counts[int(time)] += 1
    return counts


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        time = datetime.fromisoformat(text.strip())
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()


def _refused(path: Path, line: int, what: str) -> OpsError:
    return OpsError(f"{path}, line {line}: {what}.", USAGE)
