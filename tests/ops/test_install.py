"""The package, installed into an environment of its own as pipx does it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from local.emulator import ROOT


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a new environment's commands, with nothing but the package installed."""
    work = tmp_path_factory.mktemp("install")
    ignored = shutil.ignore_patterns("__pycache__", "build", "*.egg-info")
    source = shutil.copytree(ROOT / "ops", work / "ops", ignore=ignored)
    subprocess.run([sys.executable, "-m", "venv", work / "venv"], check=True)
    python = work / "venv" / "bin" / "python"
    install: list[str | Path] = [
        python,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        source,
    ]
    result = subprocess.run(install, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return python.parent


@pytest.mark.parametrize("command", [["async-ingest"], ["python", "-m", "async_ingest"]], ids=str)
def test_the_command_is_installed(scripts: Path, command: list[str]) -> None:
    result = subprocess.run(
        [scripts / command[0], *command[1:], "--help"],
        capture_output=True,
        text=True,
        env={},
    )

    assert result.returncode == 0, result.stderr
    for name in ("doctor", "status", "dlq", "send", "load", "trace", "pause", "resume", "rollback"):
        assert f"\n  {name} " in result.stdout
    assert "Exit codes:" in result.stdout


def test_the_version_is_that_of_the_package(scripts: Path) -> None:
    result = subprocess.run(
        [scripts / "async-ingest", "--version"], capture_output=True, text=True, env={}
    )

    assert result.stdout.startswith("async-ingest, version ")
