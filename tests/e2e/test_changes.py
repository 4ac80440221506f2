"""Changes of a running system: one of each kind planned, and three applied under traffic.

``make changes`` plans all of tests/changes/*.toml, and applies what is not refused.
"""

import pytest

from tests.changes import run, table
from tests.changes.system import ChangingSystem

TABLE = table.load()
PLANNED = [name for name, change in TABLE.items() if change.in_test]
APPLIED = ("queue_retention", "log_level", "path_added")


def test_one_of_each_kind_is_planned() -> None:
    kinds = {TABLE[name].kind for name in PLANNED}

    assert kinds == {"in place", "new version", "replaces", "destroys", "refused", "nothing"}


@pytest.mark.parametrize("name", PLANNED)
def test_a_plan_does_what_the_table_says(changing: ChangingSystem, name: str) -> None:
    assert run.plan_fault(changing, TABLE[name], "-refresh=false") == ""


@pytest.mark.parametrize("name", APPLIED)
def test_a_change_under_traffic_loses_and_refuses_nothing(
    changing: ChangingSystem, name: str
) -> None:
    applied = run.apply(changing, TABLE[name])

    assert applied.accepted
    assert applied.faults(TABLE[name]) == []
