"""Breaks the applied system by hand, one thing at a time, and asks `doctor` for the cause."""

import contextlib
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.archive import zipped
from local.emulator import ACCOUNT, HOST
from local.stack import Stack
from tests.operate.tampering import (
    attribute,
    endpoint,
    endpoint_policy,
    queue_attributes,
    republished,
    role_without,
    without_rules,
)
from tests.support import ops
from tests.support.policies import allowing
from tests.support.stack import mapping_problem, new_order, without_invoke_permission

Breakage = Callable[[Stack], contextlib.AbstractContextManager[None]]

BREAKAGES: dict[str, tuple[str, Breakage]] = {}  # the hop that must be named, by name


@dataclass(frozen=True)
class Result:
    """What doctor says of one broken system."""

    name: str
    expected: str
    named: str  # the hop, or ""
    said: str

    @property
    def is_named(self) -> bool:
        return self.named == self.expected


def examine(stack: Stack, name: str) -> Result:
    """Breaks a system, runs doctor, and repairs it."""
    expected, breakage = BREAKAGES[name]
    with breakage(stack):
        document = run(stack, accept=(0, 1))
    if mapping_problem(stack):  # the emulator reports a poll's problem until the next message
        order = new_order()
        assert stack.post(order).status == 202
        stack.wait_for_row(order)
    first = document["first_failed"] or {"hop": "", "what": "nothing is wrong"}
    return Result(name, expected, first["hop"], first["what"])


def run(stack: Stack, *arguments: str, accept: tuple[int, ...] = (0,)) -> dict[str, Any]:
    """Runs doctor on the applied system, through the emulator's load balancer."""
    with tempfile.TemporaryDirectory() as state:
        posting = ("--url", stack.url, "--header", f"Host: {HOST}:80")
        return ops.run_json(
            stack.emulator,
            Path(state),
            *("doctor", "--name", stack.outputs["table_name"], *posting, *arguments),
            accept=accept,
        )


def figures(results: list[Result]) -> dict[str, Any]:
    return {
        "broken": len(results),
        "named": sum(result.is_named for result in results),
        "systems": {result.name: result.named for result in results},
    }


def breaks(hop: str) -> Callable[[Callable[[Stack], Iterator[None]]], Breakage]:
    def register(function: Callable[[Stack], Iterator[None]]) -> Breakage:
        breakage = contextmanager(function)
        BREAKAGES[function.__name__] = (hop, breakage)
        return breakage

    return register


# From the client to ingest


def _name(stack: Stack) -> str:
    return str(stack.outputs["table_name"])


def _ingest(stack: Stack) -> str:
    return f"{_name(stack)}-ingest"


def _process(stack: Stack) -> str:
    return f"{_name(stack)}-process"


def _target_group(stack: Stack) -> str:
    elb = stack.emulator.client("elbv2")
    [group] = elb.describe_target_groups(Names=[_ingest(stack)])["TargetGroups"]
    return str(group["TargetGroupArn"])


@breaks("load balancer")
def load_balancer_admits_nobody(stack: Stack) -> Iterator[None]:
    [balancer] = stack.emulator.client("elbv2").describe_load_balancers(Names=[_name(stack)])[
        "LoadBalancers"
    ]
    with without_rules(stack, balancer["SecurityGroups"][0], "ingress"):
        yield


@breaks("listener rule")
def listener_rule_missing(stack: Stack) -> Iterator[None]:
    elb = stack.emulator.client("elbv2")
    [balancer] = elb.describe_load_balancers(Names=[_name(stack)])["LoadBalancers"]
    listeners = elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    rules = [
        rule
        for listener in listeners
        for rule in elb.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
    ]
    [rule] = [one for one in rules if _target_group(stack) in json.dumps(one["Actions"])]
    [condition] = rule["Conditions"]
    values = condition.get("PathPatternConfig", condition)["Values"]

    def give(paths: list[str]) -> None:
        new = {"Field": "path-pattern", "PathPatternConfig": {"Values": paths}}
        elb.modify_rule(RuleArn=rule["RuleArn"], Conditions=[new])

    give(["/elsewhere"])
    try:
        yield
    finally:
        give(values)


@breaks("target group")
def target_not_registered(stack: Stack) -> Iterator[None]:
    elb, group = stack.emulator.client("elbv2"), _target_group(stack)
    health = elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    targets = [{"Id": one["Target"]["Id"]} for one in health]
    elb.deregister_targets(TargetGroupArn=group, Targets=targets)
    try:
        yield
    finally:
        elb.register_targets(TargetGroupArn=group, Targets=targets)


@breaks("permission of the load balancer")
def permission_of_the_load_balancer_missing(stack: Stack) -> Iterator[None]:
    with without_invoke_permission(stack, _ingest(stack)):
        yield


# The functions


@breaks("ingest function")
def queue_url_of_another_queue(stack: Stack) -> Iterator[None]:
    with republished(stack, _ingest(stack), QUEUE_URL=stack.outputs["dead_letter_queue_url"]):
        yield


