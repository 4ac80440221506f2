"""Runs a handler in a process of its own, to observe its start, its logs and its memory."""

import os
import subprocess
import sys

from local.emulator import ROOT
from local.events import ENVIRONMENT


def run(script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs a script in the environment of the functions and nothing else."""
    own = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "lambda_src")}
    return subprocess.run(
        [sys.executable, "-c", script],
        env=ENVIRONMENT | own | environment,
        capture_output=True,
        text=True,
        check=False,
    )
