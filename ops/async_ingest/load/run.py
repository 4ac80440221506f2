"""What a run has shown: in one line, and as a document."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from async_ingest.load.backlog import Backlog
from async_ingest.load.latency import Latencies
from async_ingest.load.ledger import DEAD_LETTERED, MISSING, Account, Counts, counts_of
from async_ingest.load.schedule import per_second
from async_ingest.load.sender import DROPPED, Result
from async_ingest.sending import ACCEPTED, REFUSED, UNKNOWN

# What is wrong with a run, by the count of orders.
MEANING = {
    DROPPED: "not sent in time: more senders are needed, or fewer requests",
    REFUSED: "refused by a 4xx: see the statuses",
    UNKNOWN: "without an answer, or answered by a 5xx: a client would send them again",
    DEAD_LETTERED: "in the dead-letter queue: `async-ingest dlq list` has the reasons",
    MISSING: "accepted, and neither in the table nor in the dead-letter queue",
}


@dataclass(frozen=True)
class Run:
    """A run that is over.

    Attributes:
        settings: What it was asked to do, for the documents.
        began: In seconds of the epoch.
        results: Of all requests.
        account: Of the accepted orders; None if nobody has looked.
        backlog: Of the queue; None as above.
    """

    settings: Mapping[str, Any]
    began: float
    results: Sequence[Result]
    account: Account | None = None
    backlog: Backlog | None = None

    @cached_property
    def sent(self) -> list[Result]:
        return [one for one in self.results if one.outcome != DROPPED]

    @cached_property
    def requests(self) -> Counts:
        return counts_of(self.results, of_orders=False)

    @cached_property
    def orders(self) -> Counts:
        counts = counts_of(self.results, of_orders=True)
        return counts | (self.account.counts if self.account else {})

    @cached_property
    def latency(self) -> Latencies:
        return Latencies(one.latency for one in self.sent)

    @cached_property
    def service_time(self) -> Latencies:
        return Latencies(one.service_time for one in self.sent)

    @cached_property
    def late(self) -> Latencies:
        return Latencies(one.sent - one.due for one in self.sent)

    @property
    def seconds(self) -> float:
        return max((one.due for one in self.results), default=0.0)

    @property
    def began_at(self) -> str:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.began))

    @property
    def dead_letter_reasons(self) -> dict[str, int]:
        """How many orders are in the dead-letter queue for which reason."""
        return dict(Counter(self.account.dead.values())) if self.account else {}

    @property
    def statuses(self) -> dict[str, int]:
        """How many requests had which status; "0" is no answer."""
        counts = Counter(one.status for one in self.sent)
        return {str(status): counts[status] for status in sorted(counts)}

    @cached_property
    def drain_seconds(self) -> float | None:
        last = max((one.ended for one in self.sent), default=0.0)
        return self.backlog.drained_after(self.began + last) if self.backlog else None

    @property
    def problems(self) -> list[str]:
        """What is wrong, each in a sentence."""
        found = [
            f"{self.orders[outcome]:,} orders: {meaning}."
            for outcome, meaning in MEANING.items()
            if self.orders.get(outcome)
        ]
        if self.account and self.account.refused_stored:
            found.append(f"{self.account.refused_stored:,} refused orders are in the table.")
        return found

    def summary(self) -> str:
        """Returns the run in a line."""
        orders, account = self.orders, self.account
        parts = [
            f"{orders['scheduled']:,} orders in {self.requests['scheduled']:,} requests "
            f"in {self.seconds:.0f} s",
            *(f"{orders[one]:,} {one}" for one in (ACCEPTED, REFUSED, UNKNOWN, DROPPED)),
        ]
        said = ", ".join(parts)
        if account:
            words = (f"{n:,} {one.replace('_', '-')}" for one, n in account.counts.items())
            said += f"; of the accepted {', '.join(words)}"
        return said + f"; p50 {self.latency.ms(50):.0f} ms, p99 {self.latency.ms(99):.0f} ms"

    def document(self) -> dict[str, Any]:
        return {
            **self.settings,
            "began": self.began_at,
            "seconds": round(self.seconds, 3),
            "requests": self.requests,
            "orders": self.orders,
            "statuses": self.statuses,
            "latency_ms": self.latency.as_json(),
            "service_time_ms": self.service_time.as_json(),
            "sent_late_ms": self.late.as_json(),
            **self._account_document(),
            "problems": self.problems,
            "by_second": self.by_second,
        }

    def _account_document(self) -> dict[str, Any]:
        if not self.account:
            return {}
        return {
            "dead_letter_reasons": self.dead_letter_reasons,
            "unknown_stored": self.account.unknown_stored,
            "refused_stored": self.account.refused_stored,
            "missing_orders": [str(one.mark) for one in self.account.missing[:10]],
            "peak_backlog": self.backlog.peak if self.backlog else None,
            "drain_seconds": None if self.drain_seconds is None else round(self.drain_seconds, 1),
        }

    @cached_property
    def by_second(self) -> list[dict[str, Any]]:
        """Returns counts of requests, and latencies in ms of those that were due in a second."""
        latencies: dict[int, list[float]] = {}
        for one in self.sent:
            latencies.setdefault(int(one.due), []).append(one.latency * 1000)
        columns = {
            "due": per_second(one.due for one in self.results),
            "sent": per_second(one.sent for one in self.sent),
            ACCEPTED: per_second(one.ended for one in self.sent if one.outcome == ACCEPTED),
        }
        rows = []
        for second in range(max(map(len, columns.values()))):
            row: dict[str, Any] = {"second": second}
            row |= {name: sum(counts[second : second + 1]) for name, counts in columns.items()}
            if ordered := sorted(latencies.get(second, ())):
                row |= {f"p{n}": round(ordered[len(ordered) * n // 100], 1) for n in (50, 99)}
                row["max"] = round(ordered[-1], 1)
            rows.append(row)
        return rows
