"""Recipes of docs/changing.md, under traffic: changes that take more than one apply."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from local.emulator import ROOT
from tests.changes.run import QUIET_SECONDS, Applied, missing_orders, status
from tests.changes.system import EXISTING, ChangingSystem, Traffic

TABLE = "module.async_ingest.module.table.aws_dynamodb_table.this[0]"
MOVED_TABLE = "module.orders.aws_dynamodb_table.this[0]"
OTHER_KEY = {"name": "number", "type": "N"}

# As in docs/changing.md.
INTERIM: dict[str, Any] = {
    "aws_lb_target_group": {"interim": {"name": "orders-interim", "target_type": "lambda"}},
    "aws_lambda_permission": {
        "interim": {
            "statement_id": "interim",
            "action": "lambda:InvokeFunction",
            "function_name": "${module.async_ingest.ingest_function_name}",
            "qualifier": "live",
            "principal": "elasticloadbalancing.amazonaws.com",
            "source_arn": "${aws_lb_target_group.interim.arn}",
        }
    },
    "aws_lb_target_group_attachment": {
        "interim": {
            "target_group_arn": "${aws_lb_target_group.interim.arn}",
            "target_id": "${module.async_ingest.ingest_function_arn}:live",
            "depends_on": ["aws_lambda_permission.interim"],
        }
    },
    "aws_lb_listener_rule": {
        "interim": {
            "listener_arn": "$listener",
            "priority": 99,
            "condition": {"path_pattern": {"values": ["/lambda/api", "/lambda/api/"]}},
            "action": {
                "type": "forward",
                "target_group_arn": "${aws_lb_target_group.interim.arn}",
            },
            "depends_on": ["aws_lb_target_group_attachment.interim"],
        }
    },
}


def other_keys(system: ChangingSystem) -> Applied:
    """Follows "Move the table into a module call of its own" and "Change the table's keys"."""
    result = Applied("other_keys")
    system.become({})
    old_table = str(system.stack().outputs["table_name"])
    accepted = set[str]()

    with _traffic(system, result, accepted):
        system.beside = {"module": {"orders": _table(old_table)}}
        system.configure({"existing_table": _existing_table("orders")})
        system.terraform.init()
        system.terraform.run(
            "state", "mv", f"-state={system.terraform.state_path}", TABLE, MOVED_TABLE
        )
        result.failure = _losses(system)
        system.apply()
    with _traffic(system, result, accepted):
        system.beside["module"]["others"] = _table(
            f"{old_table}-by-number", partition_key=OTHER_KEY
        )
        inputs = {"existing_table": _existing_table("others"), "table_partition_key": OTHER_KEY}
        system.configure(inputs)
        system.terraform.init()
        result.failure += _losses(system)
        system.apply()
    result.second_plan_empty = not system.terraform.pending_changes()
    result.lost = len(missing_orders(system.stack(), accepted, old_table))
    return _recreate(system, result)


def shared_listener(system: ChangingSystem) -> Applied:
    """Follows "Move to a shared listener, or back"."""
    result = Applied("shared_listener")
    system.become({})
    accepted = set[str]()

    with _traffic(system, result, accepted):
        system.beside = {"resource": INTERIM}
        system.configure({})
        system.apply()
    for beside in ({"resource": INTERIM}, {}):
        with _traffic(system, result, accepted, load_balancer=EXISTING):
            system.beside = beside
            system.configure({"existing_listener": {"arn": "$listener", "priority": 100}})
            system.apply()
    result.second_plan_empty = not system.terraform.pending_changes()
    result.lost = len(missing_orders(system.stack(), accepted))
    return _recreate(system, result)


RECIPES = {"other_keys": other_keys, "shared_listener": shared_listener}


def _recreate(system: ChangingSystem, result: Applied) -> Applied:
    system.renew()
    system.beside = {}
    system.become({})
    result.back = True
    return result


@contextmanager
def _traffic(
    system: ChangingSystem, result: Applied, accepted: set[str], load_balancer: str = ""
) -> Iterator[None]:
    stack = system.stack()
    stack.outputs["load_balancer_name"] = load_balancer or stack.outputs["load_balancer_name"]
    with Traffic(partial(status, stack)) as traffic:
        yield
        time.sleep(QUIET_SECONDS)  # traffic, not a wait for anything
    accepted |= {order["order_id"] for order in traffic.accepted}
    result.count(traffic)


def _losses(system: ChangingSystem) -> str:
    """Returns the tables and queues that an apply would delete or replace."""
    actions, refusal = system.planned()
    lost = [
        a for a, what in actions.items() if "delete" in what and ("_table" in a or "_queue" in a)
    ]
    return refusal or ", ".join(lost)


def _table(name: str, **inputs: Any) -> dict[str, Any]:
    source = str(ROOT / "modules" / "table")
    keys = {
        "partition_key": {"name": "order_id", "type": "S"},
        "sort_key": {"name": "item", "type": "S"},
    }
    return {"source": source, "name": name, "deletion_protection_enabled": False, **keys, **inputs}


def _existing_table(name: str) -> dict[str, str]:
    return {"name": f"${{module.{name}.name}}", "arn": f"${{module.{name}.arn}}"}
