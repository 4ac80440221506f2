"""Runs Terraform, and follows the events of its machine-readable UI.

Terraform runs in a process group of its own, out of reach of Ctrl-C in the terminal. It is
interrupted from here, once: a second interrupt makes it exit without writing its state.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from local.emulator import ROOT

# The user's own settings, which would change what Terraform does here.
FOREIGN = ("TF_VAR_", "TF_CLI_ARGS", "TF_WORKSPACE")
# Written by tools/setup.py: finds the providers in the registry, or in a local mirror.
CLI_CONFIG = ROOT / ".cache" / "terraform.rc"

LOCK_TIMEOUT_SECONDS = 60
GARBAGE_COLLECTION = "400"  # percent: a fifth less CPU time for some 200 MB more

# Of a plan's events; the others are "noop", "read", "move" and the like.
ACTIONS = {"create", "update", "replace", "delete"}

_HASHES = re.compile(r"^ *hashes = \[[^]]*\]\n", re.MULTILINE)

T = TypeVar("T")

Resources = dict[str, dict[str, Any]]  # attributes by address


class TerraformError(RuntimeError):
    """Terraform has failed; the message has its output, or its diagnostics in readable form."""


@dataclass
class Changes:
    """The progress of an apply or a destroy, from Terraform's events."""

    planned: int = 0
    done: int = 0
    running: dict[str, float] = field(default_factory=dict)  # address -> start, monotonic seconds
    refreshed: int = 0
    counts: dict[str, int] = field(default_factory=dict)  # {"add": 61, "change": 0, "remove": 0}

    def take(self, event: Mapping[str, Any]) -> str | None:
        """Takes an event into account. Returns a line to show, if the event is worth one."""
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
        return None

    def __str__(self) -> str:
        if not self.planned:
            return f"{self.refreshed} resources read" if self.refreshed else "planning"
        return f"{self.done} of {self.planned}"


Observer = Callable[[Changes, str | None], None]  # called for each event, with its line if any


