"""Holds a process to a share of the CPU, and to an amount of memory. Linux only.

Neither needs a cgroup, which a container or an ordinary user rarely may make. A process that has
used more CPU than its share is stopped until it has not; on average, over some 20 milliseconds, it
has its share, as under the quota that Lambda gives. One that has more memory is killed.
"""

import contextlib
import os
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Protocol

PERIOD_SECONDS = 0.02  # what it does not use of its share in so long is gone
LOOK_SECONDS = 0.004
IDLE_LOOK_SECONDS = 0.02  # while no process does anything
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Limit(Protocol):
    process: subprocess.Popen[str]

    def look(self) -> bool:
        """Acts if the limit is passed. Returns whether the process has done anything since."""


class CpuShare:
    """So many cores: 0.5 is half of one, 2 are all that two threads can use."""

    def __init__(self, process: subprocess.Popen[str], cores: float) -> None:
        self.process = process
        self._cores = cores
        self._clock = (~process.pid << 3) | 2  # of the process's CPU: clock_getcpuclockid(3)
        self._at, self._used = time.monotonic(), time.clock_gettime(self._clock)
        self._left = 0.0  # seconds of CPU; what was used too much is below 0, and paid back
        self._is_stopped = False

    def look(self) -> bool:
        now, used = time.monotonic(), time.clock_gettime(self._clock)
        newly_used = used - self._used
        left = self._left + self._cores * (now - self._at) - newly_used
        self._left = min(self._cores * PERIOD_SECONDS, left)
        self._at, self._used = now, used
        if self._is_stopped is not (left < 0):
            self._is_stopped = left < 0
            self.process.send_signal(signal.SIGSTOP if left < 0 else signal.SIGCONT)
        return newly_used > 0 or self._is_stopped


class MemoryLimit:
    """So many megabytes in memory, as the process itself would count them."""

    def __init__(self, process: subprocess.Popen[str], megabytes: int) -> None:
        self.process = process
        self._pages = megabytes * 2**20 // PAGE_BYTES
        self._statistics = Path(f"/proc/{process.pid}/statm")
        self._seen = 0

    def look(self) -> bool:
        pages = int(self._statistics.read_text().split()[1])
        if pages > self._pages:
            self.process.kill()
        has_changed, self._seen = pages != self._seen, pages
        return has_changed


class Watch:
    """A thread that looks after limits for as long as their processes live."""

    def __init__(self) -> None:
        self._limits: list[Limit] = []
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="limits", daemon=True)

    def add(self, limit: Limit) -> None:
        with self._lock:
            self._limits.append(limit)
            if self._thread.ident is None:
                self._thread.start()

    def _run(self) -> None:
        while True:
            with self._lock:
                limits = self._limits = [
                    limit for limit in self._limits if limit.process.poll() is None
                ]
            is_busy = False
            for limit in limits:
                with contextlib.suppress(OSError):  # it has ended at this moment
                    is_busy |= limit.look()
            time.sleep(LOOK_SECONDS if is_busy else IDLE_LOOK_SECONDS)
