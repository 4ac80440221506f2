"""What a month of a load costs, by component."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from async_ingest.capacity import aws
from async_ingest.capacity.load import Load
from async_ingest.capacity.results import Result
from async_ingest.capacity.settings import Settings
from async_ingest.errors import OpsError

HOURS = 730
_SECONDS = HOURS * 3600
_GB = 1_000_000_000

# Assumptions, which the output names.
_HTTP_BYTES = 1000
_CALL_BYTES = 1500
_LOG_BYTES = 500
_LOG_BYTES_PER_MESSAGE = 70
_ITEM_BYTES = 100
_REQUESTS_PER_CONNECTION = 100

ASSUMPTIONS = (
    "The load is repeated all month, without its ramp, free tiers, discounts and data transfer.",
    f"A request has {_HTTP_BYTES} bytes beside its orders, a call to SQS {_CALL_BYTES}, a log line "
    f"{_LOG_BYTES} and {_LOG_BYTES_PER_MESSAGE} for each message of a batch, an item "
    f"{_ITEM_BYTES}.",
    "Storage is that of the month's new orders, on average half of them; traces are the sampled "
    "ones of ingest.",
    "A load balancer, endpoint or NAT gateway that exists already, or that systems share, is not "
    "counted, except for the LCUs of the requests.",
    "ingest_snap_start_enabled is ignored: cold starts take as long with it, and snapshots cost "
    "nothing.",
)


@dataclass(frozen=True)
class Prices:
    """Prices of a region, in USD; a price is a number, or tiers of amount and number."""

    region: str
    date: str
    source: str
    prices: dict[str, Any]

    def of(self, name: str, amount: float) -> float:
        """Returns what so much of it costs."""
        price = self.prices[name]["usd"]
        if not isinstance(price, list):
            return float(price * amount)
        paid, below = 0.0, 0.0
        for limit, usd in price:
            upper = math.inf if limit is None else limit
            paid += max(0.0, min(amount, upper) - below) * usd
            below = upper
        return paid


def read_prices(path: Path | None = None) -> Prices:
    """Reads prices from a file, by default those of us-east-1.

    Raises:
        OpsError: The file is not a list of prices, or lacks one.
    """
    own = Path(__file__).with_name("prices.json")
    try:
        prices = Prices(**json.loads((path or own).read_text()))
        needed = json.loads(own.read_text())["prices"].keys()
        missing = needed - prices.prices.keys()
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise OpsError(f"{path} is not a list of prices such as {own}: {error}") from None
    if missing:
        raise OpsError(f"{path} lacks the prices {', '.join(sorted(missing))}.")
    return prices


def monthly(settings: Settings, load: Load, result: Result, prices: Prices) -> dict[str, float]:
    """Returns USD a month by component."""
    used, times = result.usage, _SECONDS / load.seconds_at_rate
    settled = sum(result.orders[name] for name in ("stored", "superseded", "dead_lettered"))
    # What has not been processed at the end of the run will be, at the same cost.
    later = times * (result.orders["accepted"] / settled if settled else 0)
    ingest_gb, process_gb = settings.ingest_memory_size / 1024, settings.process_memory_size / 1024
    rate = used.requests / load.seconds_at_rate
    message_bytes = load.message_bytes + _HTTP_BYTES
    lcus = max(
        rate * message_bytes * 3600 / aws.LCU_BYTES_PER_HOUR,
        rate / _REQUESTS_PER_CONNECTION / aws.LCU_CONNECTIONS_PER_SECOND,
    )
    chunks = math.ceil(load.message_bytes / aws.BILLED_BYTES)
    idle_receives = aws.POLLERS_AT_FIRST * _SECONDS / aws.LONG_POLL_SECONDS
    receives = used.receives * max(1, chunks * used.messages / max(1, used.receives) / 10)
    stored_gb = (
        result.orders["stored"] * (1 - load.known) * later * (load.order_bytes + _ITEM_BYTES) / _GB
    ) / 2
    sent_gb = used.messages * times * (load.message_bytes + _CALL_BYTES) / _GB
    uses_nat = settings.nat_gateways and not settings.endpoint_zones
    always_traced = min(rate, aws.TRACES_PER_SECOND)
    traced = always_traced + aws.TRACED_SHARE * (rate - always_traced)
    log_bytes = (used.requests * times + used.process_invocations * later) * _LOG_BYTES
    log_bytes += used.messages * times * _LOG_BYTES_PER_MESSAGE
    seconds = {
        "ingest": used.ingest_seconds * times * ingest_gb,
        "process": used.process_seconds * later * process_gb,
    }
    duration = f"gb_second_{settings.architecture}"
    reserved_gb_seconds = (settings.ingest_provisioned_concurrency or 0) * _SECONDS * ingest_gb
    minimum = (settings.process_provisioned_pollers or {"minimum": 0})["minimum"]
    poller_hours = max(minimum * HOURS, used.poller_seconds * times / 3600)
    return {
        "load balancer": prices.of("load_balancer_hour", settings.load_balancers * HOURS)
        + prices.of("lcu_hour", lcus * HOURS),
        "ingest": prices.of("invocation", used.messages * times)
        + prices.of(duration, seconds["ingest"])
        + prices.of(f"provisioned_{duration}", reserved_gb_seconds),
        "queue": prices.of(
            "queue_request",
            used.messages * times * chunks + (receives + used.deletes) * later + idle_receives,
        ),
        "pollers": prices.of("poller_hour", poller_hours),
        "process": prices.of("invocation", used.process_invocations * later)
        + prices.of(duration, seconds["process"]),
        "table writes": prices.of("write_unit", used.write_units * later),
        "table storage": prices.of("table_gb_month", stored_gb)
        + prices.of("recovery_gb_month", stored_gb),
        "endpoint": prices.of("endpoint_hour", settings.endpoint_zones * HOURS)
        + prices.of("endpoint_gb", sent_gb if settings.endpoint_zones else 0),
        "NAT gateway": prices.of("nat_gateway_hour", settings.nat_gateways * HOURS)
        + prices.of("nat_gateway_gb", sent_gb if uses_nat else 0),
        "logs": prices.of("log_gb", log_bytes / _GB),
        "traces": prices.of("trace", traced * _SECONDS) if settings.tracing_enabled else 0.0,
        "alarms": prices.of("observability_month", 1) if settings.observability_enabled else 0.0,
    }
