"""`async-ingest load` on the applied system."""

import json
from pathlib import Path
from typing import Any

import pytest

from local.stack import Stack
from tests.operate import load
from tests.support import ops

pytestmark = pytest.mark.stack

MIX = """
known_share = 0.3
known_keys = 20
orders_per_request = { 1 = 1, 20 = 1 }
"""


# However slow the machine is, nothing is dropped.
SLOW = ("--connections", "4", "--patience", "5m")


@pytest.fixture
def options(stack: Stack, tmp_path: Path) -> tuple[str, ...]:
    path = tmp_path / "mix.toml"
    path.write_text(MIX)
    return ("load", *load.target(stack), "--mix", str(path), "--seed", "7", *SLOW)


def sums(document: dict[str, Any]) -> dict[str, int]:
    """The sums that the ledger promises, as scheduled and as found."""
    orders: dict[str, int] = document["orders"]
    assert orders["scheduled"] == orders["sent"] + orders["dropped"]
    assert orders["sent"] == orders["accepted"] + orders["refused"] + orders["unknown"]
    assert orders["accepted"] == (
        orders["stored"] + orders["superseded"] + orders["dead_lettered"] + orders["missing"]
    )
    return orders


def test_every_order_is_accounted_for(
    stack: Stack, options: tuple[str, ...], tmp_path: Path
) -> None:
    arguments = (*options, "--rate", "15", "--for", "4s", "--output", str(tmp_path / "report"))
    document = ops.run_json(stack.emulator, tmp_path, *arguments)

    orders = sums(document)
    assert orders["scheduled"] == orders["accepted"] > 500
    assert orders["missing"] == orders["dead_lettered"] == document["refused_stored"] == 0
    assert orders["superseded"] > 100  # hundreds of orders for twenty keys
    assert document["statuses"] == {"202": 60}
    assert document["drain_seconds"] is not None
    assert json.loads((tmp_path / "report" / "load.json").read_text()) == document
    assert "Every order is accounted for" in (tmp_path / "report" / "load.html").read_text()


def test_what_the_consumer_has_not_written_is_missing(
    stack: Stack, options: tuple[str, ...], tmp_path: Path
) -> None:
    arguments = (*options, "--rate", "5", "--for", "2s", "--wait", "1s")
    with stack.paused_mapping():
        document = ops.run_json(stack.emulator, tmp_path, *arguments, accept=(1,))
    stack.wait_for_empty_queue()

    orders = sums(document)
    assert orders["missing"] == orders["accepted"] > 0
    assert document["drain_seconds"] is None
    assert document["peak_backlog"] == 10
    assert "neither in the table nor in the dead-letter queue" in document["problems"][0]
