"""Plans and applies changes, and reports the outcome."""

import time
from contextlib import nullcontext, suppress
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from local.stack import SETTLED_SECONDS, Stack
from local.terraform import TerraformError
from local.waiting import NotInTimeError, eventually
from tests.changes.system import ChangingSystem, Traffic
from tests.changes.table import Change

QUIET_SECONDS = 3  # of traffic after an apply, so that damage shows


@dataclass
class Applied:
    """The outcome of a change and of its revert under traffic."""

    name: str
    accepted: int = 0
    refused: int = 0  # requests not answered 202, during change and revert
    gap_seconds: float = 0.0
    lost: int = 0  # orders answered 202 that are in no table and on no queue
    second_plan_empty: bool = False
    back: bool = False  # reverted, with an empty second plan
    failure: str = ""

    def problems(self, change: Change) -> list[str]:
        found = [self.failure] if self.failure else []
        if not self.accepted:
            found.append("no order was accepted")
        if self.lost:
            found.append(f"{self.lost} accepted orders lost")
        if self.refused and not change.gap:
            found.append(f"{self.refused} requests refused over {self.gap_seconds:.1f} s")
        if not self.second_plan_empty:
            found.append("the second plan is not empty")
        if not self.back and not change.one_way:
            found.append("it cannot be reverted")
        return found

    def count(self, traffic: Traffic) -> None:
        """Adds the outcome of these requests."""
        self.accepted += len(traffic.accepted)
        self.refused += len(traffic.refused)
        self.gap_seconds = round(self.gap_seconds + traffic.gap_seconds, 1)

    def report(self) -> dict[str, Any]:
        return asdict(self)


def plan_problem(system: ChangingSystem, change: Change, *options: str) -> str:
    """Returns how the plan of a change differs from the expectation, or ""."""
    system.configure({**change.base, **change.inputs})
    actions, refusal = system.planned(*options)
    if refusal or change.refused:
        return change.refusal_problem(refusal)
    return "; ".join(change.plan_problems(actions))


def apply(system: ChangingSystem, change: Change) -> Applied:
    """Applies a change and its revert under traffic, and looks for every accepted order.

    A failed apply is followed by the revert nevertheless.
    """
    result = Applied(change.name)
    system.become(change.base)
    owed = set[str]()
    there = {**change.base, **change.inputs}
    result.second_plan_empty = _step(system, change, there, result, owed)
    if not change.one_way:
        *steps, last = [{**change.base, **step} for step in [*change.back, {}]]
        for step in steps:
            _step(system, change, step, result, owed)
        with system.old_versions_deleted() if change.held_by_versions else nullcontext():
            result.back = _step(system, change, last, result, owed)
    result.lost += len(missing_orders(system.stack(), owed))
    return result


def _step(
    system: ChangingSystem,
    change: Change,
    inputs: dict[str, Any],
    result: Applied,
    owed: set[str],
) -> bool:
    """Applies inputs under traffic. Returns whether another apply would do nothing."""
    system.configure(inputs)
    with Traffic(partial(status, system.stack(change.port)), change.orders) as traffic:
        try:
            system.apply()
        except TerraformError as error:
            result.failure += str(error)[-1500:]
        count = len(traffic.accepted)
        with suppress(TerraformError, KeyError):
            traffic.send = partial(status, system.stack(change.port))
        time.sleep(QUIET_SECONDS)  # traffic, not a wait for anything
    # An intended deletion loses what was accepted before it, and nothing after it.
    owed |= {order["order_id"] for order in traffic.accepted[count if change.loses else 0 :]}
    result.count(traffic)
    is_empty = not system.terraform.pending_changes()
    if change.loses:
        result.lost += len(missing_orders(system.stack(), owed))
        owed.clear()
    return is_empty


def status(stack: Stack, order: dict[str, Any]) -> int:
    """Posts an order. Returns the status of the answer, or 0 if there is none."""
    try:
        return stack.post(order).status
    except OSError:
        return 0


def missing_orders(stack: Stack, accepted: set[str], *other_tables: str) -> set[str]:
    """Returns accepted orders that are neither in a table nor, once all is quiet, on a queue."""
    tables = [stack.outputs["table_name"], *other_tables]
    missing = set(accepted)

    def is_settled() -> bool:
        is_quiet = stack.queued() == 0  # before the tables are read
        missing.difference_update(stored(stack, tables))
        return is_quiet or not missing

    with suppress(NotInTimeError):  # what is still missing then is reported
        eventually(is_settled, "the end of all deliveries", SETTLED_SECONDS, interval=0.5)
    while missing and (messages := stack.take_dead_letters()):
        bodies = " ".join(message["Body"] for message in messages)
        missing = {order_id for order_id in missing if order_id not in bodies}
    return missing


def stored(stack: Stack, tables: list[str]) -> set[str]:
    """Returns the ids of all orders in these tables."""
    scan = stack.dynamodb.get_paginator("scan")
    pages = [
        page
        for table in tables
        for page in scan.paginate(
            TableName=table, ConsistentRead=True, ProjectionExpression="order_id"
        )
    ]
    return {item["order_id"]["S"] for page in pages for item in page["Items"]}
