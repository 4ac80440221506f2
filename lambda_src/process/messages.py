"""The types that travel from one step to the next: read, write, settle."""

import re
from enum import Enum
from typing import Any, NamedTuple, TypeAlias

Record: TypeAlias = dict[str, Any]
"""A message as Lambda's SQS event has it."""

MAX_AHEAD_MICROSECONDS = 300 * 10**6  # that a producer's clock may be ahead of SQS's

_MICROSECONDS = re.compile("[1-9][0-9]{0,15}")  # since the epoch, until the year 2286


class Outcome(Enum):
    """What became of an order."""

    WRITTEN = 1
    SUPERSEDED = 2  # a newer order with the same key, or this very one, is already stored
    TRANSIENT_FAILURE = 3  # perhaps not stored; another attempt may succeed
    PERMANENT_FAILURE = 4  # no attempt can ever succeed


class Entry(NamedTuple):
    """An order, ready to be written."""

    key: tuple[str, ...]
    accepted_at: int  # microseconds since the epoch
    item: dict[str, str]  # attribute values as JSON text in wire format, ours included
    version: str | None = None  # a number, if orders have versions and this one has


class Message(NamedTuple):
    """A record that has been read, or that could not be."""

    record: Record
    entries: tuple[Entry, ...] = ()
    failure: Outcome | None = None  # if reading it failed
    reason: str = ""  # for a permanent failure
    logged: str = ""  # what the log says of it, which is nothing of the order


def accepted_at(record: Record) -> int:
    """Returns when the orders were accepted, in microseconds since the epoch.

    Messages from other producers may lack the attribute; the time at which SQS received them then
    counts. It counts only then, because a redrive resets it, and an old order would win. A time in
    the future would lock out every newer order, so no producer's clock is trusted to be more than
    MAX_AHEAD_MICROSECONDS ahead of SQS's.
    """
    sent_at = int(record["attributes"]["SentTimestamp"]) * 1000
    given = record.get("messageAttributes", {}).get("accepted_at", {}).get("stringValue")
    if isinstance(given, str) and _MICROSECONDS.fullmatch(given):
        return min(int(given), sent_at + MAX_AHEAD_MICROSECONDS)
    return sent_at
