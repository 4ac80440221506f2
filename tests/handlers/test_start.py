"""A cold start imports nothing that is expensive or rarely needed."""

import os
import subprocess
import sys
from pathlib import Path

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
# All options. The package of hooks is any that has one of them.
OPTIONS = {
    "ORDER_VERSION": '{"name":"revision","type":"N","kept_in":"order_version_N_revision"}',
    "ORDER_HOOKS": "own_hooks",
    "ORDER_HOOKS_TIMEOUT_SECONDS": "1",
    "FAIR_QUEUE_ATTRIBUTE": "tenant",
    "SIGNATURE_SECRET_ARN": "arn:…",
    "SIGNATURE_HEADER": "X-Signature",
    "SIGNATURE_TOLERANCE_SECONDS": "300",
    "CLIENT_CERTIFICATES": "true",
    "LOG_CLIENT_SUBJECT": "true",
}
HOOKS = {"own_hooks", *(f"async_ingest_hooks{end}" for end in ("", ".hooks", ".values"))}
OF_OPTIONS = {
    "ingest": {f"ingest.{one}" for one in ("fair_queue", "keyring", "signature")}
    | {"ingest.client_certificate", "shared.version", *HOOKS},
    "process": {"process.versions", "shared.version", *HOOKS},
}
OURS = ("async_ingest_hooks", "ingest", "own_hooks", "process", "shared")


def imported(function: str, **settings: str) -> set[str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    modules = subprocess.check_output(
        [sys.executable, "-c", PROGRAM.format(function)],
        cwd=ROOT / "lambda_src",
        env=own | ENVIRONMENT | settings,
        text=True,
    )
    return set(modules.split())


@pytest.mark.parametrize("function", ["ingest", "process"])
def test_a_start_imports_no_expensive_module(function: str) -> None:
    modules = imported(function)

    assert f"{function}.handler" in modules
    assert not NOT_NEEDED & modules


@pytest.mark.parametrize("function", ["ingest", "process"])
def test_a_start_imports_only_the_options_that_are_on(tmp_path: Path, function: str) -> None:
    """Off, each of them costs nothing."""
    (tmp_path / "own_hooks.py").write_text("def accept(order, request): return order")
    off = imported(function)
    on = imported(function, **OPTIONS, PYTHONPATH=str(tmp_path))

    assert not off & OF_OPTIONS[function]
    assert "pathlib" not in on - off  # which imports many others
    assert {name for name in on - off if name.startswith(OURS)} == OF_OPTIONS[function]
