"""Plans a configuration that somebody else could have, with a mocked provider."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local.emulator import ROOT
from local.terraform import Terraform, resources_in

CHECKOUT = "./checkout"  # the module's source there
TEST = """
mock_provider "aws" {
  source = "./checkout/tests/terraform/mocks"
}

run "plan" {
  command = plan
}
"""


def planned(
    directory: Path, files: Mapping[str, str], variables: Mapping[str, Any] | None = None
) -> dict[str, dict[str, Any]]:
    """Returns the planned values of each resource, by address."""
    return resources_in(events_of(directory, files, variables))


def refused(
    directory: Path, files: Mapping[str, str], variables: Mapping[str, Any] | None = None
) -> list[str]:
    """Returns what the plan complains of, be it refused or, as by a check, only a warning."""
    events = events_of(directory, files, variables)
    problems = [event["diagnostic"] for event in events if event["type"] == "diagnostic"]
    return [one["detail"] for one in problems if one["severity"] == "error"]


def events_of(
    directory: Path, files: Mapping[str, str], variables: Mapping[str, Any] | None
) -> list[dict[str, Any]]:
    """Returns what `terraform test` says of the plan."""
    (directory / "checkout").symlink_to(ROOT)
    for name, content in {"plan.tftest.hcl": TEST, **files}.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(content)
    (directory / "terraform.tfvars.json").write_text(json.dumps(variables or {}))

    terraform = Terraform(directory, directory, os.environ)
    plugins = ROOT / ".terraform" / "providers"
    terraform.run("init", "-backend=false", "-input=false", f"-plugin-dir={plugins}")
    _, output = terraform.run("test", "-json", "-verbose", accept=(0, 1))
    return [json.loads(line) for line in output.splitlines()]
