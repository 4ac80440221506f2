"""The table of changes covers every input, and its expectations can fail."""

import re
import tomllib

import pytest

from local.emulator import ROOT
from tests.changes.document import table
from tests.changes.release import LEFT_OUT, can_be_a_default, next_defaults
from tests.changes.system import Surroundings
from tests.changes.table import Change, load

INPUTS = re.findall(r'^variable "(\w+)"', (ROOT / "variables.tf").read_text(), re.MULTILINE)
CHANGES = load()


@pytest.mark.parametrize("name", INPUTS)
def test_every_input_is_changed_under_traffic_or_refused(name: str) -> None:
    changes = [change for change in CHANGES.values() if name in change.inputs]

    assert any(change.is_applied or change.refused or change.not_applied for change in changes)


def test_the_table_names_the_inputs_of_the_module() -> None:
    named = {name for change in CHANGES.values() for name in {**change.base, **change.inputs}}

    assert named == set(INPUTS)


def test_a_change_differs_from_its_base() -> None:
    for change in CHANGES.values():
        assert {**change.base, **change.inputs} != change.base, change.name


def test_changes_planned_end_to_end_start_from_the_defaults() -> None:
    assert [change.name for change in CHANGES.values() if change.in_test and change.base] == []


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_next_release_makes_each_change_that_a_default_can_make(change: Change) -> None:
    is_another_kind = change.kind not in {"in place", "new version"} or change.not_applied
    needs_more = change.base or "'$" in repr(change.inputs)
    if change.name in LEFT_OUT or is_another_kind or needs_more or change.gap:
        return
    defaults = next_defaults(CHANGES)

    for name, value in change.inputs.items():
        changed = defaults.get(name, {})
        assert changed == value or (isinstance(value, dict) and value.items() <= changed.items())


def test_what_the_next_release_leaves_out_could_be_a_default() -> None:
    assert [name for name in LEFT_OUT if not can_be_a_default(CHANGES[name])] == []


def test_two_changes_of_an_input_cannot_be_in_one_release() -> None:
    twice = {name: Change(name, {"tags": {"team": name}}) for name in ("a", "b")}

    with pytest.raises(ValueError, match="b and an earlier row both change tags"):
        next_defaults(twice)


def test_surroundings_exist() -> None:
    inputs = repr([[change.base, change.inputs] for change in CHANGES.values()])

    assert set(re.findall(r"'\$(\w+)'", inputs)) <= set(vars(Surroundings))


def test_protection_refuses_also_in_the_apply_that_lifts_it() -> None:
    alone = {n.removeprefix("protected_") for n in CHANGES if n.startswith("protected_")}

    assert alone
    assert {n for n in alone if not n.endswith("_at_once")} == {
        n.removesuffix("_at_once") for n in alone if n.endswith("_at_once")
    }


def test_the_document_has_a_row_for_every_input() -> None:
    for name in INPUTS:
        assert f"| `{name}` |" in table(CHANGES), name
    assert "`certificate` | default |" in table(CHANGES)


def test_an_unknown_field_raises() -> None:
    with pytest.raises(TypeError):
        Change(name="x", **tomllib.loads("inputs = {}\ngaps = true"))


def test_a_plan_that_differs_is_reported() -> None:
    change = Change("x", {}, versions=["ingest"], destroys=["queue.*"])
    expected = {
        "ingest.aws_lambda_function.this": "update",
        "ingest.aws_lambda_alias.live": "update",
        "process.aws_lambda_function.this": "update",  # its tags
        "queue.aws_sqs_queue.this": "delete",
        "terraform_data.name": "replace",
    }

    assert change.plan_problems(expected) == []
    assert change.plan_problems({**expected, "table.t": "replace"}) == [
        "replaces table.t, which is unexpected"
    ]
    assert change.plan_problems({"queue.aws_sqs_queue.this": "delete"}) == [
        "new versions of [], not of ['ingest']"
    ]
    assert "does not destroy queue.*" in change.plan_problems({})


def test_a_refusal_must_match_the_expected_words() -> None:
    change = Change("x", {}, refused="cannot be changed")

    assert change.refusal_problem("│ cannot be\n│ changed") == ""
    assert change.refusal_problem("Error: something else").startswith("refused: Error")
    assert change.refusal_problem("") == "is not refused"
