"""Sends a load through a new stack by `async-ingest load`: `make load`.

python -m tests.operate.load [OPTION ...]    options of `async-ingest load` instead of the default
"""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from local.emulator import HOST, ROOT
from local.screen import Screen
from local.stack import Stack
from tests.support import ops
from tests.support.stack import temporary_stack

MIX = Path(__file__).with_name("load.toml")
# 50,990 orders. Few connections: at first the emulator starts a worker for each. On a slow machine
# requests wait rather than to be dropped; their latency says so.
DEFAULT = (
    *("--rate", "6", "--for", "160s", "--poisson", "--seed", "3", "--mix", str(MIX)),
    *("--connections", "8", "--patience", "15m", "--wait", "15m"),
)


def target(stack: Stack) -> tuple[str, ...]:
    """Returns the options that name a stack, and its load balancer on this machine."""
    named = ("--name", stack.outputs["table_name"])
    return (*named, "--url", stack.url, "--header", f"Host: {HOST}:80")


def main(arguments: list[str]) -> int:
    with (
        TemporaryDirectory() as state,
        Screen() as screen,
        temporary_stack("load", screen) as stack,
        screen.stage("send the load, and look for each order"),
    ):
        options = ("--output", str(ROOT / "build"), *(arguments or DEFAULT))
        result = subprocess.run(
            ops.command("load", *target(stack), *options),
            env=ops.environment_of(stack.emulator, Path(state)),
            capture_output=True,
            text=True,
        )
    print(result.stderr, result.stdout, sep="", end="")
    return result.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
