"""Runs one side's process function in a separate process, with the CPU of the default memory."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import ROOT, cpu_share, sides

# Lambda gives one core at 1,769 MB ("Configure Lambda function memory"); the default is 512.
SHARE = 512 / 1769


class Worker:
    """The parent's end of the process."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def drain(self, batches: list[dict[str, Any]]) -> float:
        """Has the batches handled one after another, and returns the seconds that it took."""
        self._ask(json.dumps(batches))
        with cpu_share.limited(self._process.pid, SHARE):
            return float(self._ask("go"))

    def _ask(self, line: str) -> str:
        assert self._process.stdin  # noqa: S101 - for mypy
        assert self._process.stdout  # noqa: S101 - for mypy
        print(line, file=self._process.stdin, flush=True)
        if answer := self._process.stdout.readline():
            return answer
        raise RuntimeError("A draining process has ended; its output above says why.")


@contextlib.contextmanager
def worker(side: sides.Side, endpoint_url: str) -> Iterator[Worker]:
    command = [sys.executable, "-m", "benchmarks.drain", side.name, endpoint_url]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            yield Worker(process)
        finally:
            process.kill()


def main(side_name: str, endpoint_url: str) -> None:
    (side,) = [side for side in sides.SIDES if side.name == side_name]
    handle = side.load("process", endpoint_url).handle
    for line in sys.stdin:
        batches = json.loads(line)
        print("ready", flush=True)
        sys.stdin.readline()
        with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
            began = time.monotonic()
            for batch in batches:
                sides.check(handle(batch, sides.CONTEXT))
            seconds = time.monotonic() - began
        print(seconds, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
