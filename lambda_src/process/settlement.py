"""The last step: every message ends in one of three ways, never mixed up.

- Done: each of its orders is written, or superseded by a newer one. Lambda deletes the message.
- Transient failure: an order is not written but may be later (throttling, timeouts, anything
  unknown). The message is reported, and SQS delivers it again.
- Permanent failure: the body is invalid or cannot be stored, or DynamoDB refuses an item. The
  message goes to the dead-letter queue at once, with the reason. If it does not arrive there, or if
  that is left to the redrive policy, it is reported like a transient failure.
"""

from itertools import islice

from process import dead_letters
from process.messages import Message, Outcome
from shared import telemetry
from shared.aws import Deadline
from shared.queues import Queue


class Settlement:
    """Settles the messages of an invocation, and counts how they ended.

    Attributes:
        failed: Ids of the messages to report; an id may appear twice.
    """

    def __init__(self, dead_letter_queue: Queue | None, deadline: Deadline) -> None:
        """Without a ``dead_letter_queue``, permanent failures are left to the redrive policy."""
        self.failed: list[str] = []
        self._dead_letter_queue = dead_letter_queue
        self._deadline = deadline
        self._dead_lettered = 0
        self._superseded = 0
        self._ages: list[int] = []  # of the orders written, in milliseconds

    def settle(self, messages: list[Message], outcomes: list[Outcome]) -> None:
        """Settles messages by the outcomes of all their entries, in the same order."""
        now = telemetry.now_microseconds()
        remaining = iter(outcomes)
        for message in messages:
            own = list(islice(remaining, len(message.entries)))
            for entry, outcome in zip(message.entries, own, strict=True):
                if outcome is Outcome.WRITTEN:
                    self._ages.append(max(0, now - entry.accepted_at) // 1000)
            self._superseded += own.count(Outcome.SUPERSEDED)
            self._settle(message, own)

    def fail(self, messages: list[Message]) -> None:
        """Reports messages, whatever they are."""
        self.failed += [message.record["messageId"] for message in messages]

    def metrics(self) -> dict[str, int | list[int]]:
        counts: dict[str, int | list[int]] = {
            "Written": len(self._ages),
            "Superseded": self._superseded,
            "Failed": len(self.failed),
            "DeadLettered": self._dead_lettered,
        }
        return counts | ({"Age": telemetry.thin_out(self._ages)} if self._ages else {})

    def _settle(self, message: Message, outcomes: list[Outcome]) -> None:
        failure, reason, logged = message.failure, message.reason, message.logged
        if Outcome.TRANSIENT_FAILURE in outcomes:
            failure = Outcome.TRANSIENT_FAILURE
        elif Outcome.PERMANENT_FAILURE in outcomes:
            failure = Outcome.PERMANENT_FAILURE
            reason = logged = f"order {outcomes.index(failure)}: DynamoDB refuses the item"
        if failure is None:
            return
        if (
            failure is Outcome.PERMANENT_FAILURE
            and self._dead_letter_queue
            and dead_letters.send(
                self._dead_letter_queue, message.record, reason, self._deadline, logged
            )
        ):
            self._dead_lettered += 1
        else:
            self.fail([message])
