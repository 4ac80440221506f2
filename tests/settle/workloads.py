"""Workloads: each makes messages with orders from a random number generator."""

import json
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

from tests.settle.deliveries import Message

Workload = Callable[[Random], list[Message]]

ORDINARY: dict[str, Any] = {"product": "Kopi Susu", "quantity": 2, "price": 4.5}
# Attributes of orders, besides the keys, of which a thousand fit into a message.
KINDS: tuple[dict[str, Any], ...] = (
    {},
    ORDINARY,
    {f"n{i}": 1.5 for i in range(12)},
    {"list": [1] * 60},
    {"text": "Kopi Susu \u2013 kurang manis", "map": {"a": {"b": {"c": [None, True, ""]}}}},
)


def message(
    number: int, keys: list[tuple[str, str]], *, arrives_at: float = 0.0, **attributes: Any
) -> Message:
    """Returns a message whose orders have the same attributes besides their keys."""
    orders = [{"id": partition, "sort": sort} | attributes for partition, sort in keys]
    return Message(
        message_id=_message_id(number),
        body=json.dumps(orders, separators=(",", ":")),
        keys=[*keys],
        ends_invocations="ends" in attributes,
        arrives_at=arrives_at,
    )


def _message_id(number: int) -> str:
    return f"{number:08x}-8d0b-4a53-9a8e-0c6f4b1d2a3c"


def permanent_failure(number: int) -> Message:
    """Returns a message that can never be stored."""
    return Message(f"{number:08x}", "[", keys=[], is_good=False)


def arrays(messages: int, orders: int, attributes: dict[str, Any] = ORDINARY) -> Workload:
    """Messages with arrays of orders that all have different keys."""

    def make(_: Random) -> list[Message]:
        return [message(number, _keys(number, orders), **attributes) for number in range(messages)]

    return make


def one_partition(messages: int, orders: int) -> Workload:
    """Orders that share a partition key and differ in their sort key."""

    def make(_: Random) -> list[Message]:
        return [
            message(number, [("hot", f"{number}.{i}") for i in range(orders)], **ORDINARY)
            for number in range(messages)
        ]

    return make


def number_lists(messages: int, body_bytes: int) -> Workload:
    """Messages with one order, most of which is a list of ones: 2 bytes each, 100 in memory."""
    return arrays(messages, 1, {"numbers": [1] * (body_bytes // 2 - 60)})


def largest_messages(messages: int) -> Workload:
    """Bodies of nearly 1 MiB, SQS's limit, in orders of nearly 400 KB as DynamoDB counts."""
    return arrays(messages, 4, {"numbers": [1] * 130_000})


def updates(messages: int, orders: int, keys: int) -> Workload:
    """Orders that repeat the same keys."""

    def make(random: Random) -> list[Message]:
        return [
            message(number, random.sample(_keys(0, keys), orders), **ORDINARY)
            for number in range(messages)
        ]

    return make


def versions_out_of_order(messages: int, orders: int, keys: int) -> Workload:
    """The same keys over and over, their versions in any order, and a tenth sent again later."""

    def make(random: Random) -> list[Message]:
        made: list[Message] = []
        for number in range(messages):
            if number % 10 == 9:
                again = random.choice(made)
                made.append(replace(again, message_id=_message_id(number)))
                continue
            version = random.randint(1, messages // 4)
            some = random.sample(_keys(0, keys), orders)
            made.append(replace(message(number, some, revision=version), version=version))
        return made

    return make


def some_end_their_invocation(messages: int, one_in: int, how: str, seconds: float) -> Workload:
    """Small messages that arrive over a while; every so many, one ends its invocation."""

    def make(_: Random) -> list[Message]:
        return [
            message(
                number,
                _keys(number, 5),
                arrives_at=seconds * number / messages,
                **({"ends": how} if number % one_in == 0 else {}),
            )
            for number in range(messages)
        ]

    return make


def mixed(messages: int, most: int) -> Workload:
    """Half of the messages have as many orders as allowed, others fewer; some fail permanently."""

    def make(random: Random) -> list[Message]:
        return [
            permanent_failure(number)
            if number % 20 == 19
            else message(
                number,
                _keys(number, most if number % 2 == 0 else random.randint(1, most)),
                **random.choice(KINDS),
            )
            for number in range(messages)
        ]

    return make


def _keys(number: int, orders: int) -> list[tuple[str, str]]:
    """Returns short keys that no other message has."""
    return [(f"{number:x}.{i:x}", "-") for i in range(orders)]
