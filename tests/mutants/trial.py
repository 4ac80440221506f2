"""Mutated copies of the Terraform sources, and what the tests report about them."""

import contextlib
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from local.emulator import ROOT
from local.terraform import every_resource
from tests.mutants.sites import Site

TESTS = Path("tests") / "terraform"
NEEDED = (
    "modules",
    "lambda_src",
    "docs",
    "examples/hooks",
    "local",
    "tests/support",
    str(TESTS),
    "pyproject.toml",
    ".terraform.lock.hcl",
)
TIMEOUT = 600


class Selection(NamedTuple):
    """Tests of a file below tests/terraform, or the Python ones of a folder."""

    file: str
    word: str = ""  # only those that have it in their names


class Killer(NamedTuple):
    test: str
    has_planned: bool  # then the mutant is certainly valid Terraform


class Tree:
    """A copy to mutate. It shares the providers and modules of the original's init."""

    def __init__(self, directory: Path, environment: dict[str, str]) -> None:
        self.directory = directory
        self._environment = {
            **environment,
            "TF_DATA_DIR": str(ROOT / ".terraform"),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        }
        for path in [*ROOT.glob("*.tf"), *(ROOT / name for name in NEEDED)]:
            target = directory / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            ignore = shutil.ignore_patterns(".terraform*", "__pycache__")
            shutil.copytree(path, target, ignore=ignore) if path.is_dir() else shutil.copy(
                path, target
            )

    @contextlib.contextmanager
    def mutated(self, site: Site) -> Iterator[None]:
        path = self.directory / site.file
        original = path.read_text()
        path.write_text(site.applied(original))
        try:
            yield
        finally:
            path.write_text(original)

    def is_valid(self) -> bool:
        return self._run("terraform", "validate").returncode == 0

    def killed_by(self, tests: list[Selection]) -> Killer | None:
        """Returns the first failing test among these, or None."""
        for name, word in tests:
            is_terraform = name.endswith(".tftest.hcl")
            killer = self._first_failure(name) if is_terraform else self._pytest(name, word)
            if killer:
                return killer
        return None

    def _pytest(self, name: str, word: str) -> Killer | None:
        quiet = ("-q", "-x", "--no-header", "--tb=no", "-p", "no:cacheprovider")
        result = self._run(sys.executable, "-m", "pytest", *quiet, str(TESTS / name), "-k", word)
        assert result.returncode in (0, 1, 5), result.stdout  # 5: none has the word
        failed = re.search(r"^(FAILED|ERROR) \S+?::(\S+)", result.stdout, re.MULTILINE)
        return Killer(f"{name}: {failed[2]}", failed[1] == "FAILED") if failed else None

    def _first_failure(self, name: str) -> Killer | None:
        """Returns the first failure without waiting for the rest."""
        with self._test(TESTS, name) as events:
            for event in events:
                run = event.get("test_run", {})
                if run.get("status") in ("fail", "error"):
                    return Killer(f"{name}: {run['run']}", run["status"] == "fail")
                if event["type"] == "test_summary" and event["test_summary"]["status"] == "pass":
                    return None
        return Killer(name, False)

    def plans(self, files: list[str]) -> dict[str, Any]:
        """Returns what the tests' configurations plan and read, by test and run."""
        found: dict[str, Any] = {}
        for name, command in itertools.product(files, ("plan", "apply")):
            path = self.directory / TESTS / name
            text = path.read_text()
            path.write_text(
                only(command, text)
            )  # under the same name, by which init knows a test's modules
            with self._test(
                path.parent.relative_to(self.directory), path.name, "-verbose"
            ) as events:
                for event in events:
                    key = f"{command} {name} {event.get('@testrun')}"
                    if event["type"] == "test_plan":
                        found[key] = planned(event["test_plan"])
                    elif event["type"] == "test_state":
                        found[key] = applied(event["test_state"])
                    elif event["type"] == "diagnostic":
                        said = event["diagnostic"]["summary"], event["diagnostic"]["detail"]
                        found.setdefault(f"{key} says", []).append(said)
            path.write_text(text)
        return found

    @contextlib.contextmanager
    def _test(self, tests: Path, name: str, *options: str) -> Iterator[Iterator[dict[str, Any]]]:
        command = ["terraform", "test", "-json", f"-test-directory={tests}", *options]
        process = subprocess.Popen(
            [*command, f"-filter={tests / name}"],
            cwd=self.directory,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        assert process.stdout is not None
        try:
            yield (json.loads(line) for line in process.stdout)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()

    def _run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.directory,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT,
        )


def only(command: str, text: str) -> str:
    """Returns the test file without runs that expect failures, and without assertions."""
    kept = []
    for block in re.split(r"^(?=[\w#])", text, flags=re.MULTILINE):
        if block.startswith("run ") and "expect_failures" in block:
            continue
        silent = re.sub(
            r"^  (assert \{\n.*?^  \}|command += .*?)\n", "", block, flags=re.MULTILINE | re.DOTALL
        )
        if silent.startswith("run "):
            silent = silent.replace("{", f"{{\n  command = {command}\n", 1)
        kept.append(silent)
    return "".join(kept)


def planned(plan: dict[str, Any]) -> dict[str, Any]:
    return {
        "outputs": plan.get("output_changes"),
        "resources": {
            change["address"]: {
                key: change["change"].get(key) for key in ("actions", "after", "after_unknown")
            }
            for change in plan.get("resource_changes", [])
        },
    }


def applied(state: dict[str, Any]) -> dict[str, Any]:
    """Returns the values of resources, of which a plan leaves many unknown, and of data sources."""
    return {one["address"]: one["values"] for one in every_resource(state["root_module"])}


def alike(one: Any, other: Any, again: Any) -> bool:
    """Compares plans, except for values that differ between two plans of the same: mocked ones.

    In a document, only the values that are mocked are left out.
    """
    one, other, again = (_parsed(value) for value in (one, other, again))
    if isinstance(one, dict) and isinstance(other, dict) and isinstance(again, dict):
        return one.keys() == other.keys() == again.keys() and all(
            alike(one[key], other[key], again[key]) for key in one
        )
    if isinstance(one, list) and isinstance(other, list) and isinstance(again, list):
        return len(one) == len(other) == len(again) and all(map(alike, one, other, again))
    return bool(one == other or (one != again and type(one) is type(other)))


def _parsed(value: Any) -> Any:
    """Returns the content of a JSON document, and anything else as it is."""
    if isinstance(value, str) and value.startswith(("{", "[")):
        with contextlib.suppress(json.JSONDecodeError):
            return json.loads(value)
    return value
