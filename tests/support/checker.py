"""Checks that the table and the dead-letter queue account for every order of a history."""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from tests.support.history import Attempt, History, Outcome

Row = dict[str, Any]  # deserialized

VIOLATIONS = ("lost", "unexpected", "stale", "given_up")  # of the promises: see Verdict


@dataclass
class Verdict:
    """What has become of the orders. The four violations are empty if every promise is kept."""

    stored: int
    superseded: int
    dead_lettered: int
    lost: list[int]  # acknowledged, and neither stored nor superseded nor dead-lettered
    # Stored or dead-lettered, and refused, or never sent in this form; or forged and acknowledged.
    unexpected: list[str]
    stale: list[str]  # keys whose row is older than the newest acknowledged order
    given_up: list[int]  # dead-lettered, although they can be stored

    @property
    def is_good(self) -> bool:
        return not any(getattr(self, violation) for violation in VIOLATIONS)


def rows_of(items: Iterable[dict[str, Any]]) -> list[Row]:
    """Returns rows from items in DynamoDB's wire format."""
    read = TypeDeserializer().deserialize
    return [{name: read(value) for name, value in item.items()} for item in items]


def check(history: History, rows: Iterable[Row], dead_letters: Iterable[str]) -> Verdict:
    """Accounts for every order of a history, once the queue is empty.

    Of two orders of a key, the newer is the one that was sent after the other was answered. Where
    they overlap, accepted_at decides: a row is stale only if its accepted_at is before the time at
    which a later acknowledged order was sent. An accepted_at after the answer is impossible and
    counts as the time of the answer; otherwise it could hide a stale row.

    If orders have versions, the newer is the one of the higher version. Of equal versions it is the
    one that was answered before the other was sent.

    Args:
        history: All that was sent.
        rows: Of the table, with the keys of this history.
        dead_letters: Bodies of the messages in the dead-letter queue.
    """
    dead = {number for body in dead_letters for number in _numbers_in(body)}
    row_of = {(row["order_id"], row["item"]): row for row in rows}
    accepted_at = {key: _accepted_at(history, row) for key, row in row_of.items()}
    unexpected = [f"row {key}" for key, row in row_of.items() if not _is_as_sent(history, row)]
    unexpected += [f"dead letter {number}" for number in dead if not _may_exist(history, number)]
    unexpected += [
        f"forged {number}"
        for number, attempt in history.attempts.items()
        if not attempt.is_genuine and attempt.outcome is Outcome.ACKNOWLEDGED
    ]

    lost: list[int] = []
    stale: dict[tuple[str, str], None] = {}
    stored = superseded = 0
    for attempt in history.attempts.values():
        if attempt.outcome is not Outcome.ACKNOWLEDGED:
            continue
        if not attempt.is_storable:
            lost += [] if attempt.number in dead else [attempt.number]
            continue
        row = row_of.get(attempt.key)
        may_stay = row and _may_stay(history, row, accepted_at[attempt.key], attempt)
        if row and not may_stay:
            stale[attempt.key] = None
        if row and row.get("number") == attempt.number:
            stored += 1
        elif may_stay:
            superseded += 1
        elif attempt.number not in dead:
            lost.append(attempt.number)
    given_up = [
        number
        for number, attempt in history.attempts.items()
        if attempt.is_storable and number in dead
    ]
    found = list(map(str, stale))
    return Verdict(stored, superseded, len(dead), lost, unexpected, found, given_up)


def _may_stay(history: History, row: Row, accepted_at: float, attempt: Attempt) -> bool:
    """Returns whether a row is perhaps as new as an acknowledged order of its key, or newer."""
    if not history.version:
        return accepted_at >= attempt.sent_at
    stored, own = row.get(history.version, -math.inf), attempt.order[history.version]
    return bool(stored > own or (stored == own and accepted_at <= attempt.answered_at))


def _numbers_in(body: str) -> list[Any]:
    """Returns the numbers of a message's orders, None for what has no number."""
    try:
        document = json.loads(body)
    except ValueError:
        return [None]
    orders = document if isinstance(document, list) else [document]
    return [order.get("number") if isinstance(order, dict) else None for order in orders]


def _attempt_of(history: History, row: Row) -> Attempt | None:
    return history.attempts.get(int(row.get("number", 0)))


def _accepted_at(history: History, row: Row) -> float:
    attempt = _attempt_of(history, row)
    return min(float(row.get("accepted_at", 0)), attempt.answered_at if attempt else math.inf)


def _is_as_sent(history: History, row: Row) -> bool:
    attempt = _attempt_of(history, row)
    kept_in = f"order_version_N_{history.version}"
    content = {name: v for name, v in row.items() if name not in ("accepted_at", kept_in)}
    return (
        attempt is not None
        and attempt.is_storable
        and attempt.is_genuine
        and attempt.outcome is not Outcome.REFUSED
        and content == attempt.order
        and "accepted_at" in row
        and row.get(kept_in) == attempt.order.get(history.version)
    )


def _may_exist(history: History, number: Any) -> bool:
    attempt = history.attempts.get(number)
    return attempt is not None and attempt.is_genuine and attempt.outcome is not Outcome.REFUSED
