"""The nemesis intercepts calls of the functions' client, whichever implementation is chosen."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.emulator import ROOT
from local.events import ENVIRONMENT
from local.limits import ARE_POSSIBLE
from tests.faults.system import NEMESIS, full_backlog

NOWHERE = "https://127.0.0.1:1"  # refuses connections
ON_LINUX = pytest.mark.skipif(not ARE_POSSIBLE, reason="exhausts memory, by /proc: Linux only")
CALL = """
import json, nemesis
from process import handler
from shared.aws import CallError, Deadline

statements = json.dumps({"Statements": [{"Statement": "a"}, {"Statement": "b"}]})
try:
    handler.WRITER._client.call("BatchExecuteStatement", statements, Deadline(lambda: 5))
except CallError as error:
    print(error.code)
"""


@pytest.mark.parametrize(
    ("token", "implementation", "code", "output"),
    [
        ("before.exit", "builtin", 1, ""),
        ("before.kill", "builtin", -9, ""),
        ("before.quit", "builtin", 1, ""),
        pytest.param("before.exhaust", "builtin", -9, "", marks=ON_LINUX),
        ("before.unreachable", "builtin", 0, "Timeout"),
        ("before.unreachable", "botocore", 0, "Timeout"),
        ("within.ThrottlingError", "builtin", 0, "Connection"),
        ("within.ThrottlingError", "botocore", 0, "Connection"),
    ],
)
def test_a_token_triggers_its_action(
    tmp_path: Path, token: str, implementation: str, code: int, output: str
) -> None:
    """Without any service. Actions that need one are covered by the suite, on a whole stack."""
    token = f"BatchExecuteStatement.{token}.0"
    (tmp_path / "nemesis.py").symlink_to(NEMESIS)
    (tmp_path / "fired").mkdir()
    for name in (token, "SendMessage.before.kill.1"):  # the latter is for another operation
        (tmp_path / name).touch()
    with full_backlog() as url:
        environment = ENVIRONMENT | {
            "AWS_ENDPOINT_URL": NOWHERE,
            "UNREACHABLE_URL": url,
            "CLIENT_IMPLEMENTATION": implementation,
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{tmp_path}:{ROOT / 'lambda_src'}",
            "NEMESIS_DIR": str(tmp_path),
            "NEMESIS_FUNCTION": "process",
        }
        result = subprocess.run(
            [sys.executable, "-c", CALL], env=environment, capture_output=True, text=True
        )

    assert result.returncode == code, result.stderr
    assert output in result.stdout
    assert [path.name for path in (tmp_path / "fired").iterdir()] == [token]
