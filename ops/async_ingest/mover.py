"""Moves dead letters back to the queue, or away, and loses none when it is killed at any point.

Each batch goes through these steps, and the next begins when the one before is on the disk or
confirmed by SQS:

1. receive it, and note its receipt handles in the journal
2. export it
3. send it to the queue, and note which messages SQS has confirmed, unaltered
4. delete exactly those

A run that continues a killed one releases what that held, deletes what that had sent, and sends
the rest. Only a kill between SQS's confirmation and its note makes a message be sent twice, which
`accepted_at` makes harmless: an order that is older than the stored one, or the same, changes
nothing.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from async_ingest import dead_letters
from async_ingest.dead_letters import Attributes, DeadLetter, Selection
from async_ingest.errors import INCOMPLETE, OpsError
from async_ingest.journal import Journal
from async_ingest.receiving import BATCH, Pass, release
from async_ingest.system import System

MAX_BATCH_BYTES = 262_144  # what every region takes; a larger message goes alone

REDRIVE, DISCARD, EXPORT = "redrive", "discard", "export"


@dataclass
class Tally:
    """What became of the messages of a pass.

    Attributes:
        taken: Sent and deleted, or discarded, or exported.
        skipped: Not selected.
        too_new: Enqueued after the start.
        back_again: Sent by this run, and dead-lettered again since.
        kept: That could not be sent, by the cause.
        elsewhere: In flight elsewhere, and so not seen.
        unexported: Of those taken, moved by AWS without an export: they came during its task.
    """

    taken: int = 0
    skipped: int = 0
    too_new: int = 0
    back_again: int = 0
    kept: Counter[str] = field(default_factory=Counter)
    elsewhere: int = 0
    unexported: int = 0

    def as_json(self) -> dict[str, Any]:
        return {**vars(self), "kept": dict(self.kept)}


class Rate:
    """Lets so many messages a second pass; None lets all."""

    def __init__(self, per_second: float | None) -> None:
        self._per_second = per_second
        self._due = time.monotonic()

    @property
    def batch(self) -> int:
        return BATCH if not self._per_second else max(1, min(BATCH, int(self._per_second)))

    def wait(self, messages: int) -> None:
        if self._per_second:
            now = time.monotonic()
            time.sleep(max(0.0, self._due - now))
            self._due = max(now, self._due) + messages / self._per_second


class Mover:
    """One run over the dead-letter queue.

    Args:
        system: Whose dead letters.
        journal: Begun, or that of a run to continue.
        visibility: Seconds for which a killed run hides what it has received.
        per_second: Messages; None as many as possible.
        on_progress: Called after each batch.
        on_wait: Called while messages are in flight elsewhere, with their number.
    """

    def __init__(
        self,
        system: System,
        journal: Journal,
        *,
        visibility: int,
        per_second: float | None = None,
        on_progress: Callable[[Tally], None] = lambda _tally: None,
        on_wait: Callable[[int], None] = lambda _elsewhere: None,
    ) -> None:
        self._system = system
        self._journal = journal
        self._action: str = journal.begun["begin"]
        self._selection = Selection(**journal.begun["selection"])
        self._rate = Rate(per_second)
        self._on_progress = on_progress
        self._pass = Pass(system, visibility, visibility + 30, journal, on_wait)
        self.tally = Tally(taken=len(journal.deleted))

    def run(self) -> Tally:
        """Moves all that are selected.

        Raises:
            OpsError: SQS has not confirmed what was sent, or messages are in flight elsewhere.
        """
        with self._pass:
            self._give_back_what_a_killed_run_held()
            for letters in self._pass.batches(self._rate.batch):
                self._take(letters)
                self._on_progress(self.tally)
                if self._left() == 0:
                    break
        self.tally.elsewhere = self._pass.elsewhere if self._left() else 0
        if self._pass.is_full:
            raise OpsError(
                "Too many dead letters are not selected. Redrive, export or discard those first.",
                INCOMPLETE,
            )
        if self.tally.elsewhere:
            raise OpsError(
                f"{self.tally.elsewhere} dead letters are in flight elsewhere, held by another "
                "consumer. Run the same command again to continue.",
                INCOMPLETE,
            )
        self._journal.end()
        return self.tally

    def _give_back_what_a_killed_run_held(self) -> None:
        release(self._system, dict(self._journal.outstanding), self._journal)

    def _left(self) -> int | None:
        limit = self._selection.limit
        return None if limit is None else max(0, limit - self.tally.taken)

    def _take(self, letters: Sequence[DeadLetter]) -> None:
        # A killed run has sent these, but has not deleted them, or not with their last handle.
        done = [letter for letter in letters if letter.id in self._journal.sent]
        self._finish(done)
        chosen = [letter for letter in letters if letter not in done and self._is_chosen(letter)]
        chosen = chosen[: self._left()]
        if not chosen:
            return
        self._journal.export(letter.exported() for letter in chosen)
        if self._action == EXPORT:
            self.tally.taken += len(chosen)
            return
        self._rate.wait(len(chosen))
        self._finish(self._sent(chosen) if self._action == REDRIVE else chosen)

    def _finish(self, letters: Sequence[DeadLetter]) -> None:
        before = len(self._journal.deleted)
        if letters:
            self._pass.delete(letters)
        self.tally.taken += len(self._journal.deleted) - before

    def _is_chosen(self, letter: DeadLetter) -> bool:
        if letter.original_id != letter.id and letter.original_id in self._journal.originals:
            self.tally.back_again += 1
        elif letter.sent_ms > self._journal.begun["before_ms"]:
            self.tally.too_new += 1
        elif not self._selection.matches(letter, self._journal.begun["before_ms"] / 1000):
            self.tally.skipped += 1
        elif not letter.is_unaltered():
            self.tally.kept["received with another body than SQS states"] += 1
        else:
            return True
        return False

    def _sent(self, letters: Sequence[DeadLetter]) -> list[DeadLetter]:
        """Sends messages to the queue. Returns those that SQS has confirmed, unaltered."""
        ready: list[tuple[DeadLetter, Attributes]] = []
        for letter in letters:
            attributes = letter.attributes_to_send()
            if attributes is None:
                self.tally.kept["10 attributes of its own, and no room for accepted_at"] += 1
            else:
                ready.append((letter, attributes))
        sent: list[DeadLetter] = []
        for batch in _fitting(ready):
            sent += self._sent_batch(batch)
        return sent

    def _sent_batch(self, batch: Sequence[tuple[DeadLetter, Attributes]]) -> list[DeadLetter]:
        entries = [
            dead_letters.entry(one, n, attributes) for n, (one, attributes) in enumerate(batch)
        ]
        answer = self._system.sqs.send_message_batch(
            QueueUrl=self._system.queue_url, Entries=entries
        )
        new_ids: dict[str, str] = {}
        originals: list[str] = []
        for confirmed in answer.get("Successful", []):
            letter, attributes = batch[int(confirmed["Id"])]
            if confirmed.get("MD5OfMessageBody") != dead_letters.md5(letter.body) or confirmed.get(
                "MD5OfMessageAttributes"
            ) != dead_letters.md5_of(attributes):
                raise OpsError(
                    f"SQS has confirmed another message than {letter.id}, which stays where it is."
                )
            new_ids[letter.id] = confirmed["MessageId"]
            originals.append(letter.original_id)
        self._journal.was_sent(new_ids, originals)
        for failed in answer.get("Failed", []):
            self.tally.kept[f"{failed['Code']}: {failed.get('Message', '')}"] += 1
        return [letter for letter, _ in batch if letter.id in new_ids]


def _fitting(
    ready: Sequence[tuple[DeadLetter, Attributes]],
) -> list[Sequence[tuple[DeadLetter, Attributes]]]:
    """Splits messages so that each batch is within what SQS takes in one call."""
    starts, total = [0], 0
    for number, (letter, attributes) in enumerate(ready):
        total += dead_letters.size(letter, attributes)
        if total > MAX_BATCH_BYTES and number > starts[-1]:
            starts.append(number)
            total = dead_letters.size(letter, attributes)
    return [ready[start:end] for start, end in pairwise((*starts, len(ready))) if end > start]