class Terraform:
    """Terraform in one directory, with its state and its data elsewhere.

    When this process is interrupted, `on_interrupt` is called and Terraform is interrupted too. It
    then has `patience_seconds` to finish before it is killed, along with its providers.

    Args:
        directory: The root module.
        data_dir: For the state, the providers and a log. It must exist.
        environment: Of Terraform and its providers.
        variables: The root module's input variables.
        patience_seconds: See above.
        on_interrupt: See above.
    """

    def __init__(
        self,
        directory: Path,
        data_dir: Path,
        environment: Mapping[str, str],
        variables: Mapping[str, str] | None = None,
        *,
        patience_seconds: float = 60,
        on_interrupt: Callable[[], None] = lambda: None,
    ) -> None:
        self.directory = directory
        self.state_path = data_dir / "terraform.tfstate"
        self._plan_path = data_dir / "plan"
        self._log_path = data_dir / "terraform.log"
        self._variables = [f"-var={name}={value}" for name, value in (variables or {}).items()]
        self._environment = {
            **{name: value for name, value in environment.items() if not name.startswith(FOREIGN)},
            **({"TF_CLI_CONFIG_FILE": str(CLI_CONFIG)} if CLI_CONFIG.exists() else {}),
            "TF_DATA_DIR": str(data_dir / "terraform"),
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
            "GOGC": GARBAGE_COLLECTION,
        }
        self._patience_seconds = patience_seconds
        self._on_interrupt = on_interrupt

    def run(self, *arguments: str, accept: tuple[int, ...] = (0,)) -> tuple[int, str]:
        """Runs any command.

        Returns:
            The exit code, and what was written to stdout.

        Raises:
            TerraformError: The exit code is not one of `accept`.
        """
        lines: list[str] = []
        code = self._execute(arguments, lines.append)
        output = "\n".join(lines)
        if code not in accept:
            raise TerraformError(f"terraform {arguments[0]} failed.\n{output}{self._log()}")
        return code, output

    def init(self) -> None:
        """Installs providers and modules. Raises TerraformError.

        Each command would compare 700 MB of the AWS provider with its hashes in the lock file,
        which takes most of a second. Nothing here depends on a lock file, so it keeps no hashes.
        """
        self.run("init", "-input=false", "-no-color")
        lock = self.directory / ".terraform.lock.hcl"
        if lock.exists():  # not without providers
            lock.write_text(_HASHES.sub("", lock.read_text()))

    def apply(self, on_event: Observer = lambda *_: None) -> Changes:
        """Applies the configuration. Raises TerraformError."""
        return self._change("apply", on_event)

    def destroy(self, on_event: Observer = lambda *_: None) -> Changes:
        """Destroys everything in the state. Raises TerraformError."""
        return self._change("destroy", on_event)

    def outputs(self) -> dict[str, Any]:
        """Returns the values of the outputs by name."""
        _, output = self.run("output", "-json", f"-state={self.state_path}")
        return {name: value["value"] for name, value in json.loads(output).items()}

    def resources(self) -> Resources:
        """Returns the managed resources in the state."""
        return _managed(self._show(self.state_path).get("values", {}))

    def addresses(self) -> list[str]:
        """Returns what the state has, data sources included. Cheaper than `resources`."""
        _, output = self.run("state", "list", f"-state={self.state_path}")
        return output.split("\n") if output else []

    def pending_changes(self) -> str:
        """Returns what another apply would change, as Terraform prints it, or ""."""
        options = ("-detailed-exitcode", "-input=false", "-no-color", f"-state={self.state_path}")
        code, output = self.run("plan", *options, *self._variables, accept=(0, 2))
        return output if code == 2 else ""

    def planned_document(self) -> dict[str, Any]:
        """Returns a plan as `terraform show -json` has it. Raises TerraformError."""
        self._follow(["plan", f"-out={self._plan_path}"], lambda _: None)
        return self._show(self._plan_path)

    def planned_resources(self) -> Resources:
        """Returns the managed resources as an apply would leave them, as far as it is known."""
        return _managed(self.planned_document()["planned_values"])

    def planned_actions(self, *options: str) -> dict[str, str]:
        """Returns what an apply would do to each managed resource that it would change.

        Returns:
            "create", "update", "replace" or "delete", by address.
        """
        found: dict[str, str] = {}

        def take(event: Mapping[str, Any]) -> None:
            if event["type"] == "planned_change":
                change = event["change"]
                found[change["resource"]["addr"]] = change["action"]

        self._follow(["plan", *options], take)
        return {address: what for address, what in found.items() if what in ACTIONS}

    def tested_resources(self, *options: str) -> Resources:
        """Runs the one test of a configuration, which plans it with mocked providers.

        Returns:
            The managed resources as an apply would leave them, as far as it is known.

        Raises:
            TerraformError: It does not plan.
        """
        _, output = self.run("test", "-json", "-verbose", *options)
        return resources_in(json.loads(line) for line in output.splitlines())

    def _show(self, path: Path) -> dict[str, Any]:
        _, output = self.run("show", "-json", str(path))
        document: dict[str, Any] = json.loads(output)
        return document

    def _change(self, command: str, on_event: Observer) -> Changes:
        changes = Changes()
        self._follow(
            [command, "-auto-approve", f"-lock-timeout={LOCK_TIMEOUT_SECONDS}s"],
            lambda event: on_event(changes, changes.take(event)),
        )
        return changes

    def _follow(self, command: Sequence[str], take: Callable[[Mapping[str, Any]], None]) -> None:
        """Runs a command and passes each of its events to `take`. Raises TerraformError."""
        diagnostics: list[str] = []

        def take_line(line: str) -> None:
            try:
                event = json.loads(line)
            except ValueError:
                diagnostics.append(line)  # printed before Terraform switches to JSON
                return
            if event["type"] == "diagnostic" and event["diagnostic"]["severity"] == "error":
                diagnostics.append(_readable(event["diagnostic"]))
            take(event)

        state = f"-state={self.state_path}"
        if self._execute([*command, "-json", "-input=false", state, *self._variables], take_line):
            raise TerraformError("\n\n".join(diagnostics) or f"It failed.{self._log()}")

    def _execute(self, arguments: Sequence[str], take: Callable[[str], None]) -> int:
        """Runs Terraform, passes each line of its stdout to `take`, and returns its exit code."""
        executable = shutil.which("terraform", path=self._environment.get("PATH"))
        if executable is None:
            raise TerraformError("terraform is not on the PATH: install Terraform 1.9 or newer.")
        with (
            self._log_path.open("w") as log,
            subprocess.Popen(
                [executable, f"-chdir={self.directory}", *arguments],
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
        return "\n" + "\n".join(text.splitlines()[-60:]) if text else ""


def resources_in(events: Iterable[Mapping[str, Any]]) -> Resources:
    """Returns the managed resources as the one plan of `terraform test -verbose` leaves them."""
    [plan] = [event["test_plan"] for event in events if event["type"] == "test_plan"]
    return {
        one["address"]: one["change"]["after"]
        for one in plan["resource_changes"]
        if one["mode"] == "managed"
    }


def short_address(address: str) -> str:
    """Returns an address without the project's own module, and without "module." and "[0]".

    `module.async_ingest.module.network[0].aws_vpc.this` becomes `network.aws_vpc.this`.
    """
    for part in ("module.async_ingest.", "module.", "[0]"):
        address = address.replace(part, "")
    return address


def by_short_address(resources: Mapping[str, T]) -> dict[str, T]:
    return {short_address(address): value for address, value in resources.items()}


def every_resource(module: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yields resources and data sources of a module and of those in it.

    Args:
        module: Of Terraform's values representation, such as the root module of a state.
    """
    yield from module.get("resources", [])
    for child in module.get("child_modules", []):
        yield from every_resource(child)


def _managed(values: Mapping[str, Any]) -> Resources:
    return {
        one["address"]: one.get("values", {})  # absent if nothing is known before the apply
        for one in every_resource(values.get("root_module", {}))
        if one["mode"] == "managed"
    }


def _address(event: Mapping[str, Any]) -> str:
    return short_address(str(event["hook"]["resource"]["addr"]))


def _readable(diagnostic: Mapping[str, Any]) -> str:
    lines = [f"Error: {diagnostic['summary']}"]
    place = diagnostic.get("range")
    where = f"{place['filename']}:{place['start']['line']}" if place else ""
    if diagnostic.get("address") or where:
        lines.append("  " + ", ".join(filter(None, [diagnostic.get("address"), where])))
    if diagnostic.get("detail"):
        lines += ["", *(f"  {line}" for line in diagnostic["detail"].splitlines())]
    return "\n".join(lines)
