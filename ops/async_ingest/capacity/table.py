"""The table: on-demand capacity, its growth, and its partitions."""

from __future__ import annotations

import math
from collections.abc import Sequence

from async_ingest.capacity import aws
from async_ingest.capacity.load import Span


class Table:
    """Writes as a queue in time: whatever exceeds the capacity is written later.

    A throttled call is repeated by the function that made it, so to a batch the table looks slow.
    How long a function goes on, the caller decides: it asks for the delay first.
    """

    def __init__(
        self, peak: float, quota: float, hot: float = 0, throttled: Sequence[Span] = ()
    ) -> None:
        """Initializes a table.

        Args:
            peak: Write units a second that it has seen before.
            quota: Of the account, in write units a second.
            hot: Share of the writes that go to one partition key.
            throttled: Spans in which it refuses all writes.
        """
        self._peak = peak
        self._quota = quota
        self._hot = hot
        self._throttled = throttled
        self._free_at = 0.0
        self._grows_at = aws.GROWTH_SECONDS
        self._peak_since = 0.0
        self._second, self._in_second = 0, 0.0
        self.written = 0.0

    @property
    def capacity(self) -> float:
        """Write units a second, with keys as they are."""
        units = min(self._quota, max(aws.UNITS_OF_A_NEW_TABLE, aws.GROWTH * self._peak))
        return min(units, aws.UNITS_PER_PARTITION / self._hot) if self._hot else units

    @property
    def partitions(self) -> int:
        return math.ceil(self.capacity / aws.UNITS_PER_PARTITION)

    def delay(self, now: float) -> float:
        """Returns the seconds for which a write that starts now is throttled."""
        self._grow(now)
        start = max(now, self._free_at)
        for span in self._throttled:
            if span.overlap(start, start + 1e-9):
                start = span.start + span.seconds
        return start - now

    def write(self, now: float, units: float) -> None:
        """Writes, as soon as there is capacity."""
        delay = self.delay(now)
        # It waits for what was written before, and not for itself.
        self._free_at = now + delay + units / self.capacity
        self.written += units
        second = int(now + delay)
        if second != self._second:
            self._second, self._in_second = second, 0.0
        self._in_second += units
        self._peak_since = max(self._peak_since, self._in_second)

    def _grow(self, now: float) -> None:
        """Makes the peak of the last 30 minutes the one that counts."""
        while now >= self._grows_at:
            self._peak = max(self._peak, min(self._peak_since, self.capacity))
            self._grows_at += aws.GROWTH_SECONDS
            self._peak_since = 0.0
