"""Plans and applies changes, and says what came of them."""

import contextlib
import time
import urllib.error
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from tests.changes.system import SETTLED_SECONDS, ChangingSystem, Traffic
from tests.changes.table import Change
from tests.e2e.stack import Stack

QUIET_SECONDS = 3  # of traffic after an apply: what it broke shows


@dataclass
class Applied:
    """What came of a change and of its revert under traffic."""

    name: str
    accepted: int
    refused: int  # requests answered otherwise than 202, there and back
    gap_seconds: float
    lost: int  # orders answered 202 that are in no table and on no queue
    second_plan_empty: bool
    back: bool  # reverted, with an empty second plan
    failure: str = ""

    def faults(self, change: Change) -> list[str]:
        found = [self.failure] if self.failure else []
        if self.lost:
            found.append(f"{self.lost} accepted orders lost")
        if self.refused and not change.gap:
            found.append(f"{self.refused} requests refused over {self.gap_seconds:.1f} s")
        if not self.second_plan_empty:
            found.append("the second plan is not empty")
        if not self.back:
            found.append("it does not go back")
        return found

    def report(self) -> dict[str, Any]:
        return asdict(self)


def plan_fault(system: ChangingSystem, change: Change, *options: str) -> str:
    """How the plan of a change differs from what is expected of it, "" if it does not."""
    system.configure({**change.base, **change.inputs})
    actions, refusal = system.planned(*options)
    if refusal or change.refused:
        return change.fault_of_refusal(refusal)
    return "; ".join(change.faults(actions))


def apply(system: ChangingSystem, change: Change) -> Applied:
    """Applies a change and its revert under traffic, and looks for every accepted order."""
    result = Applied(change.name, 0, 0, 0.0, 0, second_plan_empty=False, back=False)
    traffics = []
    with contextlib.suppress(AssertionError):
        system.configure(change.base)
        system.terraform.apply()
    try:
        for inputs in ({**change.base, **change.inputs}, change.base):
            stack = system.stack()
            with Traffic(partial(_status, stack)) as traffic:
                traffics.append(traffic)
                system.configure(inputs)
                system.terraform.apply()
                time.sleep(QUIET_SECONDS)  # traffic, not a wait for anything
            is_empty = not system.terraform.plan_changes()
            if inputs is change.base:
                result.back = is_empty
            else:
                result.second_plan_empty = is_empty
    except AssertionError as error:
        result.failure = str(error)[-1500:]
        with contextlib.suppress(AssertionError):
            system.configure(change.base)
            system.terraform.apply()
    result.accepted = sum(len(traffic.accepted) for traffic in traffics)
    result.refused = sum(len(traffic.refused) for traffic in traffics)
    result.gap_seconds = round(sum(traffic.gap_seconds for traffic in traffics), 1)
    accepted = {order["order_id"] for traffic in traffics for order in traffic.accepted}
    result.lost = len(_missing(system.stack(), accepted))
    return result


def _status(stack: Stack, order: dict[str, Any]) -> int:
    """Of the answer to an order, 0 without one."""
    try:
        return stack.post(order).status
    except (urllib.error.URLError, OSError):
        return 0


def _missing(stack: Stack, accepted: set[str]) -> set[str]:
    """Accepted orders that are neither in the table nor, once nothing moves, on a queue."""
    deadline = time.monotonic() + SETTLED_SECONDS
    missing = set(accepted)
    while missing and time.monotonic() < deadline:
        missing -= _stored(stack)
        if missing and not stack.queued():
            missing -= _stored(stack)
            break
        time.sleep(0.5)
    if missing:
        bodies = " ".join(message["Body"] for message in stack.take_dead_letters())
        missing = {order_id for order_id in missing if order_id not in bodies}
    return missing


def _stored(stack: Stack) -> set[str]:
    pages = stack.dynamodb.get_paginator("scan").paginate(
        TableName=stack.outputs["table_name"],
        ConsistentRead=True,
        ProjectionExpression="order_id",
    )
    return {item["order_id"]["S"] for page in pages for item in page["Items"]}
