"""The load: how many requests arrive when, and what is in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Span:
    """From `start`, for `seconds`; a burst has its own rate, in requests a second."""

    start: float
    seconds: float
    rate: float = 0

    def overlap(self, start: float, end: float) -> float:
        """Returns the seconds that it shares with another span of time."""
        return max(0.0, min(end, self.start + self.seconds) - max(start, self.start))


@dataclass(frozen=True)
class Load:
    """Requests over time, and their mix.

    Attributes:
        rate: Requests a second.
        seconds: How long they arrive.
        ramp_seconds: In which the rate rises to `rate`, from nothing.
        bursts: Spans with another rate, instead of `rate`; they do not overlap.
        orders_per_request: Of an array; each request is one message.
        order_bytes: Size of an order.
        known: Share of orders whose key is in the table already.
        superseded: Share of orders that a newer order of the same key overtakes.
        permanent_failures: Share of messages that can never be written.
        hot: Share of orders with one and the same partition key.
        throttled: Spans in which the table refuses all writes.
    """

    rate: float
    seconds: float = 600
    ramp_seconds: float = 0
    bursts: Sequence[Span] = ()
    orders_per_request: int = 1
    order_bytes: int = 500
    known: float = 0
    superseded: float = 0
    permanent_failures: float = 0
    hot: float = 0
    throttled: Sequence[Span] = ()

    @property
    def message_bytes(self) -> int:
        return self.orders_per_request * self.order_bytes

    @property
    def requests(self) -> float:
        return self.between(0, self.seconds)

    @property
    def seconds_at_rate(self) -> float:
        """Returns how long the same requests take without the ramp."""
        return self.seconds - min(self.seconds, self.ramp_seconds) / 2

    def between(self, start: float, end: float) -> float:
        """Returns how many requests arrive from `start` to `end`."""
        start, end = min(start, self.seconds), min(end, self.seconds)
        requests = self._risen(end) - self._risen(start)
        for burst in self.bursts:
            first, last = max(start, burst.start), min(end, burst.start + burst.seconds)
            if last > first:
                requests += burst.rate * (last - first) - (self._risen(last) - self._risen(first))
        return requests

    def _risen(self, seconds: float) -> float:
        """Returns the requests until then, without bursts."""
        rising = min(seconds, self.ramp_seconds)
        part = rising**2 / 2 / self.ramp_seconds if self.ramp_seconds else 0.0
        return self.rate * (part + seconds - rising)
