"""What runs on a Mac as well: GNU make 3.81, bash 3.2, no /proc."""

import re
import subprocess

import pytest

from local.emulator import ROOT
from tests.support.repository import listed_files

MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = re.findall(r"^([a-z0-9-]+):.*## ", MAKEFILE, re.MULTILINE)
# Newer than bash 3.2 of 2006, by its CHANGES.
NEWER_BASH = {
    "associative array": r"\b(declare|local|typeset) -[a-zA-Z]*A",
    "name reference": r"(?<!/)\b(declare|local|typeset) -[a-zA-Z]*n\b",
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
# On Linux alone.
ON_LINUX = {
    "/proc": r'"/proc/',
    "a clock": r"\bclock_gettime\((?!0\))|\bCLOCK_(BOOTTIME|TAI|\w+_(COARSE|ALARM))\b",
    "a limit": r"\b(CpuShare|MemoryLimit)\(",
    "an address": r'"127\.(?!0\.0\.1")[\d.]+"',
}
# What needs Linux and is no test: does without it elsewhere, or ends with one line.
ELSEWHERE = {
    "benchmarks/cpu_share.py": "does not pin",
    "benchmarks/measurements.py": "asks getrusage",
    "local/limits.py": "require()",
    "local/patches/workers.py": "asks whether limits are possible",
    "tests/operate/path.py": "limits.require()",
    "tests/settle/table.py": "does not mind",
}
FOLDERS = ("benchmarks", "lambda_src", "local", "ops", "tests", "tools")
SKIP = re.compile(r"skipif\(not ARE_POSSIBLE,|pytest\.skip\(|^pytestmark = .*mark\.stack", re.M)


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


def sources() -> dict[str, str]:
    """Returns the text of each Python file by its path."""
    names = [name for name in listed_files() if name.endswith(".py") and name.startswith(FOLDERS)]
    return {name: (ROOT / name).read_text() for name in names}


def uses(user: str, text: str, path: str) -> bool:
    """Returns whether a file imports another, or is a test beside it that names it to run it."""
    folder, _, name = path.rpartition("/")
    package, module = folder.replace("/", "."), name.removesuffix(".py")
    imported = rf"^from {package}(\.{module} import\b| import .*\b{module}\b)"
    is_named = user.startswith(f"{folder}/test_") and f'"{name}"' in text
    return is_named or bool(re.search(imported, text, re.MULTILINE))


def test_what_needs_linux_is_skipped_elsewhere() -> None:
    """A test that imports it, also by way of other files, has a skip with the reason."""
    texts = sources()
    del texts["tests/tools/test_portable.py"]
    found = {path for path, text in texts.items() if re.search("|".join(ON_LINUX.values()), text)}
    new, reached = found - ELSEWHERE.keys(), set[str]()
    while new:
        reached |= new
        users = {a for a, text in texts.items() if any(uses(a, text, b) for b in new)}
        new = users - reached

    tests = {path for path in reached if path.rpartition("/")[2].startswith("test_")}
    assert {path for path in tests if not SKIP.search(texts[path])} == set()
    assert ELSEWHERE.keys() <= found, "no longer needs Linux"
    assert tests >= {"tests/faults/test_nemesis.py", "tests/settle/test_settle.py"}
