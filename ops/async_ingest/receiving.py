"""Receives every message of a dead-letter queue once, and gives back what was not taken."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Self, TypeVar

from async_ingest.dead_letters import DeadLetter
from async_ingest.errors import OpsError
from async_ingest.journal import Journal
from async_ingest.system import System

T = TypeVar("T")

BATCH = 10  # messages of a call: "Amazon SQS message quotas"
# At 120,000 in flight a receive is empty without a word ("Amazon SQS message quotas").
MAX_HELD = 100_000
EMPTY_POLLS = 3
POLL_SECONDS = 2
DEFAULT_VISIBILITY = 600


class Pass:
    """One pass over the dead-letter queue.

    What was received stays invisible, and its visibility is extended, until it is deleted or the
    pass ends, which releases it: leave it by `with`. So each message is seen once, however long the
    pass takes.

    Args:
        system: Whose dead letters.
        visibility: Seconds for which a killed run hides what it has received.
        patience: Seconds to wait for messages that are in flight elsewhere, for example since a
            killed run; None does not wait for them.
        journal: Takes note of the receipt handles.

    Attributes:
        elsewhere: How many messages were in flight elsewhere at the end, and so not seen.
        is_full: Whether it ended early because too many messages were held.
    """

    def __init__(
        self,
        system: System,
        visibility: int,
        patience: float | None = None,
        journal: Journal | None = None,
        on_wait: Callable[[int], None] = lambda _elsewhere: None,
    ) -> None:
        self._sqs = system.sqs
        self._system = system
        self._url = system.dead_letter_url
        self._visibility = visibility
        self._patience = patience
        self._journal = journal
        self._on_wait = on_wait
        self._held: dict[str, str] = {}  # handles by message id
        self._extended_at = time.monotonic()
        self.elsewhere = 0
        self.is_full = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def batches(self, size: int = BATCH) -> Iterator[list[DeadLetter]]:
        """Yields messages until the queue has no other; the caller may delete them or not."""
        empty = 0
        progress = time.monotonic()
        while True:
            self._extend()
            letters = self._receive(size)
            new = [letter for letter in letters if letter.id not in self._held]
            self._held |= {letter.id: letter.handle for letter in letters}
            if letters:
                empty, progress = 0, time.monotonic()
                if new:
                    yield new
                if len(self._held) >= MAX_HELD:
                    self.is_full = True
                    return
                continue
            visible, in_flight = self._system.depth(self._url)
            self.elsewhere = max(0, in_flight - len(self._held))
            is_over = visible == 0 and (self.elsewhere == 0 or self._patience is None)
            empty = empty + 1 if is_over else 0
            if empty >= EMPTY_POLLS:
                return
            if not is_over:
                self._on_wait(self.elsewhere)
                if time.monotonic() - progress > (self._patience or 0) + EMPTY_POLLS * POLL_SECONDS:
                    return

    def delete(self, letters: Sequence[DeadLetter]) -> None:
        """Deletes messages. One that SQS fails to delete comes again, and is then deleted.

        Raises:
            OpsError: SQS fails to delete any of them.
        """
        failed: dict[str, str] = {}
        for some in batches_of(letters):
            entries = [{"Id": str(n), "ReceiptHandle": one.handle} for n, one in enumerate(some)]
            answer = self._sqs.delete_message_batch(QueueUrl=self._url, Entries=entries)
            failed |= {some[int(one["Id"])].id: one["Code"] for one in answer.get("Failed", [])}
            confirmed = {int(one["Id"]) for one in answer.get("Successful", [])}
            deleted = [one.id for number, one in enumerate(some) if number in confirmed]
            for message_id in deleted:
                self._held.pop(message_id, None)
            if self._journal:
                self._journal.was_deleted(deleted)
        if len(failed) == len(letters) > 0:
            raise OpsError(f"SQS deletes none of {len(letters)} messages: {set(failed.values())}")

    def release(self, ids: Iterable[str] | None = None) -> None:
        """Makes messages visible again, by default all that are held."""
        wanted = list(self._held if ids is None else ids)
        handles = {one: self._held.pop(one) for one in wanted if one in self._held}
        release(self._system, handles, self._journal)

    def _receive(self, size: int) -> list[DeadLetter]:
        answer = self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=size,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
            VisibilityTimeout=self._visibility,
            WaitTimeSeconds=POLL_SECONDS,
        )
        letters = [DeadLetter(message) for message in answer.get("Messages", [])]
        if letters and self._journal:
            self._journal.received({letter.id: letter.handle for letter in letters})
        return letters

    def _extend(self) -> None:
        """Extends the visibility of what is held, in time for the next poll."""
        if time.monotonic() - self._extended_at < self._visibility / 2 - POLL_SECONDS:
            return
        self._extended_at = time.monotonic()
        change_visibility(self._system, self._held.values(), self._visibility)


def release(system: System, handles: dict[str, str], journal: Journal | None = None) -> None:
    """Makes messages visible again, as far as their handles are still valid."""
    change_visibility(system, handles.values(), 0)
    if journal and handles:
        journal.was_released(handles)


def change_visibility(system: System, handles: Iterable[str], seconds: int) -> None:
    """Changes when messages are visible again. A handle that is no longer valid has no effect."""
    for some in batches_of(handles):
        entries: list[dict[str, Any]] = [
            {"Id": str(number), "ReceiptHandle": handle, "VisibilityTimeout": seconds}
            for number, handle in enumerate(some)
        ]
        system.sqs.change_message_visibility_batch(QueueUrl=system.dead_letter_url, Entries=entries)


def batches_of(things: Iterable[T], size: int = BATCH) -> Iterator[list[T]]:
    """Yields so many at a time, by default as one call of SQS takes."""
    rest = iter(things)
    while some := list(islice(rest, size)):
        yield some
