"""The command async-ingest in a process of its own, as a person runs it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from local.emulator import ROOT, Emulator

LONGEST_SECONDS = 300


def environment_of(emulator: Emulator, state: Path) -> dict[str, str]:
    """Returns the environment of a command that talks to an emulator, with its own state."""
    return emulator.environment() | {
        "PYTHONPATH": str(ROOT / "ops"),
        "XDG_STATE_HOME": str(state),
        "COLUMNS": "200",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "async_ingest", *arguments]


def start(emulator: Emulator, state: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command(*arguments),
        env=environment_of(emulator, state),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(
    emulator: Emulator,
    state: Path,
    *arguments: str,
    accept: tuple[int, ...] = (0,),
    environment: dict[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end, which must be one of the exit codes in `accept`."""
    result = subprocess.run(
        command(*arguments),
        env=environment or environment_of(emulator, state),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
    )
    said = f"{' '.join(arguments)}: exit code {result.returncode}\n{result.stdout}{result.stderr}"
    assert result.returncode in accept, said
    return result


def run_json(
    emulator: Emulator, state: Path, *arguments: str, accept: tuple[int, ...] = (0,)
) -> dict[str, Any]:
    """Runs a command with --json. Returns its document."""
    result = run(emulator, state, *arguments, "--json", accept=accept)
    document: dict[str, Any] = json.loads(result.stdout)
    return document
