"""The first step: which records to process together, and what each of them says."""

import hashlib
import logging
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from process.messages import Entry, Message, Outcome, Record, accepted_at
from shared import orders, telemetry
from shared.aws import Deadline

if TYPE_CHECKING:
    from async_ingest_hooks.hooks import Hook

MIN_SECONDS = 1.5  # to read MAX_GROUP_BYTES with the CPU of the default memory, 512 MB
HOOK_FACTOR = 2  # to copy orders for a hook and back, and to check them again, takes as long again
LAST_RECEIVES = 3  # before the dead-letter queue; such a message precedes all others
FIRST_RECEIVES = 2  # a message received more often may have ended its invocation
# Expanded to Python objects and to requests, a body takes up to 150 times as much memory.
MAX_GROUP_BYTES = 256 * 1024

Prepare: TypeAlias = Callable[[orders.Document, orders.Schema], orders.Document]

_COUNT = re.compile("[0-9]{1,9}")

LOG = logging.getLogger()


def groups(records: list[Record], max_receive_count: int) -> Iterator[list[Record]]:
    """Yields the records in groups, each small enough to be held in memory.

    A message that ends every invocation it is part of, by memory or by time, has been received more
    often than its neighbours. So records with fewer receives come first, and are written by then.
    Neighbours that are redelivered along with it have the same count: they are shuffled anew for
    each delivery and grouped by 1, 2, 4, …, so that each soon precedes it. Only close to the
    dead-letter queue is the order reversed, because a last chance must not be lost to lack of time.
    """

    def urgency(record: Record) -> tuple[int, int, bytes]:
        count = _receive_count(record)
        is_near_the_end = count > max_receive_count - LAST_RECEIVES
        seed = f"{record['messageId']} {count}".encode()
        shuffled = hashlib.sha256(seed).digest() if count > 1 else b""
        return (0, -count, shuffled) if is_near_the_end else (1, count, shuffled)

    group: list[Record] = []
    size = 0
    max_redelivered, has_redelivered = 1, False
    for record in sorted(records, key=urgency):
        length = _length(record)
        is_redelivered = _receive_count(record) > FIRST_RECEIVES
        is_full = is_redelivered and len(group) >= max_redelivered
        if group and (is_full or size + length > MAX_GROUP_BYTES):
            yield group
            group, size = [], 0
            max_redelivered = 2 * max_redelivered if has_redelivered else 1
        has_redelivered = is_redelivered
        group.append(record)
        size += length
    if group:
        yield group


def read_group(
    records: list[Record], schema: orders.Schema, deadline: Deadline, hook: "Hook | None" = None
) -> list[Message]:
    """Reads the records of a group; one that cannot be read never affects its neighbours."""
    prepare = _within_half(hook, deadline) if hook else None
    return [_read_in_time(record, schema, deadline, prepare) for record in records]


def _within_half(hook: "Hook", deadline: Deadline) -> Prepare:
    """Returns the hook, with half of the time: the group's writes need the rest."""
    reserved = deadline.remaining() / 2
    return lambda document, schema: hook.run(document, schema, deadline.remaining() - reserved)


def _read_in_time(
    record: Record, schema: orders.Schema, deadline: Deadline, prepare: Prepare | None
) -> Message:
    if deadline.remaining() >= _min_seconds(record) * (HOOK_FACTOR if prepare else 1):
        try:
            return read(record, schema, prepare)
        except Exception as error:
            extra = {**telemetry.describe(error), "message_id": record["messageId"]}
            LOG.error("Unexpected exception", extra=extra)  # noqa: TRY400 - may quote an order
    return Message(record, failure=Outcome.TRANSIENT_FAILURE)


def read(record: Record, schema: orders.Schema, prepare: Prepare | None = None) -> Message:
    """Reads a record into the items that it asks for, prepared by the team's hook if there is one.

    Returns:
        The message; if its body cannot be stored, a permanent failure with the reason.

    Raises:
        Exception: The record is malformed, other than in its body; or the hook failed.
    """
    version, required = schema.version, schema
    if version and "request_id" in record.get("messageAttributes", {}):
        schema = _of_ingest(schema)
    try:
        document = orders.read(record["body"], schema)
        if prepare:
            # A hook that removes versions would make new orders older than all others.
            is_new = version and all(version.number(one) is not None for one in document.orders)
            document = prepare(document, required if is_new else schema)
    except orders.InvalidDocumentError as error:
        failure = Outcome.PERMANENT_FAILURE
        return Message(record, failure=failure, reason=str(error), logged=error.logged)
    at = accepted_at(record)
    added = {schema.accepted_at_name: orders.to_wire(orders.Number(at))}
    entries = []
    for key, order in zip(document.keys, document.orders, strict=True):
        item = {name: orders.to_wire(value) for name, value in order.items()} | added
        number = version.number(order) if version else None
        if version and number is not None:
            item[version.kept_in] = orders.to_wire(number)
        entries.append(Entry(key, at, item, number))
    if version and (count := sum(entry.version is None for entry in entries)):
        extra = {"message_id": record["messageId"], "orders": count}
        LOG.warning("Orders without a version count as older", extra=extra)
    return Message(record, tuple(entries))


@lru_cache(maxsize=1)
def _of_ingest(schema: orders.Schema) -> orders.Schema:
    """Returns the schema for what ingest has accepted, perhaps before it checked versions.

    The attribute in which versions are kept is reserved all the same: a client that had written it
    would have decided which orders of the key come later.
    """
    version = schema.version and schema.version._replace(is_required=False)
    return schema._replace(version=version)


def _min_seconds(record: Record) -> float:
    """Returns the seconds to read a record, which grow with it: a message may have 1 MiB."""
    return MIN_SECONDS * max(1.0, _length(record) / MAX_GROUP_BYTES)


def _length(record: Record) -> int:
    body = record.get("body")
    return len(body) if isinstance(body, str) else 0


def _receive_count(record: Record) -> int:
    attributes = record.get("attributes")
    count = attributes.get("ApproximateReceiveCount") if isinstance(attributes, dict) else None
    return int(count) if isinstance(count, str) and _COUNT.fullmatch(count) else 1
