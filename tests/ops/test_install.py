"""The package, installed into an environment of its own as pipx does it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from local.emulator import ROOT
from tests.support.repository import Repository

REPOSITORY = "https://github.com/OWNER/terraform-aws-async-ingest"
DOCUMENTS = (ROOT / "README.md", ROOT / "ops" / "README.md", ROOT / "ops" / "pyproject.toml")
PLAIN = f"git+{REPOSITORY}#subdirectory=ops"


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a new environment's commands, with nothing but the package installed.

    It comes from a clone, by the source that the documents name. What it needs comes from where
    pip is told to look, as for everything else.
    """
    work = tmp_path_factory.mktemp("install")
    repository = Repository(work / "repository")
    source = PLAIN.replace(REPOSITORY, repository.directory.as_uri())
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


def test_the_documents_name_the_source_that_is_installed_here() -> None:
    named = {
        source
        for path in DOCUMENTS
        for source in re.findall(r'pipx install "([^"]+)"', path.read_text())
    }

    assert named == {PLAIN, f"async-ingest[load] @ {PLAIN}"}


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
