import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tools import audit

SOUND: dict[str, Any] = {"name": "sound", "version": "1.0", "vulns": []}
BAD = {"name": "bad", "version": "2.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1"]}]}
SKIPPED = {"name": "gone", "skip_reason": "not found: gone (3.0)"}


def report(*packages: dict[str, Any]) -> str:
    return json.dumps({"dependencies": packages})


@pytest.mark.parametrize(
    ("stdout", "codes", "says"),
    [
        (report(SOUND), (0, 0), "1 packages looked up, 0 vulnerabilities known"),
        (report(SOUND, BAD), (1, 1), "✗ bad 2.0: PYSEC-1, fixed in 2.1"),
        (report(BAD, SKIPPED), (1, 1), "✗ bad 2.0: PYSEC-1, fixed in 2.1"),
        (report(SOUND, SKIPPED), (1, 1), "✗ not found: gone (3.0)"),
        (report(SKIPPED), (0, 1), "not audited: not found: gone (3.0)"),
        (report(), (0, 1), "not audited"),
        ("", (0, 1), "not audited: ConnectionError: no route"),
    ],
)
def test_the_outcome_depends_on_what_was_looked_up(
    stdout: str,
    codes: tuple[int, int],
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def pip_audit(_: Path, option: str) -> subprocess.CompletedProcess[str]:
        if option == "--dry-run":
            return subprocess.CompletedProcess([], 0, "", "")
        return subprocess.CompletedProcess([], 1, stdout, "Traceback\nConnectionError: no route\n")

    monkeypatch.setattr(audit, "pip_audit", pip_audit)
    by_itself, required = codes

    assert audit.main([]) == by_itself
    output = capsys.readouterr().out
    assert says in output
    assert ("NOTE" in output) == (by_itself != required)

    assert audit.main(["--required"]) == required
    assert "NOTE" not in capsys.readouterr().out


def test_a_look_up_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "SECONDS", 0.01)

    assert audit.look_up(audit.REQUIREMENTS[0]).trouble == "no answer within 0.01 s"


def test_a_package_without_hash_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("six==1.17.0\n")
    monkeypatch.setattr(audit, "REQUIREMENTS", [requirements])

    assert audit.main([]) == 1
    assert "requirements.txt" in capsys.readouterr().out


@pytest.mark.parametrize("file", audit.REQUIREMENTS, ids=lambda file: file.name)
def test_requirements_have_only_pins_with_hashes(file: Path) -> None:
    requirements = re.sub(r"\\\n *", "", file.read_text()).splitlines()

    assert len(requirements) > {"requirements-release.txt": 20}.get(file.name, 50)
    for line in requirements:
        assert re.fullmatch(
            r"[a-z0-9-]+(\[[a-z,]+\])?==\S+( ; [^-]+)?( *--hash=sha256:[0-9a-f]{64})+", line
        ), line
