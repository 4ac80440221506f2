"""What a load may do to a target that is not on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from async_ingest.errors import USAGE, OpsError
from async_ingest.load.mix import Generator
from async_ingest.load.schedule import Schedule

CEILING = (100.0, 10_000)  # requests a second, orders


def is_local(url: str) -> bool:
    """Returns whether a URL's host is this machine by its loopback address."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@dataclass(frozen=True)
class Plan:
    """What would be sent.

    Attributes:
        requests: How many.
        orders: How many are in them.
        peak: The highest rate of requests a second.
        seconds: From the first to the end of the schedule.
    """

    requests: int
    orders: int
    peak: float
    seconds: float

    @classmethod
    def of(cls, schedule: Schedule, generator: Generator) -> Plan:
        requests = sum(1 for _ in schedule.times())
        orders = sum(generator.count(request) for request in range(requests))
        return cls(requests, orders, schedule.peak, schedule.seconds)

    def check(self, ceiling: tuple[float, int]) -> None:
        """Raises OpsError if it is above a ceiling of requests a second and of orders."""
        rate, orders = ceiling
        if self.peak > rate or self.orders > orders:
            raise OpsError(
                f"{self}: above the ceiling of {rate:g} requests a second and {orders:,} orders "
                "for a target that is not local. Raise it by --ceiling RATE ORDERS.",
                USAGE,
            )

    def __str__(self) -> str:
        return (
            f"{self.orders:,} orders in {self.requests:,} requests in {self.seconds:g} s, at most "
            f"{self.peak:g} requests a second"
        )
