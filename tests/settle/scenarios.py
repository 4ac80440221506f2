"""What comes, in which batches, and how slow and how ill the table is."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.settle.deliveries import Message
from tests.support import invocation

DAY = 86400.0
DERIVED_RECEIVE_COUNT = 485  # modules/queue, for an outage of a day and a timeout of 30 s
TAIL = 3  # times the median is the 99th percentile
BEGAN = 1_800_000_000  # seconds since the epoch, of a virtual clock

Latency = tuple[float, float]


@dataclass(frozen=True)
class Period:
    """From when on, on the queue's clock, the table behaves in another way."""

    begins: float
    settings: dict[str, Any]


@dataclass(frozen=True)
class Scenario:
    messages: Callable[[Random], list[Message]]
    put_ms: float = 8
    batch_ms: float = 15
    known_share: float = 0.0  # of the keys, which are in the table before
    batch_size: int = 10
    receive_count: int = 5
    timeout_seconds: int = 30
    memory_size: int = 512
    visibility_seconds: float | None = None
    table: dict[str, Any] = field(default_factory=dict)
    periods: tuple[Period, ...] = ()
    is_virtual: bool = False
    ends_until: float = 0.0  # messages that end invocations do so until then

    @property
    def visibility(self) -> float:
        if self.visibility_seconds is not None:
            return self.visibility_seconds
        return 6.0 * self.timeout_seconds


class Maker:
    """Makes messages, each order with a serial number that its row will have."""

    def __init__(self) -> None:
        self.serial = 0

    def message(
        self,
        number: int,
        keys: list[tuple[str, str]],
        *,
        arrives_at: float = 0.0,
        **attributes: Any,
    ) -> Message:
        orders = []
        for partition, sort in keys:
            self.serial += 1
            order = {"order_id": partition, "item": sort, "serial": self.serial}
            orders.append(order | {"quantity": 2, "price": 4.50} | attributes)
        return Message(
            message_id=f"{number:08x}-8d0b-4a53-9a8e-0c6f4b1d2a3c",
            body=json.dumps(orders, separators=(",", ":")),
            orders=[((o["order_id"], o["item"]), o["serial"]) for o in orders],
            ends_invocations="ends" in attributes,
            arrives_at=arrives_at,
        )


def arrays(messages: int, orders: int, **attributes: Any) -> Callable[[Random], list[Message]]:
    """So many messages of so many orders, no key twice."""

    def make(_: Random) -> list[Message]:
        maker = Maker()
        return [
            maker.message(
                number, [(f"order-{number}-{i}", "Kopi Susu") for i in range(orders)], **attributes
            )
            for number in range(messages)
        ]

    return make


def one_partition(messages: int, orders: int) -> Callable[[Random], list[Message]]:
    """Each message has all its orders under one partition key."""

    def make(_: Random) -> list[Message]:
        maker = Maker()
        return [
            maker.message(number, [("hot", f"{number}-{i}") for i in range(orders)])
            for number in range(messages)
        ]

    return make


