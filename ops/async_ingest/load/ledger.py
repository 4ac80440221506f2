"""Accounts for every order of a run, by reading the table and the dead-letter queue.

scheduled = sent + dropped
sent = accepted + refused + unknown
accepted = stored + superseded + dead-lettered + missing, of which none may be missing
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeGuard

from async_ingest.load.mix import MARK, Generator, Mark
from async_ingest.load.sender import DROPPED, Result
from async_ingest.receiving import Pass, batches_of
from async_ingest.sending import ACCEPTED, REFUSED, UNKNOWN
from async_ingest.system import System
from async_ingest.verdict import LOOK_SECONDS, key_text, read_rows

CLOCKS_SECONDS = 1.0  # by which the clocks of instances, and of this machine, may differ
POLL_SECONDS = 1.0
CHUNK = 1000  # orders whose rows are read at a time

STORED, SUPERSEDED, DEAD_LETTERED, MISSING = "stored", "superseded", "dead_lettered", "missing"


Counts = dict[str, int]


def counts_of(results: Iterable[Result], *, of_orders: bool) -> Counts:
    """Returns how many requests, or orders in them, were scheduled, sent and answered how."""
    counts = Counter[str]()
    for one in results:
        counts[one.outcome] += one.orders if of_orders else 1
    return {
        "scheduled": counts.total(),
        DROPPED: counts[DROPPED],
        "sent": counts.total() - counts[DROPPED],
        **{outcome: counts[outcome] for outcome in (ACCEPTED, REFUSED, UNKNOWN)},
    }


class Order(NamedTuple):
    """An order that was sent, with its row's key in DynamoDB's format."""

    mark: Mark
    key: dict[str, dict[str, str]]


@dataclass
class Account:
    """What became of the accepted orders, and of others that have a row nevertheless.

    Attributes:
        settled: How many are stored, or superseded by a newer order of their key.
        holders: Of these the order that each key's row holds, by the key's text.
        dead: Those in the dead-letter queue, with the reason.
        missing: Neither, or overwritten by an older order.
        unknown_stored: Orders without a clear answer that are stored.
        refused_stored: Refused orders that are stored: a contradiction.
    """

    settled: int = 0
    holders: dict[str, Mark] = field(default_factory=dict)
    dead: dict[Mark, str] = field(default_factory=dict)
    missing: list[Order] = field(default_factory=list)
    unknown_stored: int = 0
    refused_stored: int = 0

    @property
    def counts(self) -> Counts:
        return {
            STORED: len(self.holders),
            SUPERSEDED: self.settled - len(self.holders),
            DEAD_LETTERED: len(self.dead),
            MISSING: len(self.missing),
        }


class Auditor:
    """Reads what became of a run's orders.

    Args:
        system: That was to store them.
        generator: Made them, and makes them again here.
        results: Of all requests.
        began: When the run started, in seconds of the epoch.
    """

    def __init__(
        self, system: System, generator: Generator, results: Iterable[Result], began: float
    ) -> None:
        self._system = system
        self._generator = generator
        self._sent = {one.request: one for one in results if one.outcome != DROPPED}
        self._began = began

    def account(self, seconds: float) -> Account:
        """Returns the account, after so many seconds at most if some are missing until then."""
        deadline = time.monotonic() + seconds
        account = Account()
        todo: Iterable[Order] = self._orders(ACCEPTED)
        while True:
            account.missing = [
                one for some in batches_of(todo, CHUNK) for one in self._settle(some, account)
            ]
            if account.missing:
                self._look_among_dead_letters(account)
            if not account.missing or time.monotonic() > deadline:
                break
            time.sleep(POLL_SECONDS)
            todo = account.missing
        account.unknown_stored = self._stored(UNKNOWN)
        account.refused_stored = self._stored(REFUSED)
        return account

    def _orders(self, outcome: str) -> Iterator[Order]:
        for request, result in self._sent.items():
            if result.outcome != outcome:
                continue
            for position, order in enumerate(self._generator.orders(request)):
                key = {one.name: {one.type: str(order[one.name])} for one in self._system.keys}
                yield Order(Mark(self._generator.run, request, position), key)

    def _settle(self, orders: Sequence[Order], account: Account) -> Iterator[Order]:
        """Notes the orders that are settled. Yields the others."""
        rows = read_rows(self._system, (order.key for order in orders))
        for order in orders:
            text = key_text(order.key)
            row = rows.get(text)
            if row is None or not self._has_settled(order, row):
                yield order
                continue
            account.settled += 1
            account.holders.pop(text, None)
            holder = _mark_in(row)
            if self._is_accepted(holder):
                account.holders[text] = holder

    def _is_accepted(self, mark: Mark | None) -> TypeGuard[Mark]:
        if mark is None or mark.run != self._generator.run or mark.request not in self._sent:
            return False
        return self._sent[mark.request].outcome == ACCEPTED

    def _has_settled(self, order: Order, row: dict[str, Any]) -> bool:
        """Returns whether a row holds an order, or one that is rightly there instead."""
        holder = _mark_in(row)
        if holder == order.mark:
            return True
        own = self._sent[order.mark.request]
        if holder is None or holder.run != self._generator.run:
            accepted_at = int(row.get(self._system.accepted_at_name, {}).get("N", 0)) / 1e6
            return accepted_at >= self._began + own.sent - CLOCKS_SECONDS
        if self._generator.version:
            return holder.request > order.mark.request
        # Accepted before this one was sent, it would be older, and must not have won.
        other = self._sent.get(holder.request)
        return other is not None and (
            other.outcome != ACCEPTED or other.ended >= own.sent - CLOCKS_SECONDS
        )

    def _look_among_dead_letters(self, account: Account) -> None:
        found: dict[Mark, str] = {}
        with Pass(self._system, LOOK_SECONDS) as look:
            for letters in look.batches():
                for letter in letters:
                    marks = (Mark.read(order.get(MARK)) for order in letter.orders)
                    found |= dict.fromkeys(filter(None, marks), letter.kind)
        dead = {one.mark: found[one.mark] for one in account.missing if one.mark in found}
        account.dead |= dead
        account.missing = [one for one in account.missing if one.mark not in dead]

    def _stored(self, outcome: str) -> int:
        """Returns how many orders of another outcome have their row."""
        count = 0
        for some in batches_of(self._orders(outcome), CHUNK):
            rows = read_rows(self._system, (order.key for order in some))
            count += sum(_mark_in(rows.get(key_text(one.key), {})) == one.mark for one in some)
        return count


def _mark_in(row: dict[str, Any]) -> Mark | None:
    return Mark.read(row.get(MARK, {}).get("S"))
