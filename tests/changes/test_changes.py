"""Changes of a running system: one of each kind planned, and three at once applied under traffic.

`make changes` plans all of tests/changes/*.toml, and applies whatever is not refused.
"""

import pytest

from tests.changes import recipes, run, table
from tests.changes.system import ChangingSystem

pytestmark = pytest.mark.stack

TABLE = table.load()
PLANNED = [name for name, change in TABLE.items() if change.in_test]
AT_ONCE = ("process_paused", "log_level", "path_added")


def test_the_selection_has_every_kind() -> None:
    kinds = {TABLE[name].kind for name in PLANNED}

    assert kinds == {"in place", "new version", "replaces", "destroys", "refused", "nothing"}


@pytest.mark.parametrize("name", PLANNED)
def test_a_plan_has_the_expected_effect(changing: ChangingSystem, name: str) -> None:
    assert run.plan_problem(changing, TABLE[name], "-refresh=false") == ""


@pytest.mark.nightly
def test_the_producers_version_is_switched_on_moved_and_switched_off(
    changing: ChangingSystem,
) -> None:
    applied = recipes.order_version(changing)

    assert applied.accepted
    assert applied.problems(table.Change("order_version", {})) == []


def test_changes_under_traffic_lose_and_refuse_nothing(changing: ChangingSystem) -> None:
    """All in one apply; `make changes` applies each alone."""
    changes = [TABLE[name] for name in AT_ONCE]
    together = table.Change(
        "at once", {name: value for one in changes for name, value in one.inputs.items()}
    )

    applied = run.apply(changing, together)

    assert applied.accepted
    assert applied.problems(together) == []
