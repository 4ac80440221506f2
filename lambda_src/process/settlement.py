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
from process.messages import Message, Outcome, accepted_at
from shared import telemetry
from shared.aws import Deadline
from shared.queues import Queue


class Settlement:
    """Settles the messages of an invocation, and counts how they ended.

    Attributes:
        failed: Ids of the messages to report; an id may appear twice.
        trail: For the log, "MESSAGE_ID ACCEPTED_AT OUTCOME" of each message, in microseconds since
            the epoch ("-" if unknown); "written", "superseded" if none of its orders was written,
            "failed" or "dead-lettered".
    """

    def __init__(
        self,
        dead_letter_queue: Queue | None,
        deadline: Deadline,
        freshness_target_seconds: float | None = None,
    ) -> None:
        """Initializes a settlement.

        Args:
            dead_letter_queue: Without one, permanent failures are left to the redrive policy.
            deadline: By when the last message must be in it.
            freshness_target_seconds: Orders written later after their acceptance count as late;
                without it, none is counted.
        """
        self.failed: list[str] = []
        self.trail: list[str] = []
        self._freshness_target = freshness_target_seconds
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
        for message in messages:
            self.failed.append(message.record["messageId"])
            self._note(message, "failed")

    def metrics(self) -> dict[str, int | list[int]]:
        counts: dict[str, int | list[int]] = {
            "Written": len(self._ages),
            "Superseded": self._superseded,
            "Failed": len(self.failed),
            "DeadLettered": self._dead_lettered,
        }
        if self._freshness_target is not None:
            limit = self._freshness_target * 1000
            counts["Late"] = sum(age > limit for age in self._ages)
        return counts | ({"Age": telemetry.thin_out(self._ages)} if self._ages else {})

    def _settle(self, message: Message, outcomes: list[Outcome]) -> None:
        failure, reason, logged = message.failure, message.reason, message.logged
        if Outcome.TRANSIENT_FAILURE in outcomes:
            failure = Outcome.TRANSIENT_FAILURE
        elif Outcome.PERMANENT_FAILURE in outcomes:
            failure = Outcome.PERMANENT_FAILURE
            reason = logged = f"order {outcomes.index(failure)}: DynamoDB refuses the item"
        if failure is None:
            is_written = Outcome.WRITTEN in outcomes or not outcomes
            self._note(message, "written" if is_written else "superseded")
            return
        if (
            failure is Outcome.PERMANENT_FAILURE
            and self._dead_letter_queue
            and dead_letters.send(
                self._dead_letter_queue, message.record, reason, self._deadline, logged
            )
        ):
            self._dead_lettered += 1
            self._note(message, "dead-lettered")
        else:
            self.fail([message])

    def _note(self, message: Message, outcome: str) -> None:
        try:
            # All orders of a message have the same; it is read again where there is none.
            stamp: object = (
                message.entries[0].accepted_at if message.entries else accepted_at(message.record)
            )
        except Exception:
            stamp = "-"  # the record is malformed, which the log has
        self.trail.append(f"{message.record['messageId']} {stamp} {outcome}")
