"""A cold start imports nothing that is expensive or rarely needed."""

import os
import subprocess
import sys

import pytest

from local.emulator import ROOT
from local.events import ENVIRONMENT

# In the standard library or Lambda's Python: expensive, or imported only where it is needed.
NOT_NEEDED = {
    "boto3",
    "botocore",
    "datetime",
    "decimal",
    "email",
    "http.client",
    "random",
    "urllib3",
}
PROGRAM = "import sys; import {}.handler; print(*sys.modules, sep=chr(10))"


@pytest.mark.parametrize("function", ["ingest", "process"])
def test_a_start_imports_no_expensive_module(function: str) -> None:
    own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    modules = subprocess.check_output(
        [sys.executable, "-c", PROGRAM.format(function)],
        cwd=ROOT / "lambda_src",
        env=own | ENVIRONMENT,
        text=True,
    ).split()
    assert f"{function}.handler" in modules
    assert not NOT_NEEDED & set(modules)
