"""Plans with mocked providers, which need neither an account nor the emulator."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from local.emulator import ROOT
from local.terraform import Terraform

MOCKS = ROOT / "tests" / "terraform" / "mocks"


def write_test(directory: Path, aliases: Iterable[str] = ("",)) -> None:
    """Writes a test that plans the configuration in a directory.

    Args:
        directory: A root module.
        aliases: Of the AWS providers that it configures; "" is the one without.
    """
    source = f"  source = {json.dumps(str(MOCKS))}\n"
    providers = [
        'mock_provider "aws" {\n' + (f'  alias = "{alias}"\n' if alias else "") + source + "}\n"
        for alias in aliases
    ]
    text = "\n".join([*providers, 'run "plan" {\n  command = plan\n}\n'])
    (directory / "plan.tftest.hcl").write_text(text)


def planned_resources(terraform: Terraform) -> dict[str, dict[str, Any]]:
    """Runs the one test of a configuration. Returns what it plans for each resource, by address.

    Raises:
        TerraformError: It does not plan.
    """
    _, output = terraform.run("test", "-json", "-verbose")
    return resources_in(json.loads(line) for line in output.splitlines())


def resources_in(events: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Returns what the one plan of a test has for each resource, by address."""
    [plan] = [event["test_plan"] for event in events if event["type"] == "test_plan"]
    return {
        one["address"]: one["change"]["after"]
        for one in plan["resource_changes"]
        if one["mode"] == "managed"
    }
