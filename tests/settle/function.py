"""Runs the function with the memory, the CPU share and the timeout that Lambda would give it."""

import contextlib
import json
import select
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from local.limits import CpuShare, MemoryLimit, Watch
from tests.settle.model import MEMORY_SIZE_OF_A_CORE, cpu_share
from tests.settle.table import prefer

VIRTUAL_SECONDS = 120  # real time limit of an invocation on a virtual clock
_INSTANCE = Path(__file__).with_name("instance.py")


class Invocation(NamedTuple):
    """The outcome of an invocation. If it did not answer, ``ended`` says how it ended."""

    failed: set[str]  # ids of messages
    seconds: float
    ended: str = ""


class Function:
    """Runs one instance at a time, and starts a new one when it has ended."""

    def __init__(
        self,
        sources: Path,
        directory: Path,
        environment: dict[str, str],
        *,
        memory_size: int,
        timeout_seconds: float,
        options: dict[str, Any],
    ) -> None:
        self.peak_rss_mb = 0.0
        self.cpu_seconds = 0.0  # of the invocations that have answered
        self._cpu_seconds_before = 0.0
        self._command = [sys.executable, "-sE", str(_INSTANCE), str(sources), json.dumps(options)]
        self._environment = environment
        self._event = directory / "event.json"
        self._errors = directory / "stderr"
        self._memory_size = memory_size
        self._timeout_seconds = timeout_seconds
        self._is_virtual = bool(options["virtual"])
        self._process: subprocess.Popen[str] | None = None
        self._watch = Watch()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._end()

    def invoke(self, event: dict[str, Any], now: float) -> Invocation:
        """Invokes the handler. ``now`` is the time on a virtual clock."""
        process = self._process or self._start()
        assert process.stdin
        assert process.stdout
        self._event.write_text(json.dumps(event))
        began = time.monotonic()
        invocation = {
            "event": str(self._event),
            "now": now if self._is_virtual else time.time(),
            "timeout": self._timeout_seconds,
        }
        process.stdin.write(json.dumps(invocation) + "\n")
        process.stdin.flush()
        limit = VIRTUAL_SECONDS if self._is_virtual else self._timeout_seconds
        every = {record["messageId"] for record in event["Records"]}
        if not select.select([process.stdout], [], [], limit)[0]:
            self._end()
            return Invocation(every, limit, "timeout")
        line = process.stdout.readline()
        seconds = time.monotonic() - began
        if not line:
            self._end()
            return Invocation(every, seconds, "memory")
        self._measure(process)
        answer = json.loads(line)
        self.cpu_seconds += answer["cpu_seconds"] - self._cpu_seconds_before
        self._cpu_seconds_before = answer["cpu_seconds"]
        if self._is_virtual:
            seconds = answer["seconds"]
        if "error" in answer:
            return Invocation(every, seconds, answer["error"])
        if "ended" in answer:
            seconds = self._timeout_seconds if answer["ended"] == "time" else seconds
            return Invocation(every, seconds, answer["ended"])
        if seconds > self._timeout_seconds:
            return Invocation(every, self._timeout_seconds, "timeout")
        failed = {failure["itemIdentifier"] for failure in answer["result"]["batchItemFailures"]}
        return Invocation(failed, seconds)

    def _start(self) -> subprocess.Popen[str]:
        with self._errors.open("a") as errors:
            process = self._process = subprocess.Popen(
                self._command,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,
            )
        assert process.stdout
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"The function has not started: {self._errors.read_text()[-2000:]}")
        self._cpu_seconds_before = json.loads(line)["cpu_seconds"]
        prefer(process.pid)
        if not self._is_virtual:
            self._watch.add(MemoryLimit(process, self._memory_size))
            if self._memory_size < MEMORY_SIZE_OF_A_CORE:
                self._watch.add(CpuShare(process, cpu_share(self._memory_size)))
        return process

    def _measure(self, process: subprocess.Popen[str]) -> None:
        status = Path(f"/proc/{process.pid}/status").read_text()
        (peak,) = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
        self.peak_rss_mb = max(self.peak_rss_mb, int(peak) / 1024)

    def _end(self) -> None:
        process, self._process = self._process, None
        if process:
            with contextlib.suppress(ProcessLookupError, FileNotFoundError, ValueError):
                self._measure(process)
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe:
                    with contextlib.suppress(BrokenPipeError):
                        pipe.close()
