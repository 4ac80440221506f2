"""Records of an SQS event: the order in which they are taken, and what each of them says."""

import hashlib
import re
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

from process.writer import Entry
from shared import orders

Record: TypeAlias = dict[str, Any]

LAST_DELIVERIES = 3  # before the dead-letter queue, a message goes before all others
FIRST_DELIVERIES = 2  # what has had more may have ended its invocation
# Expanded to Python objects and to requests, a body takes up to 150 times as much memory.
MAX_GROUP_BYTES = 256 * 1024
MAX_AHEAD_MICROSECONDS = 300 * 10**6  # of a producer's clock

_COUNT = re.compile("[0-9]{1,9}")
_STAMP = re.compile("[1-9][0-9]{0,15}")  # microseconds, until the year 2286


class Message(NamedTuple):
    """A record that was read."""

    record: Record
    entries: tuple[Entry, ...] = ()  # to write
    reason: str = ""  # of a permanent failure, if it is one


def groups(records: list[Record], max_receive_count: int) -> Iterator[list[Record]]:
    """Yields the records one after another, small ones together.

    A message that ends every invocation it is in, by memory or time, has more deliveries behind it
    than its neighbours. So those with fewer go first, and are written by then. Neighbours that
    come back with it have as many: their order is another one at each delivery, in groups of 1, 2,
    4, …, so that each is before it soon. Only where the dead-letter queue is near is the order
    reversed: then time must not run out before them.
    """

    def urgency(record: Record) -> tuple[int, int, bytes]:
        count = _receive_count(record)
        is_near_the_end = count > max_receive_count - LAST_DELIVERIES
        seed = f"{record['messageId']} {count}".encode()
        shuffled = hashlib.sha256(seed).digest() if count > 1 else b""
        return (0, -count, shuffled) if is_near_the_end else (1, count, shuffled)

    group: list[Record] = []
    size = 0
    most, has_redelivered = 1, False
    for record in sorted(records, key=urgency):
        body = record.get("body")
        length = len(body) if isinstance(body, str) else 0
        is_redelivered = _receive_count(record) > FIRST_DELIVERIES
        is_full = is_redelivered and len(group) >= most
        if group and (is_full or size + length > MAX_GROUP_BYTES):
            yield group
            group, size = [], 0
            most = 2 * most if has_redelivered else 1
        has_redelivered = is_redelivered
        group.append(record)
        size += length
    if group:
        yield group


def read(record: Record, schema: orders.Schema) -> Message:
    """Reads a record into the items that it asks for.

    Raises:
        Exception: The record is not as SQS makes them. What is wrong with its body is a reason.
    """
    try:
        document = orders.read(record["body"], schema)
    except orders.InvalidDocumentError as error:
        return Message(record, reason=str(error))
    accepted_at = stamp(record)
    system = {schema.stamp: orders.to_wire(orders.Number(accepted_at))}
    entries = []
    for key, order in zip(document.keys, document.orders, strict=True):
        item = {name: orders.to_wire(value) for name, value in order.items()}
        entries.append(Entry(key, accepted_at, item | system))
    return Message(record, tuple(entries))


def stamp(record: Record) -> int:
    """When the orders were accepted, in microseconds since the epoch.

    Messages of other producers may not say so: then, when SQS took them. Only then, for a redrive
    gives a message a new time there, and an old order would win by it. A stamp from the future
    would keep every newer order out, so no clock is believed to be minutes ahead of SQS's.
    """
    sent_at = int(record["attributes"]["SentTimestamp"]) * 1000
    given = record.get("messageAttributes", {}).get("accepted_at", {}).get("stringValue")
    if isinstance(given, str) and _STAMP.fullmatch(given):
        return min(int(given), sent_at + MAX_AHEAD_MICROSECONDS)
    return sent_at


def _receive_count(record: Record) -> int:
    attributes = record.get("attributes")
    count = attributes.get("ApproximateReceiveCount") if isinstance(attributes, dict) else None
    return int(count) if isinstance(count, str) and _COUNT.fullmatch(count) else 1
