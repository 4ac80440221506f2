"""Changes of a running system: one of each kind planned, and three applied under traffic.

``make changes`` plans all of tests/changes/*.toml, and applies what is not refused.
"""

import pytest

from tests.changes import run, table
from tests.changes.system import ChangingSystem
from tests.e2e.stack import Stack

TABLE = table.load()
PLANNED = [name for name, change in TABLE.items() if change.in_test]
APPLIED = ("queue_retention", "log_level", "path_added")


@pytest.fixture(scope="module")
def system(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> ChangingSystem:
    """The session's system, from a configuration whose inputs can be exchanged."""
    system = ChangingSystem(stack.emulator, tmp_path_factory.mktemp("changes"), "e2e")
    system.adopt(stack.terraform.state)
    return system


def test_one_of_each_kind_is_planned() -> None:
    kinds = {TABLE[name].kind for name in PLANNED}

    assert kinds == {"in place", "new version", "replaces", "destroys", "refused", "nothing"}


@pytest.mark.parametrize("name", PLANNED)
def test_a_plan_does_what_the_table_says(system: ChangingSystem, name: str) -> None:
    assert run.plan_fault(system, TABLE[name], "-refresh=false") == ""


@pytest.mark.parametrize("name", APPLIED)
def test_a_change_under_traffic_loses_and_refuses_nothing(
    system: ChangingSystem, name: str
) -> None:
    applied = run.apply(system, TABLE[name])

    assert applied.accepted
    assert applied.faults(TABLE[name]) == []
