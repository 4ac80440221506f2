"""checkov, of an environment of its own: `tools/setup.py checkov`."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from local.emulator import ROOT
from local.terraform import Terraform

CHECKOV = ROOT / ".cache" / "venv-checkov" / "bin" / "checkov"
PLAN = "plan.json"


def static(directory: Path) -> dict[str, Any]:
    """Checks the configuration in a directory. Returns what `_checked` does."""
    return _checked(directory, "--directory=.", "--framework=terraform")


def planned(terraform: Terraform) -> dict[str, Any]:
    """Checks a plan, enriched by its configuration. Returns what `_checked` does."""
    (terraform.directory / PLAN).write_text(json.dumps(terraform.planned_document()))
    enriched = "--repo-root-for-plan-enrichment=."
    return _checked(terraform.directory, f"--file={PLAN}", "--framework=terraform_plan", enriched)


def _checked(directory: Path, *options: str) -> dict[str, Any]:
    """Returns checkov's results, which have `failed_checks` and `skipped_checks`.

    None may be of a file that is not scanned.
    """
    result = subprocess.run(
        [CHECKOV, *options, "--download-external-modules=true", "--output=json"],
        cwd=directory,
        env={**os.environ, "LOG_LEVEL": "ERROR"},
        capture_output=True,
        text=True,
    )
    report = json.loads(result.stdout)
    assert report["summary"]["passed"] > 100, "it did not find the modules"
    results: dict[str, Any] = report["results"]
    return results
