"""Rules that all modules keep, and that their tests set every input."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]  # of a copy too: see make mutants
NULL_MEANS_NONE = (
    "table_sort_key",
    "observability",
    "availability_objective_percent",
    "freshness_objective_percent",
)  # although the default is another
# What others hold or use, so the new one must exist before the old one goes.
HELD = (
    "aws_iam_role",
    "aws_iam_role_policy",
    "aws_route_table",
    "aws_security_group",
    "aws_subnet",
    ("aws_vpc_endpoint", "interface"),  # which may go while the system stays
)
# What would go with a resource that is replaced, and which nothing would make again.
REPLACED_WITH = {
    ("aws_dynamodb_table", "this"): "terraform_data.replaceable",
    ("aws_lambda_alias", "live"): "aws_lambda_function.this.id",
    ("aws_lambda_provisioned_concurrency_config", "this"): "aws_lambda_alias.live.id",
    ("aws_lb", "this"): "terraform_data.replaceable",
    ("aws_lb_listener_rule", "this"): "aws_lb_target_group.this.arn",
    ("aws_lb_target_group", "this"): "terraform_data.is_own",
    ("terraform_data", "is_own"): "terraform_data.replaceable",
    ("terraform_data", "name"): "terraform_data.replaceable",
}
MODULES = sorted(path.name for path in (ROOT / "modules").iterdir() if path.is_dir())


# In Python 3.11, and no longer in 3.12, the oldest that a function may have.
GONE = {"asynchat", "asyncore", "distutils", "imp", "smtpd"}


def test_the_names_of_the_standard_library_are_all_taken() -> None:
    text = (ROOT / "modules" / "function" / "standard_library.tf").read_text()
    (names,) = re.findall(r"<<-EOT\n(.*?)EOT", text, re.DOTALL)
    public = {name for name in sys.stdlib_module_names if not name.startswith("_")}

    assert public - GONE <= set(names.split())


@pytest.mark.parametrize("module", MODULES)
def test_every_input_of_a_module_is_set_by_its_tests(module: str) -> None:
    test = (ROOT / "tests" / "terraform" / f"{module}.tftest.hcl").read_text()
    variables = (ROOT / "modules" / module / "variables.tf").read_text()
    inputs = re.findall(r'^variable "(\w+)"', variables, re.MULTILINE)

    assert [name for name in inputs if not re.search(rf"\b{name}\s+= ", test)] == []


@pytest.mark.parametrize("directory", [ROOT, *(ROOT / "modules" / module for module in MODULES)])
def test_null_is_the_default_or_becomes_the_default(directory: Path) -> None:
    """Terraform itself refuses null, or replaces it by the default, where nullable is false."""
    text = (directory / "variables.tf").read_text()
    blocks = re.findall(r'^variable "(\w+)" \{\n(.*?)^\}', text, re.MULTILINE | re.DOTALL)

    for name, block in blocks:
        is_default = bool(re.search(r"^  default += null$", block, re.MULTILINE))
        is_refused = bool(re.search(r"^  nullable += false$", block, re.MULTILINE))
        assert is_default != is_refused or name in NULL_MEANS_NONE, name


def resources(directory: Path) -> dict[tuple[str, str], str]:
    """Returns the bodies of the resources, by type and name."""
    text = "\n".join(path.read_text() for path in directory.glob("*.tf"))
    blocks = re.findall(r'^resource "(\w+)" "(\w+)" \{\n(.*?)^\}', text, re.MULTILINE | re.DOTALL)
    return {(kind, name): body for kind, name, body in blocks}


@pytest.mark.parametrize("directory", [ROOT, *(ROOT / "modules" / module for module in MODULES)])
def test_what_others_hold_is_created_before_it_is_destroyed(directory: Path) -> None:
    found = resources(directory)

    first = {name for name, body in found.items() if "create_before_destroy = true" in body}
    assert first == {name for name in found if name[0] in HELD or name in HELD}


@pytest.mark.parametrize("directory", [ROOT, *(ROOT / "modules" / module for module in MODULES)])
def test_what_goes_with_another_is_replaced_with_it(directory: Path) -> None:
    found = resources(directory)

    triggers = {
        name: trigger[1]
        for name, body in found.items()
        if (trigger := re.search(r"^    replace_triggered_by = \[(.*)\]$", body, re.MULTILINE))
    }
    assert triggers == {name: by for name, by in REPLACED_WITH.items() if name in found}
