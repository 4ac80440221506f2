"""The queue: cohorts of messages that were accepted together."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Cohort:
    """Messages with the same past.

    Attributes:
        accepted: When, in seconds since the start; the mean of the cohort.
        messages: How many; a fluid, so not a whole number.
        receives: Deliveries so far.
        is_good: Whether they can be written.
    """

    accepted: float
    messages: float
    receives: int = 0
    is_good: bool = True


class Queue:
    """Visible messages in the order of arrival, and those that become visible again."""

    def __init__(self, max_receive_count: int, retention_seconds: float) -> None:
        self._max_receive_count = max_receive_count
        self._retention = retention_seconds
        self._visible: deque[Cohort] = deque()
        self._hidden: list[tuple[float, int, Cohort]] = []
        self._number = 0
        self.visible = 0.0
        self.hidden = 0.0

    def send(self, cohort: Cohort) -> None:
        if cohort.messages > 0:
            self._visible.append(cohort)
            self.visible += cohort.messages

    def receive(self, messages: float) -> Iterator[Cohort]:
        """Takes up to so many messages, the first that arrived first."""
        while messages > 1e-9 and self._visible:
            first = self._visible.popleft()
            taken = min(first.messages, messages)
            if first.messages - taken > 1e-9:
                self._visible.appendleft(replace(first, messages=first.messages - taken))
            else:
                taken = first.messages
            self.visible = self.visible - taken if self._visible else 0.0
            messages -= taken
            yield replace(first, messages=taken, receives=first.receives + 1)

    def hide(self, cohort: Cohort, until: float) -> None:
        """Keeps a failed delivery until its visibility timeout ends."""
        heapq.heappush(self._hidden, (until, self._number, cohort))
        self._number += 1
        self.hidden += cohort.messages

    def next_visible(self) -> float | None:
        return self._hidden[0][0] if self._hidden else None

    def pass_time(self, now: float) -> Iterator[Cohort]:
        """Makes messages visible again; yields those that move to the dead-letter queue."""
        while self._hidden and self._hidden[0][0] <= now:
            cohort = heapq.heappop(self._hidden)[2]
            self.hidden = self.hidden - cohort.messages if self._hidden else 0.0
            if cohort.receives >= self._max_receive_count:
                yield cohort
            else:
                self.send(cohort)

    def expire(self, now: float) -> float:
        """Deletes what has waited for longer than the retention; returns how many messages."""
        expired = 0.0
        while self._visible and now - self._visible[0].accepted > self._retention:
            expired += self._visible.popleft().messages
        self.visible = self.visible - expired if self._visible else 0.0
        return expired
