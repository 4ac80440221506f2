"""From one tag to the next under traffic, with rows in the table: `make upgrade`."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from local.emulator import Emulator
from local.waiting import eventually
from tests.changes import table
from tests.changes.release import NEXT, commit_next, next_defaults
from tests.changes.run import missing_orders, status, stored
from tests.changes.system import ChangingSystem, Traffic
from tests.support.repository import Repository
from tests.support.stack import new_order

ROWS = 200
AFTERWARDS = 30  # orders that the upgraded system accepts under traffic


@pytest.fixture
def system(tmp_path: Path) -> Iterator[ChangingSystem]:
    """A system of the first release, protected as by default."""
    repository = Repository(tmp_path / "repository")
    commit_next(repository, next_defaults(table.load()))
    with Emulator(tmp_path / "emulator", auth=True, tls=True) as emulator:
        system = ChangingSystem(emulator, tmp_path / "work", "upgraded", source=repository.source())
        system.become(PROTECTED)
        system.source = repository.source(ref=NEXT)
        yield system


PROTECTED = {"deletion_protection_enabled": True}


@pytest.mark.stack
@pytest.mark.nightly
def test_an_upgrade_under_traffic_loses_refuses_and_replaces_nothing(
    system: ChangingSystem,
) -> None:
    stack = system.stack()
    rows = [new_order() for _ in range(ROWS)]
    for start in range(0, ROWS, 50):
        assert stack.post(rows[start : start + 50]).status == 202
    before = {order["order_id"] for order in rows}
    tables = [stack.outputs["table_name"]]
    eventually(lambda: before <= stored(stack, tables), "the rows")

    with Traffic(partial(status, stack)) as traffic:
        system.configure(PROTECTED)
        system.terraform.init()
        actions, refusal = system.planned()
        assert refusal == ""
        assert {"delete", "replace"} & set(actions.values()) == set()
        system.apply()
        reached = len(traffic.accepted) + AFTERWARDS
        eventually(lambda: len(traffic.accepted) > reached, "orders after the upgrade")
        assert stack.outputs["table_name"] == system.stack().outputs["table_name"]

    assert traffic.refused == []
    accepted = {order["order_id"] for order in traffic.accepted}
    assert missing_orders(system.stack(), before | accepted) == set()
    assert before <= stored(stack, tables)
    assert system.terraform.pending_changes() == ""
    release = stack.lambda_.get_function_configuration(
        FunctionName=stack.outputs["ingest_function_name"], Qualifier="live"
    )
    assert release["MemorySize"] == 1024
