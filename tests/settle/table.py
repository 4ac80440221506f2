"""The runner's side of the slow table and dead-letter queue, which are a process of their own."""

import contextlib
import json
import os
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from local.emulator import ROOT

Key = tuple[str, ...]


class Content(NamedTuple):
    accepted_at: dict[Key, int]  # by key
    dead_letters: list[str]  # bodies
    calls: dict[str, int]  # by operation


def prefer(pid: int) -> None:
    """Raises a process's priority, if allowed, so that its timing depends less on other load."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, -10)
        Path(f"/proc/{pid}/autogroup").write_text("-10")


class Table:
    """Runs the server while it is entered."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.settle.server"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        prefer(self._process.pid)
        assert self._process.stdout
        self._address = f"127.0.0.1:{int(self._process.stdout.readline())}"
        self.url = f"http://{self._address}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.communicate()  # closes its input, which ends it

    def configure(self, settings: dict[str, Any]) -> None:
        self._ask("configure", settings)

    def store(self, accepted_at: dict[Key, int]) -> None:
        self._ask("store", {"accepted_at": list(accepted_at.items())})

    def content(self) -> Content:
        content = self._ask("dump", {})
        accepted_at = {tuple(key): at for key, at in content["accepted_at"]}
        return Content(accepted_at, content["dead_letters"], content["calls"])

    def _ask(self, job: str, request: dict[str, Any]) -> Any:
        connection = HTTPConnection(self._address)
        with contextlib.closing(connection):
            connection.request("POST", f"/{job}", json.dumps(request))
            return json.loads(connection.getresponse().read())
