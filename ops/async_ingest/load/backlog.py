"""How many messages are on the queue, during a run and until it is empty again."""

from __future__ import annotations

import threading
import time
from typing import Self

from botocore.exceptions import BotoCoreError, ClientError

from async_ingest.system import System

POLL_SECONDS = 0.25
EMPTY_POLLS = 12  # SQS's numbers are approximate


class Backlog:
    """Samples the queue from entering until it is left.

    Attributes:
        samples: Seconds of the epoch, and messages visible or in flight.
    """

    def __init__(self, system: System) -> None:
        self._system = system
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.samples: list[tuple[float, int]] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def wait_for_the_end(self, seconds: float) -> None:
        """Waits until the queue is empty, for so many seconds at most."""
        deadline, first = time.monotonic() + seconds, len(self.samples)
        while time.monotonic() < deadline:
            last = self.samples[first:][-EMPTY_POLLS:]
            if len(last) == EMPTY_POLLS and not any(depth for _, depth in last):
                return
            self._end.wait(POLL_SECONDS / 4)

    @property
    def peak(self) -> int:
        return max((depth for _, depth in self.samples), default=0)

    def drained_after(self, time_of_last: float) -> float | None:
        """Returns seconds from a time until the queue was empty for good; None if it never was."""
        if not self.samples or self.samples[-1][1]:
            return None
        busy = [at for at, depth in self.samples if depth]
        empty = [at for at, _ in self.samples if not busy or at > busy[-1]]
        return max(0.0, empty[0] - time_of_last)

    def _watch(self) -> None:
        while True:
            try:
                depth = sum(self._system.depth(self._system.queue_url))
                self.samples.append((time.time(), depth))
            except (BotoCoreError, ClientError):
                pass  # a sample is missing
            if self._end.wait(POLL_SECONDS):
                return
