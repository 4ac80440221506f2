"""Configurations in the documents: that with several options is short, and they plan."""

from pathlib import Path
from typing import Any

import pytest

from local.emulator import ROOT
from tests.terraform.planning import CHECKOUT, events_of, planned
from tools import markup

SOURCE = "git::https://github.com/OWNER/terraform-aws-async-ingest.git"
MOST_LINES = 30


def blocks(document: str, language: str) -> list[str]:
    return markup.blocks((ROOT / document).read_text(), language)


def block(language: str) -> str:
    """Returns the first code block of a language in docs/options.md."""
    return blocks("docs/options.md", language)[0]


def test_several_options_take_few_lines() -> None:
    lines = block("hcl").splitlines()

    assert len(lines) <= MOST_LINES
    for option in ("order_version_attribute", "order_hooks", "request_signature"):
        assert any(line.strip().startswith(option) for line in lines)


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The planned values of each resource, by address."""
    files = {
        "main.tf": block("hcl").replace(SOURCE, CHECKOUT),
        "hooks/order_hooks/__init__.py": block("python"),
    }
    return planned(tmp_path_factory.mktemp("documented"), files)


@pytest.mark.parametrize(
    ("function", "names"),
    [
        ("ingest", {"ORDER_VERSION", "ORDER_HOOKS", "SIGNATURE_HEADER"}),
        ("process", {"ORDER_VERSION", "ORDER_HOOKS"}),
    ],
)
def test_it_plans_with_the_options(
    plan: dict[str, dict[str, Any]], function: str, names: set[str]
) -> None:
    address = f"module.async_ingest.module.{function}.aws_lambda_function.this"
    [environment] = plan[address]["environment"]

    assert names <= environment["variables"].keys()


def test_it_needs_no_endpoint_of_its_own(plan: dict[str, dict[str, Any]]) -> None:
    module = "module.async_ingest.module.vpc_endpoints[0]"

    assert f'{module}.aws_vpc_endpoint.interface["secrets_manager"]' in plan


def summary_of(directory: Path, configuration: str, test: str) -> dict[str, Any]:
    """Runs a test as docs/testing.md says, with the mocks in another place."""
    files = {
        "main.tf": configuration.replace(SOURCE, CHECKOUT),
        "plan.tftest.hcl": test,
        "tests/mocks/aws.tfmock.hcl": (ROOT / "tests/terraform/mocks/aws.tfmock.hcl").read_text(),
    }
    events = events_of(directory, files, None)
    [summary] = [event["test_summary"] for event in events if event["type"] == "test_summary"]
    return {name: summary[name] for name in ("status", "passed")}


def test_a_configuration_is_tested_as_the_page_says(tmp_path: Path) -> None:
    """With a key and a topic, which are only known after the apply."""
    configuration, test, _ = blocks("docs/testing.md", "hcl")

    assert summary_of(tmp_path, configuration, test) == {"status": "pass", "passed": 1}


LISTENER = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/a/b/c"
EXISTING = f"""
data "aws_vpc" "platform" {{}}
data "aws_subnets" "functions" {{}}
data "aws_lb_listener" "shared" {{
  arn = "{LISTENER}"
}}
data "aws_iam_policy" "boundary" {{
  name = "boundary"
}}

module "async_ingest" {{
  source = "{SOURCE}"

  name                 = "orders"
  paths                = ["/v1/orders"]
  existing_listener    = {{ arn = data.aws_lb_listener.shared.arn, priority = 200 }}
  permissions_boundary = {{ arn = data.aws_iam_policy.boundary.arn }}
  existing_network = {{
    vpc_id              = data.aws_vpc.platform.id
    function_subnet_ids = data.aws_subnets.functions.ids
  }}
}}
"""


@pytest.mark.parametrize(("are_given", "status"), [(True, "pass"), (False, "error")])
def test_data_sources_have_the_values_that_the_page_gives(
    tmp_path: Path, are_given: bool, status: str
) -> None:
    _, test, values = blocks("docs/testing.md", "hcl")

    summary = summary_of(tmp_path, EXISTING, test + (values if are_given else ""))

    assert summary["status"] == status


def test_the_block_in_the_readme_is_a_whole_configuration(tmp_path: Path) -> None:
    [whole, *_] = blocks("README.md", "hcl")

    plan = planned(tmp_path, {"main.tf": whole.replace(SOURCE, CHECKOUT)})

    assert plan["module.async_ingest.module.queue.aws_sqs_queue.this"]["name"] == "orders"
