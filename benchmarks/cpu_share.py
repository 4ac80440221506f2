"""A share of a core for a process, in slices of a few milliseconds.

Lambda gives a function CPU in proportion to its memory. A cgroup's quota is for 100 ms at a time:
whatever needs less in a row runs at full speed, as if it had the whole core, and here every call
does. So the process is stopped and continued instead, often enough for each of them to feel it.
"""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

PERIOD_SECONDS = 0.004
LEAST_SECONDS = 0.0001  # that a process runs in a period, also after one in which it ran too long


@contextlib.contextmanager
def limited(pid: int, share: float) -> Iterator[None]:
    """Lets a process have one core, for this share of the time; afterwards all of the time."""
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
        # What a late awakening has given too much, the next periods take back.
        time.sleep(max(LEAST_SECONDS, share * (end - began) - ran))
        os.kill(pid, signal.SIGSTOP)
        ran += time.monotonic() - continued
        time.sleep(max(0, end - time.monotonic()))
    os.kill(pid, signal.SIGCONT)


def _pin(pid: int, cores: set[int] | None = None) -> set[int]:
    """Gives all threads of a process these cores, or else one of its own; returns those before.

    Where the system cannot (macOS), threads that run at the same time get more than the share.
    """
    if not hasattr(os, "sched_setaffinity"):
        return set()
    before = os.sched_getaffinity(pid)
    for thread in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(thread.name), cores or {min(before)})
    return before