@breaks("ingest function")
def setting_that_is_no_number(stack: Stack) -> Iterator[None]:
    with republished(stack, _ingest(stack), MAX_ORDERS="many"):
        yield


@breaks("ingest function")
def ingest_without_concurrency(stack: Stack) -> Iterator[None]:
    function = {"FunctionName": _ingest(stack)}
    stack.lambda_.put_function_concurrency(**function, ReservedConcurrentExecutions=0)
    try:
        yield
    finally:
        stack.lambda_.delete_function_concurrency(**function)


@breaks("ingest function")
def keys_of_another_table(stack: Stack) -> Iterator[None]:
    keys = json.dumps([{"name": "id", "type": "S"}])
    with republished(stack, _ingest(stack), TABLE_KEYS=keys):
        yield


@breaks("process function")
def package_without_the_entry_point(stack: Stack) -> Iterator[None]:
    code = zipped({"main.py": "def handle(event, context):\n    return {}\n"})
    with republished(stack, _process(stack), code):
        yield


@breaks("process function")
def dead_letter_queue_url_misspelt(stack: Stack) -> Iterator[None]:
    url = stack.outputs["dead_letter_queue_url"] + "s"
    with republished(stack, _process(stack), DEAD_LETTER_QUEUE_URL=url):
        yield


# The network


@breaks("network of ingest")
def endpoint_policy_without_the_queue(stack: Stack) -> Iterator[None]:
    with endpoint_policy(stack, "sqs"):
        yield


@breaks("network of process")
def endpoint_policy_without_the_table(stack: Stack) -> Iterator[None]:
    with endpoint_policy(stack, "dynamodb"):
        yield


@breaks("network of ingest")
def security_group_without_a_way_out(stack: Stack) -> Iterator[None]:
    network = stack.lambda_.get_function_configuration(FunctionName=_ingest(stack))["VpcConfig"]
    with without_rules(stack, network["SecurityGroupIds"][0], "egress"):
        yield


@breaks("network of process")
def no_route_to_the_table(stack: Stack) -> Iterator[None]:
    found = endpoint(stack, "dynamodb")
    change = stack.emulator.client("ec2").modify_vpc_endpoint
    given = {"VpcEndpointId": found["VpcEndpointId"]}
    change(**given, RemoveRouteTableIds=found["RouteTableIds"])
    try:
        yield
    finally:
        change(**given, AddRouteTableIds=found["RouteTableIds"])


# Queue and mapping


@breaks("queue")
def queue_policy_denies(stack: Stack) -> Iterator[None]:
    statement = {
        "Sid": "Maintenance",
        "Effect": "Deny",
        "Principal": {"AWS": stack.role_of(_ingest(stack))},
        "Action": "sqs:SendMessage",
        "Resource": "*",
    }
    policy = json.loads(attribute(stack, "Policy"))
    policy["Statement"].append(statement)
    with queue_attributes(stack, Policy=json.dumps(policy)):
        yield


@breaks("queue")
def key_denied(stack: Stack) -> Iterator[None]:
    kms = stack.emulator.client("kms")
    policy = allowing(
        ["kms:Describe*", "kms:Get*", "kms:Put*", "kms:Schedule*"],
        Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
    )
    key = kms.create_key(Policy=policy)["KeyMetadata"]["KeyId"]
    with queue_attributes(stack, KmsMasterKeyId=key):
        yield


@breaks("queue")
def visibility_below_the_timeout(stack: Stack) -> Iterator[None]:
    with queue_attributes(stack, VisibilityTimeout="5"):
        yield


@breaks("event source mapping")
def mapping_disabled(stack: Stack) -> Iterator[None]:
    with stack.paused_mapping():
        yield


@breaks("event source mapping")
def mapping_of_the_wrong_alias(stack: Stack) -> Iterator[None]:
    mapping = {"UUID": stack.outputs["event_source_mapping_id"]}
    arn = stack.lambda_.get_event_source_mapping(**mapping)["FunctionArn"]
    update = stack.lambda_.update_event_source_mapping
    update(**mapping, FunctionName=arn.removesuffix(":live"))
    try:
        yield
    finally:
        update(**mapping, FunctionName=arn)


@breaks("event source mapping")
def role_may_not_consume(stack: Stack) -> Iterator[None]:
    with role_without(stack, _process(stack), "sqs:ReceiveMessage"):
        yield


# Table and dead-letter queue


@breaks("table")
def table_denied(stack: Stack) -> Iterator[None]:
    with role_without(stack, _process(stack), "dynamodb:PartiQLInsert"):
        yield


@breaks("dead-letter queue")
def dead_letters_of_one_reason(stack: Stack) -> Iterator[None]:
    reason = {"failure_reason": {"DataType": "String", "StringValue": '"qty" is missing'}}
    for _ in range(12):
        stack.sqs.send_message(
            QueueUrl=stack.outputs["dead_letter_queue_url"],
            MessageBody="{}",
            MessageAttributes=reason,
        )
    try:
        yield
    finally:
        taken: list[Any] = []
        while len(taken) < 12:
            taken += stack.take_dead_letters()
