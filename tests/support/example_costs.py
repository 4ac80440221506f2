"""What each example costs: by the simulator, and by what it makes beside the module's pieces."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from async_ingest.capacity import cost
from async_ingest.capacity.advice import Adviser
from async_ingest.capacity.calibration import Calibration
from async_ingest.capacity.load import Load
from async_ingest.capacity.settings import Settings
from tools.markup import table

RATES = (0, 1, 100)  # requests a second
_SECONDS = cost.HOURS * 3600


@dataclass(frozen=True)
class Price:
    """What AWS bills that the simulator does not know, in USD in us-east-1.

    It is billed by the month, or by the request.
    """

    usd: float
    component: str
    source: str
    is_by_request: bool = False


# As of November 2026, as in ops/async_ingest/capacity/prices.json.
PRICES = {
    "key": Price(1.0, "KMS key", "AWS KMS pricing, without requests"),
    "public_address": Price(
        0.005 * cost.HOURS, "public addresses", "Amazon VPC pricing, public IPv4 addresses"
    ),
    "secret": Price(0.40, "secret", "AWS Secrets Manager pricing, without requests"),
    "web_acl": Price(5.0, "firewall", "AWS WAF pricing, web ACL"),
    "web_acl_rule": Price(1.0, "firewall", "AWS WAF pricing, rule"),
    "web_acl_request": Price(6e-7, "firewall", "AWS WAF pricing, request", is_by_request=True),
}


@dataclass(frozen=True)
class Example:
    """The settings that decide what it costs, and what it has beside them.

    Attributes:
        settings: Of the simulator.
        extras: How many of each price; each interface endpoint beside that for SQS is in them.
        endpoints: Interface endpoints, each in `settings.endpoint_zones` zones.
    """

    settings: Mapping[str, Any] = field(default_factory=dict)
    extras: Mapping[str, int] = field(default_factory=dict)
    endpoints: int = 1


EXAMPLES = {
    "minimal": Example(),
    "academy": Example({"observability_enabled": False, "process_maximum_concurrency": 2}),
    "complete": Example(
        {
            "ingest_memory_size": 1024,
            "process_memory_size": 1024,
            "process_batch_size": 100,
            "process_batching_window_seconds": 1,
            "process_maximum_concurrency": 50,
            "queue_max_receive_count": 10,
            "endpoint_zones": 3,
        },
        {"key": 1},
    ),
    "existing": Example(extras={"key": 1}),
    "hooks": Example(),
    "producers": Example(),
    "public": Example(
        extras={
            "public_address": 2,
            "secret": 1,
            "web_acl": 1,
            "web_acl_rule": 3,
            "web_acl_request": 1,
        },
        endpoints=2,
    ),
}


def bill(name: str, rate: float) -> dict[str, float]:
    """Returns USD a month by component."""
    example, prices = EXAMPLES[name], cost.read_prices()
    settings = Settings().with_values(example.settings)
    bill = dict(Adviser(Load(rate), Calibration(), prices).outcome(settings).cost)
    hours = (example.endpoints - 1) * settings.endpoint_zones * cost.HOURS
    bill["endpoint"] += prices.of("endpoint_hour", hours)
    for extra, count in example.extras.items():
        price = PRICES[extra]
        amount = count * (rate * _SECONDS if price.is_by_request else 1)
        bill[price.component] = bill.get(price.component, 0) + price.usd * amount
    return bill


def cost_table(name: str) -> str:
    bills = [bill(name, rate) for rate in RATES]
    totals = [sum(one.values()) for one in bills]
    rows = [
        [component, *(f"{one[component]:,.2f}" for one in bills)]
        for component in bills[0]
        if any(one[component] >= 0.005 for one in bills)
    ]
    rows.append(["**a month**", *(f"**{total:,.2f}**" for total in totals)])
    rows.append(["an hour", *(f"{total / cost.HOURS:,.2f}" for total in totals)])
    return table(["USD in us-east-1", "idle", "1 request/s", "100 requests/s"], rows)


def overview() -> str:
    def row(name: str) -> list[str]:
        totals = [sum(bill(name, rate).values()) for rate in RATES]
        return [f"[{name}]({name})", *(f"{total:,.0f}" for total in totals)]

    return table(
        ["USD a month", "idle", "1 request/s", "100 requests/s"], (row(name) for name in EXAMPLES)
    )
