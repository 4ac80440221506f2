"""Open-loop senders: a request is sent when it is due, not when the one before it is answered.

A latency counts from when the request was due. So while the system, or this machine, stalls, the
requests that are due wait, and their waiting counts: there is no coordinated omission.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

from async_ingest.http_client import Client, NoAnswerError
from async_ingest.load.mix import Generator
from async_ingest.load.schedule import Schedule
from async_ingest.sending import UNKNOWN, judged
from async_ingest.signing import Headers

DROPPED = "dropped"


class Result(NamedTuple):
    """What became of a request. Times are in seconds from the start of the run.

    Attributes:
        request: Its number, from 0.
        orders: How many it has.
        due: When it was to be sent.
        sent: When it was sent, or dropped.
        ended: When it was answered, or given up.
        outcome: Accepted, refused or unknown as for `send`, or dropped.
        status: Of the answer; 0 without one.
    """

    request: int
    orders: int
    due: float
    sent: float
    ended: float
    outcome: str
    status: int

    @property
    def latency(self) -> float:
        """Seconds from when it was due."""
        return self.ended - self.due

    @property
    def service_time(self) -> float:
        """Seconds from when it was sent, which leaves out how long it had to wait for that."""
        return self.ended - self.sent


@dataclass(frozen=True)
class Share:
    """A process's part of a run, and how it sends it.

    Attributes:
        schedule: Of the whole run.
        generator: Of the whole run's requests.
        url: Where they are posted.
        headers: Of each request.
        connections: How many requests this process has in flight at most.
        patience: Seconds after which a request that is due is dropped rather than sent.
        number: Of this process, from 0.
        processes: How many there are: each takes every so many-th request.
    """

    schedule: Schedule
    generator: Generator
    url: str
    headers: Headers
    connections: int = 64
    patience: float = 10.0
    number: int = 0
    processes: int = 1


def run(
    share: Share,
    start: float,
    stop: threading.Event,
    on_result: Callable[[Result], None],
) -> None:
    """Sends a share to its end.

    Args:
        share: What is sent.
        start: When the run starts, by `time.monotonic`.
        stop: Once set, what is not sent yet is dropped.
        on_result: Called from several threads.
    """
    client = Client(share.url, share.headers, share.connections)
    arrivals = _Arrivals(share)

    def send() -> None:
        # Each thread waits for the next request, so that a slow answer delays none but its own,
        # until all connections are taken.
        for request, due in arrivals:
            # The body is made before it is due: that is this machine's work, not the system's.
            body, orders = share.generator.body(request), share.generator.count(request)
            is_stopped = stop.wait(max(0.0, start + due - time.monotonic()))
            sent = time.monotonic() - start
            if is_stopped or sent - due > share.patience:
                on_result(Result(request, orders, due, sent, sent, DROPPED, 0))
                continue
            outcome, status = _post(client, body)
            ended = time.monotonic() - start
            on_result(Result(request, orders, due, sent, ended, outcome, status))

    with ThreadPoolExecutor(share.connections) as pool:
        for running in [pool.submit(send) for _ in range(share.connections)]:
            running.result()


class _Arrivals:
    """A process's requests and when they are due, for several threads."""

    def __init__(self, share: Share) -> None:
        self._rest = (
            (request, due)
            for request, due in enumerate(share.schedule.times())
            if request % share.processes == share.number
        )
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[tuple[int, float]]:
        while True:
            with self._lock:
                arrival = next(self._rest, None)
            if arrival is None:
                return
            yield arrival


def _post(client: Client, body: bytes) -> tuple[str, int]:
    try:
        answer = client.post(body)
    except NoAnswerError:
        return UNKNOWN, 0
    judgement = judged(0, answer)
    return judgement.outcome, judgement.status
