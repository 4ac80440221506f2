"""The hooks of examples/hooks: their own tests pass, and their validator is up to date."""

import os
import runpy
import subprocess
import sys

import pytest

from local.emulator import ROOT

EXAMPLE = ROOT / "examples" / "hooks"
# As README.md of the example has it.
IMPORTS = [str(ROOT / "lambda_src"), str(EXAMPLE / "hooks")]


def test_its_own_tests_pass_without_aws() -> None:
    own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    options = ["-q", "-p", "no:cacheprovider", "-c", os.devnull, f"--rootdir={EXAMPLE}"]
    result = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(EXAMPLE / "tests")],
        cwd=EXAMPLE,
        env=own | {"PYTHONPATH": os.pathsep.join(IMPORTS), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
    )

    assert result.returncode == 0, result.stdout + result.stderr
    assert "passed" in result.stdout


def test_the_validator_is_what_the_schema_says() -> None:
    generate = runpy.run_path(str(EXAMPLE / "generate.py"))

    assert generate["GENERATED"].read_text() == generate["code"]()


@pytest.mark.parametrize("library", ["fastjsonschema", "jsonschema"])
def test_the_validator_needs_no_library(library: str) -> None:
    program = f"import sys, order_hooks; assert {library!r} not in sys.modules"
    environment = {"PYTHONPATH": os.pathsep.join(IMPORTS), "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)
