"""What was sent, what came of it, and whether that adds up."""

import itertools
import json
import math
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

Row = dict[str, Any]
Order = dict[str, Any]

PROMISES = ("lost", "unexpected", "stale", "given_up")  # that orders can break: see Verdict

_numbers = itertools.count(1)


class Outcome(Enum):
    """What the sender knows of an order."""

    ACKNOWLEDGED = "acknowledged"  # answered 202, or confirmed by SQS
    REFUSED = "refused"  # answered 4xx
    INDETERMINATE = "indeterminate"  # no answer, or an error: it may have arrived


def now() -> int:
    """Microseconds since the epoch, as ingest stamps."""
    return time.time_ns() // 1000


@dataclass
class Attempt:
    """One order that was sent once. Its number is in the order, and so in the row."""

    order: Order
    is_storable: bool = True
    outcome: Outcome = Outcome.INDETERMINATE
    sent_at: int = 0  # microseconds since the epoch
    answered_at: float = math.inf  # what ingest stamps lies between the two

    @property
    def number(self) -> int:
        number: int = self.order["number"]
        return number

    @property
    def key(self) -> tuple[str, str]:
        return self.order["order_id"], self.order["item"]


@dataclass
class Ledger:
    """The orders of one scenario, each attempt with a number that no other has."""

    name: str
    attempts: dict[int, Attempt] = field(default_factory=dict)

    def order(self, key: int | str, **attributes: Any) -> Attempt:
        """An order to be sent. The same key again is a newer version of the same row."""
        order = {"order_id": f"{self.name}/{key}", "item": "Kopi Susu", **attributes}
        return self._add(Attempt(order | {"number": next(_numbers)}))

    def poison(self) -> Attempt:
        """An order that nobody can store: it lacks a key."""
        order = {"order_id": f"{self.name}/poison", "number": next(_numbers)}
        return self._add(Attempt(order, is_storable=False))

    def _add(self, attempt: Attempt) -> Attempt:
        self.attempts[attempt.number] = attempt
        return attempt

    def count(self, outcome: Outcome) -> int:
        return sum(attempt.outcome is outcome for attempt in self.attempts.values())


@dataclass
class Verdict:
    """Numbers of orders, and keys, that break a promise. All four are empty if all is well."""

    stored: int
    superseded: int
    dead_lettered: int
    lost: list[int]  # acknowledged, and neither stored nor superseded nor dead-lettered
    unexpected: list[str]  # stored or dead-lettered, and never sent so, or refused
    stale: list[str]  # keys whose row is older than the newest acknowledged order
    given_up: list[int]  # dead-lettered, although they can be stored

    @property
    def is_good(self) -> bool:
        return not any(getattr(self, promise) for promise in PROMISES)


def judge(ledger: Ledger, rows: Iterable[Row], dead_letters: Iterable[str]) -> Verdict:
    """Accounts for every order of the ledger, once the queue is empty.

    ``dead_letters`` are the bodies of the messages in the dead-letter queue.

    Of two orders of a key the newer is the one that was sent after the other was answered. Where
    they overlap the stamp decides, so a row is stale only if its stamp is older than the moment at
    which a later order that was acknowledged was sent. A stamp that ingest cannot have made counts
    as the latest that it can have made, or a wrong one would hide that the row is stale.
    """
    dead = {number for body in dead_letters for number in _numbers_in(body)}
    row_of = {(row["order_id"], row["item"]): row for row in rows}
    accepted_at = {key: _accepted_at(ledger, row) for key, row in row_of.items()}
    unexpected = [f"row {key}" for key, row in row_of.items() if not _is_as_sent(ledger, row)]
    unexpected += [f"dead letter {number}" for number in dead if not _was_taken(ledger, number)]

    lost: list[int] = []
    newest: dict[tuple[str, str], int] = {}
    stored = superseded = 0
    for attempt in ledger.attempts.values():
        if attempt.outcome is not Outcome.ACKNOWLEDGED:
            continue
        if not attempt.is_storable:
            lost += [] if attempt.number in dead else [attempt.number]
            continue
        newest[attempt.key] = max(attempt.sent_at, newest.get(attempt.key, 0))
        row = row_of.get(attempt.key)
        if row and row.get("number") == attempt.number:
            stored += 1
        elif row and accepted_at[attempt.key] >= attempt.sent_at:
            superseded += 1
        elif attempt.number not in dead:
            lost.append(attempt.number)
    stale = [
        str(key) for key, sent_at in newest.items() if key in row_of and accepted_at[key] < sent_at
    ]
    given_up = [
        number
        for number, attempt in ledger.attempts.items()
        if attempt.is_storable and number in dead
    ]
    return Verdict(stored, superseded, len(dead), lost, unexpected, stale, given_up)


def _numbers_in(body: str) -> list[Any]:
    """The numbers of a message's orders; None for what has none."""
    try:
        document = json.loads(body)
    except ValueError:
        return [None]
    orders = document if isinstance(document, list) else [document]
    return [order.get("number") if isinstance(order, dict) else None for order in orders]


def _attempt_of(ledger: Ledger, row: Row) -> Attempt | None:
    return ledger.attempts.get(int(row.get("number", 0)))


def _accepted_at(ledger: Ledger, row: Row) -> float:
    attempt = _attempt_of(ledger, row)
    return min(float(row.get("accepted_at", 0)), attempt.answered_at if attempt else math.inf)


def _is_as_sent(ledger: Ledger, row: Row) -> bool:
    attempt = _attempt_of(ledger, row)
    content = {name: value for name, value in row.items() if name != "accepted_at"}
    return (
        attempt is not None
        and attempt.is_storable
        and attempt.outcome is not Outcome.REFUSED
        and content == attempt.order
        and "accepted_at" in row
    )


def _was_taken(ledger: Ledger, number: Any) -> bool:
    attempt = ledger.attempts.get(number)
    return attempt is not None and attempt.outcome is not Outcome.REFUSED
