"""Mutated copies of what `terraform test` needs, and what it says of them."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.mutants.sites import Site

ROOT = Path(__file__).resolve().parents[2]
TESTS = Path("tests") / "terraform"
NEEDED = ("modules", "lambda_src", str(TESTS), "pyproject.toml", ".terraform.lock.hcl")
PLANS = Path("build") / "plans"
TIMEOUT = 600


class Tree:
    """A copy that may be changed. The providers and modules of the original's init are shared."""

    def __init__(self, directory: Path, environment: dict[str, str]) -> None:
        self.directory = directory
        self._environment = {**environment, "TF_DATA_DIR": str(ROOT / ".terraform")}
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

    def killed_by(self, files: list[str]) -> str | None:
        """The first test of `make test-terraform` that fails, of those in the files."""
        for name in files:
            killer = self._pytest() if name.endswith(".py") else self._first_failure(name)
            if killer:
                return f"{name}: {killer}"
        return None

    def _pytest(self) -> str | None:
        quiet = ("-q", "-x", "--no-header", "--tb=no", "-p", "no:cacheprovider")
        result = self._run(sys.executable, "-m", "pytest", *quiet, str(TESTS))
        assert result.returncode in (0, 1), result.stdout
        failed = re.search(r"^(?:FAILED|ERROR) \S+?::(\S+)", result.stdout, re.MULTILINE)
        return failed[1] if failed else None

    def _first_failure(self, name: str) -> str | None:
        """What comes after it is not waited for."""
        with self._test(TESTS, name) as events:
            for event in events:
                run = event.get("test_run", {})
                if run.get("status") in ("fail", "error"):
                    return str(run["run"])
                if event["type"] == "test_summary":
                    return None if event["test_summary"]["status"] == "pass" else "the whole file"
        return "the whole file"

    def plans(self, files: list[str]) -> dict[str, Any]:
        """What the tests' configurations plan, or why they plan nothing."""
        (self.directory / PLANS).mkdir(parents=True, exist_ok=True)
        found: dict[str, Any] = {}
        for name in files:
            copy = PLANS / name.replace("/", "-")
            text = (self.directory / TESTS / name).read_text()
            (self.directory / copy).write_text(planned_only(text))
            with self._test(PLANS, copy.name, "-verbose") as events:
                for event in events:
                    key = f"{name}: {event.get('@testrun')}"
                    if event["type"] == "test_plan":
                        found[key] = comparable(event["test_plan"])
                    elif event["type"] == "diagnostic":
                        said = event["diagnostic"]["summary"], event["diagnostic"]["detail"]
                        found.setdefault(f"{key}: says", []).append(said)
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


def planned_only(text: str) -> str:
    """The test file with every run a plan, and nothing asserted or expected."""
    lines, kept, skipping = text.splitlines(), [], None
    for line in lines:
        opening = re.match(r"( *)(assert \{|expect_failures = \[|command +=)", line)
        if skipping is None and opening:
            closing = {"assert {": "}", "expect_failures = [": "]"}.get(opening[2])
            if closing and not line.rstrip().endswith(closing):
                skipping = opening[1] + closing
            continue
        if skipping is None:
            kept.append(line)
        elif line == skipping:
            skipping = None
            continue
        if line.startswith("run "):
            kept.append("  command = plan")
    return "\n".join(kept) + "\n"


def comparable(plan: dict[str, Any]) -> dict[str, Any]:
    return {
        "outputs": plan.get("output_changes"),
        "resources": {
            change["address"]: {
                key: change["change"].get(key) for key in ("actions", "after", "after_unknown")
            }
            for change in plan.get("resource_changes", [])
        },
    }


@contextlib.contextmanager
def attached_provider() -> Iterator[dict[str, str]]:
    """The AWS provider, started once for all: starting it takes most of a small plan's time."""
    providers = ROOT / ".terraform" / "providers"
    [binary] = providers.glob("*/hashicorp/aws/*/*/terraform-provider-aws*")
    with tempfile.NamedTemporaryFile("w+") as output:
        process = subprocess.Popen([binary, "-debug"], stdout=output, stderr=subprocess.STDOUT)
        try:
            yield {"TF_REATTACH_PROVIDERS": _address(process, Path(output.name))}
        finally:
            process.terminate()
            process.wait()


def _address(process: subprocess.Popen[bytes], output: Path) -> str:
    for _ in range(300):
        if said := re.search(r"TF_REATTACH_PROVIDERS='(.*)'", output.read_text()):
            return said[1]
        assert process.poll() is None, output.read_text()
        time.sleep(0.1)
    raise AssertionError(f"The AWS provider did not say how to attach to it: {output.read_text()}")
