"""`async-ingest trace`: what became of one order."""

from __future__ import annotations

import json
from typing import Any

import click

from async_ingest import trace as traces
from async_ingest.commands import options
from async_ingest.commands.options import Screen, iso, safe
from async_ingest.errors import FOUND
from async_ingest.system import System

SHOWN = (
    "request_id",
    "message_id",
    "status",
    "message",
    "error",
    "reason",
    "messages",
    "duration_ms",
)


@click.command()
@options.for_system
@click.argument("key", nargs=-1, required=True, metavar="ORDER_ID [ITEM]")
@click.option("--row", "with_row", is_flag=True, help="Show the row, which is the order.")
def trace(screen: Screen, system: System, *, key: tuple[str, ...], with_row: bool) -> int:
    """Find out what became of an order, by the values of its key."""
    found = traces.find(system, key)
    name = " ".join(key)
    document: dict[str, Any] = {
        "found": found.is_found,
        "in_table": found.row is not None,
        "dead_letters": found.dead_letters,
        "accepted_at": iso(found.accepted_at / 1e6) if found.accepted_at else None,
        "accepted_at_microseconds": found.accepted_at,
        "exact": found.is_exact,
        "ingest": found.ingest,
        "process": found.process,
        "unknown": found.unknown,
        "left_out": found.left_out,
    }
    if with_row:
        document["row"] = found.row
    if not found.is_found:
        visible, in_flight = system.depth(system.queue_url)
        screen.result(
            document | {"queued": visible + in_flight},
            f"{safe(name)}: not found: in the queue, or never accepted. "
            f"{visible + in_flight} messages are in the queue.",
        )
        return FOUND
    where = "in the table" if found.row else "in the dead-letter queue"
    lines = [f"[bold]{safe(name)}[/]: {where}, accepted at {document['accepted_at']}"]
    if with_row and found.row:
        lines.append(f"  {safe(json.dumps(found.row, ensure_ascii=False))}")
    lines += [
        f"  dead letter {one['message_id']}: {safe(one['reason'])}" for one in found.dead_letters
    ]
    if found.ingest and not found.is_exact:
        lines.append(f"  one of {len(found.ingest)} requests accepted in that second:")
    for function, events in (("ingest", found.ingest), ("process", found.process)):
        lines += [f"  {iso(one['at'] / 1000)} {function}: {_line(one)}" for one in events]
    lines += [f"  unknown: {safe(one)}" for one in found.unknown]
    lines += [f"  left out: {safe(one)}" for one in found.left_out]
    screen.result(document, *lines)
    return 0


def _line(event: dict[str, Any]) -> str:
    return ", ".join(f"{name} {safe(event[name])}" for name in SHOWN if event.get(name))
