"""Sends orders, and accounts for every answer."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from async_ingest.http_client import Answer, Client, NoAnswerError
from async_ingest.journal import Lines
from async_ingest.mover import Rate

ACCEPTED, REFUSED, UNKNOWN = "accepted", "refused", "unknown"
ATTEMPTS = 5
LONGEST_PAUSE_SECONDS = 30.0


@dataclass(frozen=True)
class Sent:
    """What became of a line: an order, or an array of orders.

    Attributes:
        number: Of the line, from 1.
        outcome: Accepted, refused, which another attempt does not change, or unknown: there was no
            answer, or a 5xx.
        status: Of the last answer; 0 without one.
        detail: The message's id, or what is wrong.
    """

    number: int
    outcome: str
    status: int
    detail: str


class Ledger:
    """What was answered, on disk, so that a later run sends only the rest.

    An order that is sent twice is the same row, so an unknown one is sent again.
    """

    def __init__(self, path: Path) -> None:
        self._lines = Lines(path)
        self._lines.lock()
        self.settled: dict[int, str] = {
            line["number"]: line["outcome"]
            for line in self._lines.read()
            if line["outcome"] != UNKNOWN
        }

    def note(self, some: Iterable[Sent]) -> None:
        self._lines.append(*(vars(sent) for sent in some))
        self.settled |= {sent.number: sent.outcome for sent in some if sent.outcome != UNKNOWN}

    def close(self) -> None:
        self._lines.close()


def send(
    client: Client,
    lines: Iterable[str],
    *,
    connections: int = 4,
    per_second: float | None = None,
    ledger: Ledger | None = None,
    on_sent: Callable[[Sent], None] = lambda _sent: None,
) -> Counter[str]:
    """Sends each line that is not settled yet. Returns how many had which outcome."""
    counts = Counter[str]()
    settled = dict(ledger.settled) if ledger else {}
    counts.update(settled.values())
    rest = _unsettled(lines, settled)
    rate = Rate(per_second)
    running: set[Future[Sent]] = set()
    with ThreadPoolExecutor(connections) as pool:
        while True:
            for number, line in islice(rest, connections - len(running)):
                rate.wait(1)
                running.add(pool.submit(_sent, client, number, line))
            if not running:
                return counts
            done, running = wait(running, return_when=FIRST_COMPLETED)
            results = [future.result() for future in done]
            if ledger:
                ledger.note(results)
            for sent in results:
                counts[sent.outcome] += 1
                on_sent(sent)


def _unsettled(lines: Iterable[str], settled: dict[int, str]) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(lines, 1):
        if line.strip() and number not in settled:
            yield number, line


def _sent(client: Client, number: int, line: str) -> Sent:
    """Sends a line until it is answered for good, or ATTEMPTS times."""
    body, outcome = line.strip().encode(), Sent(number, UNKNOWN, 0, "")
    for attempt in range(ATTEMPTS):
        pause = 0.5 * 2**attempt
        try:
            answer = client.post(body)
        except NoAnswerError as error:
            outcome = Sent(number, UNKNOWN, 0, str(error))
        else:
            outcome = judged(number, answer)
            if outcome.outcome != UNKNOWN:
                return outcome
            given = answer.headers.get("Retry-After", "")
            pause = float(given) if given.isdecimal() else pause
        if attempt + 1 < ATTEMPTS:
            time.sleep(min(pause, LONGEST_PAUSE_SECONDS))
    return outcome


def judged(number: int, answer: Answer) -> Sent:
    """Returns what an answer means for a line."""
    document = answer.document
    if answer.status == 202:
        return Sent(number, ACCEPTED, 202, str(document.get("message_id", "")))
    detail = json.dumps(document.get("errors")) if document.get("errors") else ""
    detail = detail or str(document.get("detail") or answer.body[:200].decode(errors="replace"))
    is_final = 400 <= answer.status < 500 and answer.status not in (408, 429)
    return Sent(number, REFUSED if is_final else UNKNOWN, answer.status, detail)