def number_lists(messages: int, body_bytes: int) -> Callable[[Random], list[Message]]:
    """One order each, and nearly all of it a list of ones: two bytes that become a hundred."""
    return arrays(messages, 1, numbers=[1] * (body_bytes // 2 - 60))


def updates(messages: int, orders: int, keys: int) -> Callable[[Random], list[Message]]:
    """The same keys over and over."""

    def make(random: Random) -> list[Message]:
        maker = Maker()
        return [
            maker.message(
                number, [(f"order-{i}", "Kopi Susu") for i in random.sample(range(keys), orders)]
            )
            for number in range(messages)
        ]

    return make


def some_end_their_invocation(
    messages: int, one_in: int, how: str, seconds: float
) -> Callable[[Random], list[Message]]:
    """Small messages over a while, one in so many of which ends its invocation."""

    def make(random: Random) -> list[Message]:
        maker = Maker()
        made = []
        for number in range(messages):
            ends: dict[str, Any] = {"ends": how} if number % one_in == 0 else {}
            keys = [(f"order-{number}-{i}", "Kopi Susu") for i in range(5)]
            at = seconds * number / messages
            made.append(maker.message(number, keys, arrives_at=at, **ends))
        return made

    return make


def within_the_model(messages: int, **configuration: Any) -> Scenario:
    """Messages of up to the most orders that a request may have, at the model's latencies.

    What has failed is visible again at once, so that batches have messages of all delivery counts.
    Most keys are known, though not so many that no INSERT is tried: each order costs both calls.
    """
    scenario = Scenario(lambda _: [], **configuration)
    most = invocation.max_orders_per_request(
        timeout_seconds=scenario.timeout_seconds,
        memory_size=scenario.memory_size,
        batch_size=scenario.batch_size,
        max_receive_count=scenario.receive_count,
    )

    def make(random: Random) -> list[Message]:
        maker = Maker()
        made = []
        for number in range(messages):
            orders = random.choice([most, random.randint(1, most)])
            keys = [(f"order-{number}-{i}", "Kopi Susu") for i in range(orders)]
            made.append(maker.message(number, keys, **random.choice(KINDS)))
        return made

    latencies = {
        "put_ms": 1000 * invocation.PUT_SECONDS,
        "batch_ms": 1000 * invocation.BATCH_CALL_SECONDS,
    }
    return Scenario(make, known_share=0.85, visibility_seconds=0, **latencies, **configuration)


# What an order has beside its key, so that a thousand fit into a message.
KINDS: tuple[dict[str, Any], ...] = (
    {},
    {f"n{i}": 1.5 for i in range(12)},
    {"list": [1] * 60},
    {"text": "Kopi Susu \u2013 kurang manis", "map": {"a": {"b": {"c": [None, True, ""]}}}},
)
IN_AN_OUTAGE = {"receive_count": DERIVED_RECEIVE_COUNT, "is_virtual": True}

SCENARIOS = {
    "1000_known_in_batches_of_10": Scenario(arrays(20, 1000), 8, 15, known_share=1),
    "1000_known_at_20_ms": Scenario(arrays(20, 1000), 20, 30, known_share=1),
    "200_known_in_batches_of_100": Scenario(
        arrays(100, 200), 10, 20, known_share=1, batch_size=100
    ),
    "1000_new_in_batches_of_100": Scenario(arrays(100, 1000), 10, 30, batch_size=100),
    "1000_known_in_one_message": Scenario(arrays(1, 1000), 20, 30, known_share=1, batch_size=1),
    "10_bodies_of_small_numbers": Scenario(number_lists(10, 240_000)),
    "random_batches_of_10": within_the_model(30),
    "random_batches_of_100": within_the_model(300, batch_size=100),
    "random_batches_in_6_seconds": within_the_model(40, timeout_seconds=6),
    "random_batches_on_a_core": within_the_model(40, timeout_seconds=15, memory_size=1769),
    "random_batches_on_a_seventh_of_a_core": within_the_model(40, memory_size=256),
    "random_batches_of_10_on_a_clock": within_the_model(300, timeout_seconds=10, is_virtual=True),
    "random_batches_in_6_seconds_on_a_clock": within_the_model(
        200, timeout_seconds=6, is_virtual=True
    ),
    "random_batches_of_100_on_a_clock": within_the_model(
        1500, batch_size=100, timeout_seconds=10, is_virtual=True
    ),
    "most_orders_of_a_message": within_the_model(1, batch_size=1, timeout_seconds=6),
    "6_mb_of_small_orders": Scenario(
        arrays(70, 1000), batch_size=1000, memory_size=1769, timeout_seconds=60
    ),
    "throttled_for_an_hour": Scenario(
        arrays(20, 100),
        periods=(Period(0, {"failure": "ThrottlingException"}), Period(3600, {"failure": ""})),
        **IN_AN_OUTAGE,
    ),
    "throttled_partition": Scenario(
        one_partition(10, 1000),
        table={"units_per_second": 1000},
        receive_count=DERIVED_RECEIVE_COUNT,
    ),
    "1000_sort_keys_of_one_partition": Scenario(
        one_partition(1, 1000), table={"units_per_second": 1000}
    ),
    "slow_endpoint": Scenario(
        arrays(20, 200),
        table={"stalled_share": 0.02, "stalled_seconds": 5.0},
        known_share=0.5,
        receive_count=DERIVED_RECEIVE_COUNT,
    ),
    "half_of_the_keys_known": Scenario(arrays(20, 1000), known_share=0.5),
    "6_mb_of_number_lists": Scenario(number_lists(30, 255_000), batch_size=100),
    "backlog_of_updates": Scenario(updates(60, 300, 1000), batch_size=100, known_share=1),
    "outage_of_a_day": Scenario(
        arrays(30, 20),
        known_share=0.5,
        periods=(
            Period(0, {"failure": "InternalServerError"}),
            Period(DAY / 3, {"failure": "closed"}),
            Period(2 * DAY / 3, {"failure": "ThrottlingException"}),
            Period(DAY, {"failure": ""}),
        ),
        **IN_AN_OUTAGE,
    ),
    "one_in_100_exhausts_the_memory": Scenario(
        some_end_their_invocation(500, 100, "memory", DAY / 2), ends_until=DAY, **IN_AN_OUTAGE
    ),
    "one_in_100_exhausts_the_time": Scenario(
        some_end_their_invocation(500, 100, "time", DAY / 2), ends_until=DAY, **IN_AN_OUTAGE
    ),
}
