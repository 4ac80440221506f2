"""Another repository that uses this one: two systems side by side, and a queue alone."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from local.emulator import ROOT

# What the first of the two sets. It cannot be seen in a plan: it is joined with what is unknown.
INPUTS: dict[str, Any] = {
    "ingest_environment": {"AGENT": "on"},
    "process_environment": {"AGENT": "on", "TABLE_NAME": "what the module sets wins"},
    "process_dead_letter_immediately": False,
    **{
        f"{function}_policy_documents": [
            json.dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Sid": f"{function.capitalize()}Extra",
                            "Effect": "Allow",
                            "Action": "s3:GetObject",
                            "Resource": "arn:aws:s3:::extra/*",
                        }
                    ],
                }
            )
        ]
        for function in ("ingest", "process")
    },
}


def write_consumer(work: Path) -> Path:
    """A configuration whose modules come from a git repository with what this checkout has now."""
    repository = work / "repository"
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    files = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, files.split("\0")):
        if (ROOT / name).is_file():
            (repository / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, repository / name)
    for command in (
        ["init", "--quiet"],
        ["add", "--all"],
        ["-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "--quiet", "-m", "now"],
    ):
        subprocess.run(["git", *command], cwd=repository, check=True)

    source = f"git::file://{repository}"
    common = {"source": source, "deletion_protection_enabled": False}
    queue = {"source": f"{source}//modules/queue", "name": "alone", "consumer_timeout_seconds": 5}
    configuration = {
        "provider": {"aws": {}},
        "module": {
            "left": {**common, "name": "left", **INPUTS},
            "right": {**common, "name": "right", "vpc_cidr_block": "10.1.0.0/16"},
            "alone": queue,
        },
        "output": {name: {"value": f"${{module.{name}}}"} for name in ("left", "right", "alone")},
    }
    mocks = json.dumps(str(repository / "tests" / "terraform" / "mocks"))
    directory = work / "consumer"
    directory.mkdir()
    (directory / "main.tf.json").write_text(json.dumps(configuration))
    (directory / "plan.tftest.hcl").write_text(
        f'mock_provider "aws" {{\n  source = {mocks}\n}}\n\nrun "plan" {{\n  command = plan\n}}\n'
    )
    return directory
