"""Recipes of docs/changing.md, under traffic: changes that take more than one apply."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from local.emulator import ROOT, Emulator
from local.stack import PATH, Stack
from tests.changes.run import QUIET_SECONDS, Applied, missing_orders, status, stored
from tests.changes.system import EXISTING, ChangingSystem, Traffic

TABLE = "module.async_ingest.module.table.aws_dynamodb_table.this[0]"
MOVED_TABLE = "module.orders.aws_dynamodb_table.this[0]"
OTHER_KEY = {"name": "number", "type": "N"}
SHARES_TABLE = {"existing_table": {"name": "${module.orders.name}", "arn": "${module.orders.arn}"}}
# What the module calls.
SERVICES = (
    *("cloudwatchlogs", "dynamodb", "ec2", "elbv2", "iam", "kms", "lambda", "sqs", "sts", "wafv2"),
    "applicationautoscaling",
)

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

OWN_RULE: dict[str, Any] = {
    "aws_lb_listener_rule": {
        "own": {
            "for_each": "${module.async_ingest.path_patterns}",
            "listener_arn": "${module.async_ingest.listener_arn}",
            "condition": {"path_pattern": {"values": "${each.value}"}},
            "action": {
                "type": "forward",
                "target_group_arn": "${module.async_ingest.target_group_arn}",
            },
        }
    },
}


def other_keys(system: ChangingSystem) -> Applied:
    """Follows "Move the table into a module call of its own" and "Change the table's keys"."""
    result = Applied("other_keys")
    accepted = set[str]()
    old_table = _move_table(system, result, accepted)
    with _traffic(system.stack(), result, accepted):
        system.beside["module"]["others"] = _table(
            f"{old_table}-by-number", partition_key=OTHER_KEY
        )
        inputs = {
            "existing_table": {"name": "${module.others.name}", "arn": "${module.others.arn}"},
            "table_partition_key": OTHER_KEY,
        }
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

    with _traffic(system.stack(), result, accepted):
        system.beside = {"resource": INTERIM}
        system.configure({})
        system.apply()
    for beside in ({"resource": INTERIM}, {}):
        stack = system.stack()
        stack.outputs["load_balancer_name"] = EXISTING
        with _traffic(stack, result, accepted):
            system.beside = beside
            system.configure({"existing_listener": {"arn": "$listener", "priority": 100}})
            system.apply()
    result.second_plan_empty = not system.terraform.pending_changes()
    result.lost = len(missing_orders(system.stack(), accepted))
    return _recreate(system, result)


def own_rules(system: ChangingSystem) -> Applied:
    """Follows "Write the listener's rules yourself", there and back."""
    result = Applied("own_rules")
    system.become({})
    accepted = set[str]()

    own, off = {"resource": OWN_RULE}, {"listener_rules_enabled": False}
    for beside, inputs in ((own, {}), (own, off), (own, {}), ({}, {})):
        with _traffic(system.stack(), result, accepted):
            system.beside = beside
            system.configure(inputs)
            system.apply()
        result.second_plan_empty = not system.terraform.pending_changes()
        if not result.second_plan_empty:
            break
    result.lost = len(missing_orders(system.stack(), accepted))
    result.back = result.second_plan_empty
    return result


def another_name(system: ChangingSystem) -> Applied:
    """Follows "Rename the system"."""
    second = {"name": "renamed", "vpc": {"cidr_block": "10.1.0.0/16"}, **SHARES_TABLE}
    return _replaced_by(system, "another_name", second)


def existing_network(system: ChangingSystem) -> Applied:
    """Follows "Move into an existing network"."""
    network = {"source": str(ROOT / "modules" / "network"), "name": "theirs"}
    second = {
        "name": "moved",
        "existing_network": {
            "vpc_id": "${module.network.vpc_id}",
            "vpc_cidr_block": "${module.network.vpc_cidr_block}",
            "load_balancer_subnet_ids": "${module.network.public_subnet_ids}",
            "function_subnet_ids": "${module.network.private_subnet_ids}",
            "function_route_table_ids": "${module.network.private_route_table_ids}",
        },
        "vpc_endpoints": {"enabled": True},
        **SHARES_TABLE,
    }
    return _replaced_by(system, "existing_network", second, network=network)


def another_region(system: ChangingSystem) -> Applied:
    """Follows "Move to another region"; another emulator is the other region."""
    directory = system.terraform.state_path.with_name("there")
    with Emulator(directory, auth=True, tls=True, region="eu-west-1") as there:
        endpoints = dict.fromkeys(SERVICES, there.endpoint_url)
        provider = {
            "alias": "there",
            "region": there.region,
            "custom_ca_bundle": str(there.ca_bundle),
            "endpoints": endpoints,
        }
        second = {"name": system.name, "providers": {"aws": "aws.there"}}
        system.providers.append(provider)
        try:
            return _replaced_by(system, "another_region", second, there)
        finally:
            system.providers.remove(provider)


def order_version(system: ChangingSystem) -> Applied:
    """Follows "Switch the producer's version on or off"."""
    result = Applied("order_version")
    accepted = set[str]()
    key = {"order_id": "versions", "item": "Kopi Susu"}
    both = {"revision": 1, "updated_at": "2026-11-26T10:00:00Z"}
    system.become({})

    def fault(orders: list[tuple[int, int]], newest: int) -> str:
        """Posts orders by revision and minute. Returns the stored revision if it is not that."""
        stack = system.stack()
        for revision, minute in orders:
            order = {**key, "revision": revision, "updated_at": f"2026-11-26T10:{minute:02}Z"}
            if status(stack, order) != 202:
                return f"revision {revision} is not accepted"
        stack.wait_for_empty_queue()
        stored_one = stack.wait_for_row(key)["revision"]["N"]
        return "" if stored_one == str(newest) else f"{stored_one} stays, not {newest}"

    for version, orders, newest in (
        (None, [(9, 50), (8, 9)], 8),
        ({"name": "revision", "type": "N"}, [(3, 30), (5, 10), (4, 20)], 5),
        ({"name": "updated_at", "type": "S"}, [(2, 5), (1, 7), (7, 6)], 1),
        (None, [(6, 2)], 6),
    ):
        with _traffic(system.stack(), result, accepted, both):
            system.become({"order_version_attribute": version} if version else {})
            result.failure += fault(orders, newest)
        if version and status(system.stack(), key) != 400:
            result.failure += "an order without a version is not refused"
    result.second_plan_empty = result.back = not system.terraform.pending_changes()
    stack = system.stack()
    missing_orders(stack, accepted)  # waits for them; none may be dead-lettered either
    result.lost = len(accepted - stored(stack, [stack.outputs["table_name"]]))
    return result


RECIPES = {
    recipe.__name__: recipe
    for recipe in (
        *(other_keys, shared_listener, own_rules, order_version),
        *(another_name, existing_network, another_region),
    )
}


def _replaced_by(
    system: ChangingSystem,
    name: str,
    inputs: dict[str, Any],
    there: Emulator | None = None,
    **modules: dict[str, Any],
) -> Applied:
    """Creates a second system beside the first, moves the clients, and removes the first."""
    result = Applied(name)
    accepted = set[str]()
    old_table = _move_table(system, result, accepted)
    first = system.stack()
    system.beside["module"] |= modules
    system.beside["module"]["second"] = {
        "source": str(ROOT),
        "deletion_protection_enabled": False,
        **inputs,
    }
    system.beside["output"] = {"second": {"value": "${module.second}"}}
    with _traffic(first, result, accepted):
        system.configure(SHARES_TABLE)
        system.terraform.init()
        result.failure += _losses(system)
        system.apply()
    second = Stack(there or system.emulator, system.terraform, path=PATH, module="second")
    with _traffic(first, result, accepted), _traffic(second, result, accepted):
        pass  # the clients move, one by one
    first.wait_for_empty_queue()
    with _traffic(second, result, accepted):
        system.configure(None)
        system.apply()
    result.second_plan_empty = not system.terraform.pending_changes()
    result.lost = len(missing_orders(second, accepted) - stored(first, [old_table]))
    return _recreate(system, result)


def _move_table(system: ChangingSystem, result: Applied, accepted: set[str]) -> str:
    """Follows "Move the table into a module call of its own". Returns the table's name."""
    system.become({})
    table = str(system.stack().outputs["table_name"])
    with _traffic(system.stack(), result, accepted):
        system.beside = {"module": {"orders": _table(table)}}
        system.configure(SHARES_TABLE)
        system.terraform.init()
        system.terraform.run(
            "state", "mv", f"-state={system.terraform.state_path}", TABLE, MOVED_TABLE
        )
        result.failure = _losses(system)
        system.apply()
    return table


def _recreate(system: ChangingSystem, result: Applied) -> Applied:
    system.renew()
    system.beside = {}
    system.become({})
    result.back = True
    return result


@contextmanager
def _traffic(
    stack: Stack, result: Applied, accepted: set[str], attributes: dict[str, Any] | None = None
) -> Iterator[None]:
    with Traffic(partial(status, stack), [attributes or {}]) as traffic:
        yield
        time.sleep(QUIET_SECONDS)  # traffic, not a wait for anything
    accepted |= {order["order_id"] for order in traffic.accepted}
    result.count(traffic)


def _losses(system: ChangingSystem) -> str:
    """Returns the tables and queues that an apply would delete or replace."""
    actions, refusal = system.planned()
    lost = [
        a
        for a, what in actions.items()
        if what in ("delete", "replace") and ("_table" in a or "_queue" in a)
    ]
    return refusal or ", ".join(lost)


def _table(name: str, **inputs: Any) -> dict[str, Any]:
    source = str(ROOT / "modules" / "table")
    keys = {
        "partition_key": {"name": "order_id", "type": "S"},
        "sort_key": {"name": "item", "type": "S"},
    }
    return {"source": source, "name": name, "deletion_protection_enabled": False, **keys, **inputs}
