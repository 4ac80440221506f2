"""The configuration in docs/options.md that has several options: it is short, and it plans."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]  # of a copy too: see make mutants
SOURCE = "git::https://github.com/OWNER/terraform-aws-async-ingest.git"
MOST_LINES = 30
TEST = """
mock_provider "aws" {
  source = "./checkout/tests/terraform/mocks"
}

run "plan" {
  command = plan
}
"""


def block(language: str) -> str:
    """Returns the first code block of a language."""
    text = (ROOT / "docs" / "options.md").read_text()
    [first, *_] = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return str(first)


def test_several_options_take_few_lines() -> None:
    lines = block("hcl").splitlines()

    assert len(lines) <= MOST_LINES
    for option in ("order_version_attribute", "order_hooks", "request_signature"):
        assert any(line.strip().startswith(option) for line in lines)


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The planned values of each resource, by address."""
    directory = tmp_path_factory.mktemp("documented")
    (directory / "checkout").symlink_to(ROOT)
    (directory / "main.tf").write_text(block("hcl").replace(SOURCE, "./checkout"))
    (directory / "plan.tftest.hcl").write_text(TEST)
    hooks = directory / "hooks" / "order_hooks"
    hooks.mkdir(parents=True)
    (hooks / "__init__.py").write_text(block("python"))

    def terraform(*arguments: str) -> str:
        environment = {**os.environ, "TF_DATA_DIR": ".terraform"}
        command = ["terraform", *arguments]
        return subprocess.run(
            command, cwd=directory, env=environment, check=True, stdout=subprocess.PIPE, text=True
        ).stdout

    data = Path(os.environ.get("TF_DATA_DIR", ROOT / ".terraform"))
    terraform("init", "-backend=false", "-input=false", f"-plugin-dir={data / 'providers'}")
    events = [json.loads(line) for line in terraform("test", "-json", "-verbose").splitlines()]
    [plan] = [event["test_plan"] for event in events if event["type"] == "test_plan"]
    return {one["address"]: one["change"]["after"] for one in plan["resource_changes"]}


@pytest.mark.parametrize(
    ("function", "names"),
    [
        ("ingest", {"ORDER_VERSION", "ORDER_HOOKS", "SIGNATURE_HEADER"}),
        ("process", {"ORDER_VERSION", "ORDER_HOOKS"}),
    ],
)
def test_it_plans_with_the_options(
    planned: dict[str, dict[str, Any]], function: str, names: set[str]
) -> None:
    address = f"module.async_ingest.module.{function}.aws_lambda_function.this"
    [environment] = planned[address]["environment"]

    assert names <= environment["variables"].keys()


def test_it_needs_no_endpoint_of_its_own(planned: dict[str, dict[str, Any]]) -> None:
    module = "module.async_ingest.module.vpc_endpoints[0]"

    assert f'{module}.aws_vpc_endpoint.interface["secrets_manager"]' in planned
