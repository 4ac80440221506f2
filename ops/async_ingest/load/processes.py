"""Sends a load by several processes, because one has a single interpreter's CPU."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from queue import SimpleQueue

from async_ingest.errors import OpsError
from async_ingest.load import sender
from async_ingest.load.sender import Result, Share

PER_PROCESS = 250.0  # requests a second that one sends without delay of its own, with a margin
REPORT_SECONDS = 0.25
START_SECONDS = 0.1  # from when all are ready
INTERRUPTS = (signal.SIGINT, signal.SIGTERM)

# A fresh interpreter: neither threads nor connections of this process are copied.
_CONTEXT = multiprocessing.get_context("spawn")


def enough(peak: float) -> int:
    """Returns how many processes a peak rate needs, as far as this machine has CPUs for them."""
    return max(1, min(os.cpu_count() or 1, -(-int(peak) // int(PER_PROCESS))))


def run(share: Share, on_results: Callable[[list[Result]], None]) -> float:
    """Sends a load by `share.processes` processes, of which each has its connections.

    An interrupt ends it early: what is not sent is dropped, what is in flight is awaited.

    Args:
        share: Of the first process; the others' follow from it.
        on_results: Called every moment with those of a process.

    Returns:
        When the run started, in seconds of the epoch.

    Raises:
        OpsError: A process has ended early.
    """
    pipes: list[Connection] = []
    children = []
    for number in range(share.processes):
        ours, theirs = _CONTEXT.Pipe()
        child = _CONTEXT.Process(target=_child, args=(replace(share, number=number), theirs))
        child.start()
        theirs.close()
        pipes.append(ours)
        children.append(child)
    try:
        for pipe in pipes:
            _received(pipe)  # it is ready
        start, began = time.monotonic() + START_SECONDS, time.time() + START_SECONDS
        for pipe in pipes:
            pipe.send(start)  # by one clock: processes of a machine share the monotonic one
        _collect(pipes, on_results)
    finally:
        for pipe in pipes:
            pipe.close()  # which stops a process that is still running
        for child in children:
            child.join()
    return began


def _collect(pipes: list[Connection], on_results: Callable[[list[Result]], None]) -> None:
    running: dict[object, Connection] = {pipe: pipe for pipe in pipes}
    with _interrupts() as is_interrupted:
        while running:
            for ready in wait(list(running.values()), REPORT_SECONDS):
                results = _received(running[ready])
                if results is None:
                    del running[ready]
                else:
                    on_results(results)
            if is_interrupted.is_set():
                is_interrupted.clear()
                for pipe in running.values():
                    with contextlib.suppress(OSError):
                        pipe.send(None)


@contextlib.contextmanager
def _interrupts() -> Iterator[threading.Event]:
    """Yields what an interrupt sets, rather than to raise it in the middle of a message."""
    event = threading.Event()
    before = {
        number: signal.signal(number, lambda _number, _frame: event.set()) for number in INTERRUPTS
    }
    try:
        yield event
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _received(pipe: Connection) -> list[Result] | None:
    """Returns results of a process, or None at its end."""
    try:
        received: list[Result] | None = pipe.recv()
    except EOFError:
        raise OpsError("A sending process has ended early; its error is above.") from None
    return received


def _child(share: Share, pipe: Connection) -> None:
    """Runs in a process of its own: sends its share, and reports what became of it."""
    for number in INTERRUPTS:
        signal.signal(number, signal.SIG_IGN)  # the parent says when to stop
    stop = threading.Event()
    results: SimpleQueue[Result] = SimpleQueue()
    with contextlib.suppress(ConnectionError, EOFError), ThreadPoolExecutor(1) as pool:
        pipe.send([])
        sending = pool.submit(sender.run, share, pipe.recv(), stop, results.put)
        try:
            while not sending.done():
                # Anything that is received, or the parent's end, means to stop.
                if not stop.is_set() and pipe.poll(REPORT_SECONDS):
                    stop.set()
                futures.wait([sending], REPORT_SECONDS if stop.is_set() else 0)
                pipe.send(_taken(results))
        finally:
            stop.set()
        sending.result()
        pipe.send(_taken(results))
        pipe.send(None)


def _taken(results: SimpleQueue[Result]) -> list[Result]:
    return [results.get() for _ in range(results.qsize())]
