"""Follows one order from its row, or its dead letter, to when it was accepted and to the log."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from botocore.exceptions import ClientError

from async_ingest import redrive
from async_ingest.dead_letters import DeadLetter, Selection
from async_ingest.errors import OpsError, described
from async_ingest.system import System, decoded
from async_ingest.verdict import row_key

BEFORE_SECONDS, INGEST_SECONDS = 5, 900  # around acceptance, for ingest's log
SAME_SECONDS = 2  # after acceptance, for lines that may be of other orders
AHEAD_SECONDS = 60  # of this machine's clock, that AWS's may be
# Of a search. A page has up to 10,000 lines, or none yet of a long log: "FilterLogEvents".
MAX_PAGES = 200


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
    left_out: list[str] = field(default_factory=list)  # of the log

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
    accepted, stamp = (trace.accepted_at or 0) / 1e6, str(trace.accepted_at)
    ingest, process = system.functions
    try:
        until = accepted + INGEST_SECONDS
        trace.ingest = _lines(system, trace, ingest, stamp, since=accepted, until=until)
        if not trace.ingest:
            # Versions that do not log the stamp: what was accepted in that second.
            trace.is_exact = False
            until = accepted + SAME_SECONDS
            same = _lines(system, trace, ingest, "202", since=accepted, until=until)
            trace.ingest = [line for line in same if line.get("status") == 202]
        # Deliveries go on for days, and begin again with each redrive: until now. A redriven
        # message has another id, and the same stamp.
        stamps = {trace.accepted_at or 0} | {one["accepted_at"] for one in trace.dead_letters}
        ids = {str(one) for one in stamps}
        ids |= {one["original_message_id"] for one in trace.dead_letters}
        if trace.is_exact:
            ids |= {str(line["message_id"]) for line in trace.ingest if line.get("message_id")}
        seen: dict[str, dict[str, Any]] = {}
        for one in sorted(ids):
            for line in _lines(system, trace, process, one, since=min(stamps) / 1e6):
                seen[repr(line)] = line
        trace.process = sorted(seen.values(), key=lambda line: int(line["at"]))
    except ClientError as error:
        trace.unknown.append(described(error))


def _lines(
    system: System,
    trace: Trace,
    function: str,
    text: str,
    *,
    since: float,
    until: float = float("inf"),
) -> list[dict[str, Any]]:
    """Returns the lines in JSON that contain a text, between two times, by default until now.

    What a log has after MAX_PAGES is noted in the trace.
    """
    found: list[dict[str, Any]] = []
    pages = (
        system.aws.client("logs")
        .get_paginator("filter_log_events")
        .paginate(
            logGroupName=f"/aws/lambda/{function}",
            startTime=int((since - BEFORE_SECONDS) * 1000),
            endTime=int(min(until, time.time() + AHEAD_SECONDS) * 1000),
            filterPattern=f'"{text}"',
        )
    )
    for number, page in enumerate(pages, 1):
        for event in page["events"]:
            line = decoded(event["message"])
            if isinstance(line, dict) and text in event["message"]:
                line.pop("_aws", None)
                if isinstance(line.get("messages"), list):  # of a batch, those that are meant
                    line["messages"] = [one for one in line["messages"] if text in one]
                found.append({"at": event["timestamp"], **line})
        if number == MAX_PAGES and page.get("nextToken"):
            trace.left_out.append(
                f"lines of {function} with {text}, after {number} pages of its log; the saved "
                f'query "{system.name}/what happened to this order" reads them all'
            )
            break
    return found
