"""A queue whose messages are delivered in random batches until settled or dead-lettered.

Its clock advances by the duration of each invocation. If no message is visible, it jumps to the
time at which the next one will be.
"""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from typing import Any

from local.events import attribute

MAX_EVENT_BYTES = 6 * 1024 * 1024  # "Lambda quotas", invocation payload


@dataclass
class Message:
    message_id: str
    body: str
    keys: list[tuple[str, ...]]  # of its orders
    is_good: bool = True  # every order can be stored
    version: int = 0  # of its orders, where the highest stays; 0 is none
    ends_invocations: bool = False
    arrives_at: float = 0.0  # on the queue's clock, seconds since its start

    accepted_at: int = 0  # microseconds since the epoch; no other message has the same
    visible_at: float = 0.0
    receives: int = 0

    def record(self, began: float) -> dict[str, Any]:
        """Returns the message as Lambda's event has it."""
        return {
            "messageId": self.message_id,
            "receiptHandle": "x" * 180,
            "body": self.body,
            "attributes": {
                "ApproximateReceiveCount": str(self.receives),
                "SentTimestamp": str(int(1000 * (began + self.arrives_at))),
            },
            "messageAttributes": {"accepted_at": attribute(str(self.accepted_at), "Number")},
            "eventSource": "aws:sqs",
        }


class Deliveries:
    """A queue, and the event source mapping that polls it."""

    def __init__(
        self,
        messages: Iterable[Message],
        *,
        began: float,
        batch_size: int,
        visibility_seconds: float,
        receive_count: int,
        random: Random,
    ) -> None:
        self.now = 0.0
        self.began = began  # seconds since the epoch
        self.dead: list[Message] = []
        self._waiting = list(messages)
        for number, message in enumerate(self._waiting):
            message.visible_at = message.arrives_at
            message.accepted_at = int(1_000_000 * (began + message.arrives_at)) + number
        self._batch_size = batch_size
        self._visibility_seconds = visibility_seconds
        self._receive_count = receive_count
        self._random = random

    def batch(self) -> list[Message]:
        """Returns the next batch; an empty one when all messages are settled or dead-lettered."""
        while self._waiting:
            self.now = max(self.now, min(message.visible_at for message in self._waiting))
            visible = [message for message in self._waiting if message.visible_at <= self.now]
            self._random.shuffle(visible)
            batch: list[Message] = []
            size = 0
            for message in visible:
                if message.receives >= self._receive_count:
                    self._waiting.remove(message)
                    self.dead.append(message)
                    continue
                size += len(json.dumps(message.record(self.began)))
                if batch and (len(batch) == self._batch_size or size > MAX_EVENT_BYTES):
                    break
                batch.append(message)
            if batch:
                for message in batch:
                    message.receives += 1
                    message.visible_at = math.inf  # until the invocation has ended
                return batch
        return []

    def event(self, batch: list[Message]) -> dict[str, Any]:
        return {"Records": [message.record(self.began) for message in batch]}

    def settle(self, batch: list[Message], failed: set[str], seconds: float) -> None:
        """Ends an invocation: deletes what did not fail, and makes the rest visible again later."""
        received_at = self.now
        self.now += seconds
        for message in batch:
            if message.message_id in failed:
                message.visible_at = max(self.now, received_at + self._visibility_seconds)
        done = {message.message_id for message in batch} - failed
        self._waiting = [m for m in self._waiting if m.message_id not in done]
