"""A share of a core for a process, in slices of a few milliseconds.

Lambda gives a function CPU in proportion to its memory. The quota of a cgroup applies to periods of
100 ms: work that needs less at a time, as every call here does, runs at full speed as if it had the
whole core. So the process is stopped and continued instead, often enough to slow down each call.
"""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

PERIOD_SECONDS = 0.004
MIN_SECONDS = 0.0001  # that a process runs per period, even after it has run for too long


@contextlib.contextmanager
def limited(pid: int, share: float) -> Iterator[None]:
    """Gives a process one core for this share of the time, and all of it afterwards."""
    cores = _pin(pid)
    is_over = threading.Event()
    thread = threading.Thread(target=_alternate, args=(pid, share, is_over))
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
        _pin(pid, cores)


def _alternate(pid: int, share: float, is_over: threading.Event) -> None:
    began = end = time.monotonic()
    ran = 0.0
    while not is_over.is_set():
        end += PERIOD_SECONDS
        os.kill(pid, signal.SIGCONT)
        continued = time.monotonic()
        # The next periods make up for a late wake-up.
        time.sleep(max(MIN_SECONDS, share * (end - began) - ran))
        os.kill(pid, signal.SIGSTOP)
        ran += time.monotonic() - continued
        time.sleep(max(0, end - time.monotonic()))
    os.kill(pid, signal.SIGCONT)


def _pin(pid: int, cores: set[int] | None = None) -> set[int]:
    """Pins all threads of a process to these cores, or to a single one; returns the previous cores.

    Where the system cannot (macOS), threads that run in parallel get more than the share.
    """
    if not hasattr(os, "sched_setaffinity"):
        return set()
    before = os.sched_getaffinity(pid)
    for thread in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(thread.name), cores or {min(before)})
    return before
