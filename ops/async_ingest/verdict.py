"""What became of the orders of a redrive: written, superseded, or back again."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from async_ingest.dead_letters import DeadLetter
from async_ingest.receiving import Pass
from async_ingest.system import System

MAX_JUDGED = 10_000  # messages; of more, the first so many
KEYS_PER_CALL = 100  # BatchGetItem, AWS's limit
LOOK_SECONDS = 30  # for which the dead-letter queue's messages are hidden while they are looked at
POLL_SECONDS = 1.0

WRITTEN = "written"
SUPERSEDED = "superseded"
BACK = "back_again"
MISSING = "missing"

MEANING = {
    WRITTEN: "written",
    SUPERSEDED: "superseded by a newer order of their key, which is stored",
    BACK: "back again in the dead-letter queue",
    MISSING: "without a row: still in the queue, or of a key that a hook has changed",
}


def wait_for_the_queue(system: System, seconds: float) -> bool:
    """Waits until nothing is on the queue or in flight. Returns whether that is so."""
    deadline = time.monotonic() + seconds
    while sum(system.depth(system.queue_url)):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def judge(system: System, letters: Iterable[DeadLetter]) -> Counter[str]:
    """Counts messages by what became of them. Of one with several orders, the worst counts.

    Raises:
        ClientError: The table or the dead-letter queue may not be read.
    """
    verdict = Counter[str]()
    missing: list[DeadLetter] = []
    for some in _batches(letters):
        rows = _rows(system, some)
        for letter in some:
            found = {_state(system, order, letter.accepted_at, rows) for order in letter.orders}
            if MISSING in found or not found:
                missing.append(letter)
            else:
                verdict[SUPERSEDED if SUPERSEDED in found else WRITTEN] += 1
    if missing:
        back = _original_ids(system)
        for letter in missing:
            verdict[BACK if letter.original_id in back else MISSING] += 1
    return verdict


def exported(path: Path, ids: Iterable[str]) -> Iterator[DeadLetter]:
    """Yields the messages of an export with these ids, at most MAX_JUDGED."""
    wanted, count = set(ids), 0
    with path.open() as lines:
        for line in lines:
            letter = DeadLetter.from_export(json.loads(line))
            if letter.id in wanted:
                yield letter
                count += 1
                if count == MAX_JUDGED:
                    return


def row_key(system: System, order: Mapping[str, Any]) -> dict[str, dict[str, str]] | None:
    """Returns the key of an order's row in DynamoDB's format, or None if it has none."""
    key: dict[str, dict[str, str]] = {}
    for name, kind in system.keys:
        value = order.get(name)
        if isinstance(value, Decimal if kind == "N" else str):
            key[name] = {kind: str(value)}
        else:
            return None
    return key


def _state(
    system: System, order: Mapping[str, Any], accepted_at: int, rows: Mapping[str, dict[str, Any]]
) -> str:
    key = row_key(system, order)
    row = rows.get(key_text(key)) if key else None
    stored = int(row.get(system.accepted_at_name, {}).get("N", 0)) if row else 0
    if stored == accepted_at:
        return WRITTEN
    is_versioned = bool(row) and any(name.startswith("order_version_") for name in row or {})
    return SUPERSEDED if stored > accepted_at or is_versioned else MISSING


def _rows(system: System, letters: Iterable[DeadLetter]) -> dict[str, dict[str, Any]]:
    """Returns the rows of all orders in messages, by the text of their keys."""
    orders = (order for letter in letters for order in letter.orders)
    return read_rows(system, (key for order in orders if (key := row_key(system, order))))


def read_rows(
    system: System, keys: Iterable[Mapping[str, dict[str, str]]]
) -> dict[str, dict[str, Any]]:
    """Returns the rows with these keys, which may repeat, by the keys' texts.

    Raises:
        ClientError: The table may not be read.
    """
    names = [key.name for key in system.keys]
    found: dict[str, dict[str, Any]] = {}
    wanted = list({key_text(key): key for key in keys}.values())
    while wanted:
        request = {system.table_name: {"Keys": wanted[:KEYS_PER_CALL], "ConsistentRead": True}}
        answer = system.aws.client("dynamodb").batch_get_item(RequestItems=request)
        for row in answer["Responses"].get(system.table_name, []):
            found[key_text({name: row[name] for name in names})] = row
        left = answer.get("UnprocessedKeys", {}).get(system.table_name, {}).get("Keys", [])
        wanted = [*left, *wanted[KEYS_PER_CALL:]]
    return found


def key_text(key: Mapping[str, Any]) -> str:
    """Returns a key as text, which is the same for the same number."""
    parts: dict[str, Any] = {
        name: Decimal(one["N"]).normalize() if "N" in one else one for name, one in key.items()
    }
    return json.dumps(parts, sort_keys=True, default=str)


def _original_ids(system: System) -> set[str]:
    with Pass(system, LOOK_SECONDS) as look:
        return {letter.original_id for batch in look.batches() for letter in batch}


def _batches(letters: Iterable[DeadLetter]) -> Iterator[list[DeadLetter]]:
    some: list[DeadLetter] = []
    for letter in letters:
        some.append(letter)
        if sum(len(one.orders) for one in some) >= KEYS_PER_CALL:
            yield some
            some = []
    if some:
        yield some
