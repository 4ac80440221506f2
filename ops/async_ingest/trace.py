"""Follows one order from its row, or its dead letter, to when it was accepted and to the log."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from botocore.exceptions import ClientError

from async_ingest import redrive
from async_ingest.dead_letters import DeadLetter, Selection
from async_ingest.errors import OpsError, described
from async_ingest.system import System, decoded
from async_ingest.verdict import row_key

BEFORE_SECONDS, AFTER_SECONDS = 5, 900  # around acceptance, for the log
MAX_LINES = 100


@dataclass
class Trace:
    """What is known of an order."""

    key: dict[str, str]
    row: dict[str, Any] | None = None
    dead_letters: list[dict[str, Any]] = field(default_factory=list)
    accepted_at: int | None = None  # microseconds
    ingest: list[dict[str, Any]] = field(default_factory=list)  # lines of the log
    process: list[dict[str, Any]] = field(default_factory=list)
    is_exact: bool = True  # whether ingest's lines are of this order, rather than of that second
    unknown: list[str] = field(default_factory=list)

    @property
    def is_found(self) -> bool:
        return bool(self.row or self.dead_letters)


def find(system: System, values: tuple[str, ...]) -> Trace:
    """Returns what is known of the order with these values of the key.

    Raises:
        OpsError: The table has another number of keys, or a value is no number.
    """
    names = [key.name for key in system.keys]
    if len(values) != len(names):
        raise OpsError(f"The table's key is {', '.join(names)}: pass {len(names)} values.")
    trace = Trace(dict(zip(names, values, strict=True)))
    trace.row = _row(system, trace.key)
    letters: list[DeadLetter] = []
    redrive.look(system, Selection(keys=trace.key), letters.append)
    for letter in letters:
        trace.dead_letters.append(
            {
                "message_id": letter.id,
                "original_message_id": letter.original_id,
                "request_id": letter.text("request_id"),
                "reason": letter.kind,
                "accepted_at": letter.accepted_at,
                "receives": letter.system.get("ApproximateReceiveCount"),
                "replays": letter.replays,
            }
        )
    stored = (trace.row or {}).get(system.accepted_at_name)
    if stored is not None or letters:
        trace.accepted_at = int(stored if stored is not None else letters[0].accepted_at)
        _add_log(system, trace)
    return trace


def _row(system: System, key: dict[str, str]) -> dict[str, Any] | None:
    types = {one.name: one.type for one in system.keys}
    try:
        order = {
            name: Decimal(value) if types[name] == "N" else value for name, value in key.items()
        }
    except InvalidOperation:
        raise OpsError(f"The key has a number, and {' '.join(key.values())} has none.") from None
    answer = system.aws.client("dynamodb").get_item(
        TableName=system.table_name, Key=row_key(system, order), ConsistentRead=True
    )
    if "Item" not in answer:
        return None
    return {name: next(iter(value.values())) for name, value in answer["Item"].items()}


def _add_log(system: System, trace: Trace) -> None:
    stamp = str(trace.accepted_at)
    try:
        trace.ingest = list(_lines(system, system.ingest_function, trace, stamp))
        if not trace.ingest:
            # Versions that do not log the stamp: what was accepted in that second.
            trace.is_exact = False
            trace.ingest = [
                line
                for line in _lines(system, system.ingest_function, trace, "202", 2)
                if line.get("status") == 202
            ]
        ids = {stamp} | {one["original_message_id"] for one in trace.dead_letters}
        if trace.is_exact:
            ids |= {str(line["message_id"]) for line in trace.ingest if line.get("message_id")}
        seen: dict[str, dict[str, Any]] = {}
        for one in sorted(ids):
            for line in _lines(system, system.process_function, trace, one):
                seen[repr(line)] = line
        trace.process = list(seen.values())
    except ClientError as error:
        trace.unknown.append(described(error))


def _lines(
    system: System, function: str, trace: Trace, text: str, after: float = AFTER_SECONDS
) -> Iterator[dict[str, Any]]:
    """Yields the lines in JSON that contain a text, around acceptance."""
    accepted = (trace.accepted_at or 0) / 1e6
    pages = (
        system.aws.client("logs")
        .get_paginator("filter_log_events")
        .paginate(
            logGroupName=f"/aws/lambda/{function}",
            startTime=int((accepted - BEFORE_SECONDS) * 1000),
            endTime=int(min(accepted + after, time.time() + 60) * 1000),
            filterPattern=f'"{text}"',
            PaginationConfig={"MaxItems": MAX_LINES},
        )
    )
    for page in pages:
        for event in page["events"]:
            line = decoded(event["message"])
            if isinstance(line, dict) and text in event["message"]:
                line.pop("_aws", None)
                if isinstance(line.get("messages"), list):  # of a batch, those that are meant
                    line["messages"] = [one for one in line["messages"] if text in one]
                yield {"at": event["timestamp"], **line}
