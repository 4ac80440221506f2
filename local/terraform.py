"""Runs Terraform and follows the events of "Machine-Readable UI", Terraform's documentation.

Terraform runs in a process group of its own, which Ctrl-C in the terminal does not reach: it is
interrupted from here, once, because a second time makes it leave without writing its state.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Values of the user's own that would change what Terraform does here.
FOREIGN = ("TF_VAR_", "TF_CLI_ARGS", "TF_WORKSPACE")

LOCK_TIMEOUT_SECONDS = 60


class TerraformError(RuntimeError):
    """Terraform has failed; the message holds its diagnostics, ready to be read."""


@dataclass
class Changes:
    """How far an apply or a destroy has come, from Terraform's events."""

    planned: int = 0
    done: int = 0
    running: dict[str, float] = field(default_factory=dict)  # address -> when it was started
    refreshed: int = 0
    counts: dict[str, int] = field(default_factory=dict)  # {"add": 61, "change": 0, "remove": 0}
    diagnostics: list[str] = field(default_factory=list)

    def take(self, event: Mapping[str, Any]) -> str | None:
        """Take one event. Returns a line to show, if the event is worth one."""
        match event.get("type"):
            case "refresh_complete":
                self.refreshed += 1
            case "change_summary":
                changes = event["changes"]
                if changes["operation"] == "plan":
                    self.counts = {name: changes[name] for name in ("add", "change", "remove")}
                    self.planned = sum(self.counts.values())
            case "apply_start" if event["hook"]["action"] != "read":
                self.running[_address(event)] = time.monotonic()
            case "apply_errored":
                self.running.pop(_address(event), None)
            case "apply_complete" if event["hook"]["action"] != "read":
                address, verb = _address(event), event["hook"]["action"]
                self.running.pop(address, None)
                self.done += 1
                seconds = event["hook"]["elapsed_seconds"]
                done = {"create": "created", "update": "updated", "delete": "destroyed"}
                return f"{done.get(verb, verb)} {address} ({seconds:.0f} s)"
            case "diagnostic" if event["diagnostic"]["severity"] == "error":
                self.diagnostics.append(_readable(event["diagnostic"]))
        return None

    def __str__(self) -> str:
        if not self.planned:
            return f"{self.refreshed} resources read" if self.refreshed else "planning"
        return f"{self.done} of {self.planned}"


class Terraform:
    """Terraform in one directory, with its state and its data elsewhere.

    `environment` is for it and its providers; `data_dir` gets the state, the providers and a log.
    When this process is interrupted, Terraform is too: `on_interrupt` is called, and Terraform has
    `patience_seconds` to come to an end before it is killed, with its providers.
    """

    def __init__(
        self,
        directory: Path,
        data_dir: Path,
        environment: Mapping[str, str],
        *,
        patience_seconds: float = 60,
        on_interrupt: Callable[[], None] = lambda: None,
    ) -> None:
        self.state_path = data_dir / "terraform.tfstate"
        self._directory = directory
        self._log_path = data_dir / "terraform.log"
        self._environment = {
            name: value for name, value in environment.items() if not name.startswith(FOREIGN)
        } | {
            "TF_DATA_DIR": str(data_dir / "terraform"),
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
        }
        self._patience_seconds = patience_seconds
        self._on_interrupt = on_interrupt

    def init(self) -> None:
        """Get the providers. Raises TerraformError."""
        lines: list[str] = []
        if self._run(["init", "-input=false", "-no-color"], lines.append):
            raise TerraformError("\n".join(lines[-30:]) + self._log())

    def apply(
        self, variables: Mapping[str, str], on_event: Callable[[Changes, str | None], None]
    ) -> Changes:
        """Apply, or with nothing to change do nothing. Raises TerraformError."""
        return self._change("apply", variables, on_event)

    def destroy(
        self, variables: Mapping[str, str], on_event: Callable[[Changes, str | None], None]
    ) -> Changes:
        """Destroy everything in the state. Raises TerraformError."""
        return self._change("destroy", variables, on_event)

    def outputs(self) -> dict[str, Any]:
        """The values of the outputs by name."""
        lines: list[str] = []
        if self._run(["output", "-json", f"-state={self.state_path}"], lines.append):
            raise TerraformError("\n".join(lines) + self._log())
        return {name: output["value"] for name, output in json.loads("\n".join(lines)).items()}

    def _change(
        self,
        command: str,
        variables: Mapping[str, str],
        on_event: Callable[[Changes, str | None], None],
    ) -> Changes:
        changes = Changes()

        def take(line: str) -> None:
            try:
                event = json.loads(line)
            except ValueError:
                changes.diagnostics.append(line)  # what Terraform says before it speaks JSON
            else:
                on_event(changes, changes.take(event))

        arguments = [
            *(command, "-json", "-auto-approve", "-input=false", f"-state={self.state_path}"),
            f"-lock-timeout={LOCK_TIMEOUT_SECONDS}s",
            *(f"-var={name}={value}" for name, value in variables.items()),
        ]
        if self._run(arguments, take):
            raise TerraformError("\n\n".join(changes.diagnostics) or f"It failed.{self._log()}")
        return changes

    def _run(self, arguments: list[str], take: Callable[[str], None]) -> int:
        """Run Terraform, give each line of its output to `take`, and return its exit code."""
        executable = shutil.which("terraform")
        if executable is None:
            raise TerraformError("terraform is not on the PATH: install Terraform 1.9 or newer.")
        with (
            self._log_path.open("w") as log,
            subprocess.Popen(
                [executable, f"-chdir={self._directory}", *arguments],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            ) as process,
        ):
            try:
                for line in process.stdout or ():
                    take(line.rstrip("\n"))
                return process.wait()
            except BaseException:
                self._end(process)
                raise

    def _end(self, process: subprocess.Popen[str]) -> None:
        self._on_interrupt()
        # A second Ctrl-C ends the patience.
        with contextlib.suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=self._patience_seconds)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)

    def _log(self) -> str:
        text = self._log_path.read_text(errors="replace").strip()
        return "\n" + "\n".join(text.splitlines()[-30:]) if text else ""


def _address(event: Mapping[str, Any]) -> str:
    """module.async_ingest.module.network[0].aws_vpc.this as network.aws_vpc.this."""
    address = str(event["hook"]["resource"]["addr"])
    parts = address.replace("[0]", "").split(".")
    modules = 0
    while parts[modules * 2] == "module":
        modules += 1
    inner = parts[3 : modules * 2 : 2]  # without the outermost, which all have in common
    return ".".join([*inner, *parts[modules * 2 :]])


def _readable(diagnostic: Mapping[str, Any]) -> str:
    lines = [f"Error: {diagnostic['summary']}"]
    place = diagnostic.get("range")
    where = f"{place['filename']}:{place['start']['line']}" if place else ""
    if diagnostic.get("address") or where:
        lines.append("  " + ", ".join(filter(None, [diagnostic.get("address"), where])))
    if diagnostic.get("detail"):
        lines += ["", *(f"  {line}" for line in diagnostic["detail"].splitlines())]
    return "\n".join(lines)
