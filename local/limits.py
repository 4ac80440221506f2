"""Limits a process to a share of CPU, and to an amount of memory. Linux only.

Neither needs a cgroup, which containers and ordinary users can rarely create. A process that has
used more than its share of CPU is stopped until it is back within it. So it gets its share on
average over about 20 milliseconds, as under Lambda's quota. One that uses more memory is killed.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Protocol

ARE_POSSIBLE = sys.platform.startswith("linux")

PERIOD_SECONDS = 0.02  # an unused share expires after this time
CHECK_SECONDS = 0.004
IDLE_CHECK_SECONDS = 0.02  # while all processes are idle
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def require() -> None:
    """Ends the program, with exit code 1, where limits are not possible."""
    if not ARE_POSSIBLE:
        print("✗ This limits processes and reads /proc, so it runs on Linux only.")
        raise SystemExit(1)


class Limit(Protocol):
    process: subprocess.Popen[str]

    def enforce(self) -> bool:
        """Acts if the limit is exceeded. Returns whether the process has been active since."""


class CpuShare:
    """A number of cores: 0.5 is half of one, 2 are as much as two threads can use."""

    def __init__(self, process: subprocess.Popen[str], cores: float) -> None:
        self.process = process
        self._cores = cores
        self._clock = (~process.pid << 3) | 2  # of the process's CPU: clock_getcpuclockid(3)
        self._at, self._used = time.monotonic(), time.clock_gettime(self._clock)
        self._left = 0.0  # seconds of CPU; negative after excessive use
        self._is_stopped = False

    def enforce(self) -> bool:
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
    """A number of megabytes of resident memory."""

    def __init__(self, process: subprocess.Popen[str], megabytes: int) -> None:
        self.process = process
        self._pages = megabytes * 2**20 // PAGE_BYTES
        self._statistics = Path(f"/proc/{process.pid}/statm")
        self._seen = 0

    def enforce(self) -> bool:
        pages = int(self._statistics.read_text().split()[1])
        if pages > self._pages:
            self.process.kill()
        has_changed, self._seen = pages != self._seen, pages
        return has_changed


class Watch:
    """Enforces limits for as long as their processes live, in a thread that ends with the last."""

    def __init__(self) -> None:
        self._limits: list[Limit] = []
        self._lock = threading.Lock()

    def add(self, limit: Limit) -> None:
        with self._lock:
            self._limits.append(limit)
            if len(self._limits) == 1:
                threading.Thread(target=self._run, name="limits", daemon=True).start()

    def _run(self) -> None:
        while limits := self._of_living_processes():
            is_busy = False
            for limit in limits:
                with contextlib.suppress(OSError):  # it has just ended
                    is_busy |= limit.enforce()
            time.sleep(CHECK_SECONDS if is_busy else IDLE_CHECK_SECONDS)

    def _of_living_processes(self) -> list[Limit]:
        with self._lock:
            self._limits = [limit for limit in self._limits if limit.process.poll() is None]
            return self._limits
