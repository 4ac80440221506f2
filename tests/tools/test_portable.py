"""What runs on a Mac as well: GNU make 3.81, bash 3.2, no /proc."""

import re
import subprocess

import pytest

from local.emulator import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = re.findall(r"^([a-z0-9-]+):.*## ", MAKEFILE, re.MULTILINE)
# Newer than bash 3.2 of 2006, by its CHANGES.
NEWER_BASH = {
    "associative array": r"\b(declare|local|typeset) -[a-zA-Z]*A",
    "name reference": r"\b(declare|local|typeset) -[a-zA-Z]*n\b",
    "mapfile": r"\b(mapfile|readarray)\b",
    "case conversion": r"\$\{\w+(\^|,)",
    "both streams": r"\|&|&>>",
    "coprocess": r"\bcoproc\b",
    "wait for any": r"\bwait -n\b",
    "operator at": r"\$\{\w+@[A-Z]\}",
    "negative length": r"\$\{\w+:[^}]*:-\d",
}
# Newer than GNU make 3.81 of 2006, by its NEWS; .SHELLFLAGS is ignored there, see the Makefile.
NEWER_MAKE = (
    r"\$\(file ",
    r"^\.ONESHELL",
    r"\$\(guile ",
    r"!=",
    r"::=",
    r"\$\(let ",
    r"\bundefine ",
)
# On Linux alone, each with one line or a skip elsewhere.
USE_PROC = {
    "benchmarks/cpu_share.py",
    "benchmarks/measurements.py",
    "local/limits.py",
    "tests/faults/nemesis.py",
    "tests/handlers/test_memory.py",
    "tests/local/test_emulator.py",
    "tests/operate/path.py",
    "tests/settle/function.py",
    "tests/settle/table.py",
}


def recipes() -> str:
    """Returns what bash gets of all targets. Nothing is run."""
    command = ["make", "--dry-run", "--always-make", *TARGETS]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def scripts() -> dict[str, str]:
    return {"Makefile": recipes(), ".ci/run": (ROOT / ".ci" / "run").read_text()}


@pytest.mark.parametrize("name", scripts())
def test_the_shell_is_that_of_bash_3(name: str) -> None:
    text = scripts()[name]

    subprocess.run(["bash", "-n"], input=text, text=True, check=True)
    assert {what for what, pattern in NEWER_BASH.items() if re.search(pattern, text)} == set()


def test_the_makefile_is_that_of_make_3_81() -> None:
    newer = [one for one in NEWER_MAKE if re.search(one, MAKEFILE, re.MULTILINE)]

    assert newer == []


def test_a_loop_stops_without_shellflags() -> None:
    """GNU make 3.81 gives bash no -e, so each command in a loop says what its failure does."""
    bodies = re.findall(r";\s*do\b(.*?)\bdone\b", MAKEFILE, re.DOTALL)
    commands = [
        one for body in bodies for one in re.split(r";\s*(?:\\\n|$)", body) if one.strip(" \\\n\t")
    ]

    assert len(bodies) == 4
    stops = re.compile(r"[\s\\]*(echo|export) |.*\|\| (exit 1|\{[^}]*exit 1; \})", re.DOTALL)
    assert [command for command in commands if not stops.match(command)] == []


def test_proc_is_read_only_where_that_is_known() -> None:
    folders = ("benchmarks", "lambda_src", "local", "ops", "tests", "tools")
    listed = subprocess.run(
        ["git", "grep", "--files-with-matches", "--untracked", '"/proc/', "--", *folders],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )

    assert set(listed.stdout.split()) - {"tests/tools/test_portable.py"} == USE_PROC
