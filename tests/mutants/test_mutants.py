"""What `make mutants` changes, and which plans it considers equal."""

import random
import subprocess
from typing import Any

import pytest

from local.emulator import ROOT
from tests.mutants import __main__ as mutants
from tests.mutants import trial
from tests.mutants.sites import Site, all_sites, sites

TEXT = """\
# A comment with true, 1 and x = 2.
variable "size" {
  description = "Between 1 and 2"
  type        = object({ least = optional(number, 70) })
  default     = 5

  validation {
    condition     = var.size >= 1 && length("${var.size + 1}#") <= 3 /* 4 */
    error_message = "Got ${var.size}, not 6."
  }
}

resource "aws_thing" "this" {
  count = var.enabled ? 1 : 0

  name        = "${var.name}-"
  description = "A thing"
  enabled     = true
  other       = aws_other.this[0].id
  tags        = merge(var.tags, { Name = "a", Size = "b" })
  rules = [
    for port in [80, 443] : { port = port, open = false }
  ]

  dynamic "block" {
    for_each = var.blocks

    content {
      value = block.value
    }
  }

  depends_on = [aws_other.this]
}
"""


@pytest.fixture(scope="module")
def found() -> list[Site]:
    return sites("main.tf", TEXT)


def changes(found: list[Site], kind: str) -> list[tuple[str, str, str]]:
    return [(one.where, one.before, one.after) for one in found if one.kind == kind]


def test_numbers_except_indexes_are_raised_by_one(found: list[Site]) -> None:
    condition = "variable.size.validation.condition"

    assert changes(found, "number") == [
        ("variable.size.type.least", "70", "71"),
        ("variable.size.default", "5", "6"),
        (condition, "1", "2"),
        (condition, "1", "2"),
        (condition, "3", "4"),
        ("resource.aws_thing.this.count", "1", "2"),
        ("resource.aws_thing.this.count", "0", "1"),
        ("resource.aws_thing.this.rules", "80", "81"),
        ("resource.aws_thing.this.rules", "443", "444"),
    ]


def test_booleans_are_flipped(found: list[Site]) -> None:
    assert changes(found, "boolean") == [
        ("resource.aws_thing.this.enabled", "true", "false"),
        ("resource.aws_thing.this.rules.open", "false", "true"),
    ]


def test_arguments_are_dropped_except_texts_for_people(found: list[Site]) -> None:
    thing = "resource.aws_thing.this"

    assert [where for where, _, _ in changes(found, "argument")] == [
        "variable.size.type.least",
        "variable.size.default",
        "variable.size.validation.condition",
        f"{thing}.count",
        f"{thing}.name",
        f"{thing}.description",
        f"{thing}.enabled",
        f"{thing}.other",
        f"{thing}.tags",
        f"{thing}.tags.Name",
        f"{thing}.tags.Size",
        f"{thing}.rules",
        f"{thing}.rules.port",
        f"{thing}.rules.open",
        f"{thing}.dynamic.block.for_each",
        f"{thing}.dynamic.block.content.value",
    ]
    assert [where for where, _, _ in changes(found, "depends_on")] == [f"{thing}.depends_on"]


def test_a_mutation_changes_only_its_site(found: list[Site]) -> None:
    for site in found:
        changed = site.applied(TEXT)

        assert changed[: site.start] + site.before + changed[site.start + len(site.after) :] == TEXT


def test_conditions_and_defaults_show_in_no_plan() -> None:
    text = 'resource "a" "b" {\n  lifecycle {\n    precondition {\n condition = x > 1\n}\n}\n}'

    assert {one.shows_in_a_plan for one in sites("main.tf", text)} == {False}
    assert {one.shows_in_a_plan for one in sites("main.tf", TEXT) if "thing" in one.where} == {True}
    default = [one for one in sites("main.tf", TEXT) if one.where == "variable.size.default"]
    assert [(one.kind, one.shows_in_a_plan) for one in default] == [
        ("argument", False),
        ("number", True),
    ]


def test_a_site_knows_its_input(found: list[Site]) -> None:
    assert {one.input for one in found if one.where.startswith("variable.")} == {"size"}
    assert {one.input for one in found if one.where.startswith("resource.")} == {""}


def test_the_module_has_enough_sites() -> None:
    module = all_sites(ROOT)

    assert len(module) > 1_000
    assert {one.kind for one in module} == {"argument", "boolean", "number", "depends_on"}
    assert len({one.name for one in module}) == len({(one.file, one.start) for one in module})


def test_a_mutated_module_is_valid_syntax() -> None:
    """Otherwise the syntax would kill the mutants."""
    for site in random.Random(1).sample(all_sites(ROOT), 40):
        changed = site.applied((ROOT / site.file).read_text())
        formatted = subprocess.run(
            ["terraform", "fmt", "-"], input=changed, capture_output=True, text=True
        )

        assert formatted.returncode == 0, f"{site.name}: {formatted.stderr}"


def test_a_mutation_is_judged_by_all_tests_but_those_of_documents() -> None:
    selected = {one.file for one in mutants.tests_of(all_sites(ROOT)[0])}
    folder = ROOT / trial.TESTS
    there = [path.relative_to(folder) for path in folder.rglob("test_*.py")]

    left_out = {str(one) for one in there if selected.isdisjoint({str(one), str(one.parent)})}

    assert left_out == {"test_documented.py", "test_examples.py"}


def test_plans_skip_expected_failures_and_assertions() -> None:
    text = (
        'mock_provider "aws" {}\n\n'
        'run "accepted" {\n  module { source = "./m" }\n\n  variables {\n    size = 1\n  }\n\n'
        '  assert {\n    condition     = true\n    error_message = "{"\n  }\n}\n\n'
        'run "refused" {\n  command = plan\n\n  expect_failures = [\n    var.size,\n  ]\n}\n'
    )

    assert trial.only("plan", text) == (
        'mock_provider "aws" {}\n\n'
        'run "accepted" {\n  command = plan\n\n  module { source = "./m" }\n\n'
        "  variables {\n    size = 1\n  }\n\n}\n\n"
    )


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ({}, True),
        ({"name": "b"}, False),
        ({"id": None}, False),
        ({"list": []}, False),
        ({"extra": 1}, False),
        ({"document": '{"id": "x3", "min": 0}'}, True),
        ({"document": '{"id": "x3", "min": 1}'}, False),
    ],
)
def test_plans_are_alike_except_for_mocked_values(other: dict[str, Any], same: bool) -> None:
    one, again, others = (
        {"name": "a", "id": mocked, "list": [1], "document": f'{{"id": "{mocked}", "min": 0}}'}
        for mocked in ("x1", "x2", "x3")
    )

    assert trial.alike(one, others | other, again) == same
