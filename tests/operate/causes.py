"""What puts each alarm of the applied system into ALARM: real traffic and faults where possible.

A cause that puts a metric says so: the emulator has no fault of that kind. Its dimensions are those
of AWS's documents, which `docs/emulator.md` names, never copied from the alarm.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from local.emulator import Emulator
from local.monitoring import MINUTE, Monitoring
from local.stack import Stack
from local.waiting import eventually
from tests.support.policies import document
from tests.support.stack import PERMANENT_FAILURE, new_order, without_invoke_permission

OPERATIONS = ("BatchExecuteStatement", "PutItem")
ENOUGH = 12  # events, for an alarm on a share


class System:
    """The applied system, its alarms, and the names of its functions."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.name = str(stack.outputs["load_balancer_name"])  # and the prefix of all others
        self.monitoring = Monitoring(stack.emulator, f"{self.name}-")
        self.ingest, self.process = f"{self.name}-ingest", f"{self.name}-process"

    @property
    def emulator(self) -> Emulator:
        return self.stack.emulator

    def alarm(self, short: str) -> dict[str, Any]:
        return self.monitoring.alarms()[f"{self.name}-{short}"]

    def period(self, short: str) -> int:
        alarm = self.alarm(short)
        stats = [one["MetricStat"] for one in alarm.get("Metrics", []) if "MetricStat" in one]
        return int(stats[0]["Period"] if stats else alarm["Period"])

    def repeat(self, times: int, seconds: int, action: Callable[[], Any]) -> None:
        """Does something once a period, and lets the period pass."""
        for _ in range(times):
            action()
            self.monitoring.move(seconds)

    def put(self, namespace: str, name: str, values: list[float], **dimensions: str) -> None:
        self.monitoring.put(namespace, name, dimensions, values)


@dataclass(frozen=True)
class Cause:
    """Something that happens, the alarms that it must raise, and whether it is put as a metric."""

    alarms: tuple[str, ...]
    inflict: Callable[[System], AbstractContextManager[None]]
    is_put: bool = False


CAUSES: dict[str, Cause] = {}


def cause(*alarms: str, is_put: bool = False) -> Callable[..., Any]:
    def register(function: Callable[[System], Iterator[None]]) -> Any:
        inflict = contextmanager(function)
        CAUSES[function.__name__] = Cause(alarms, inflict, is_put)
        return inflict

    return register


@contextmanager
def denied(system: System, role_name: str, *actions: str) -> Iterator[None]:
    """Denies actions to a role."""
    policy = document({"Effect": "Deny", "Action": list(actions), "Resource": "*"})
    iam, name = system.stack.iam, "outage"
    iam.put_role_policy(RoleName=role_name, PolicyName=name, PolicyDocument=policy)
    try:
        yield
    finally:
        iam.delete_role_policy(RoleName=role_name, PolicyName=name)


@cause("load-balancer-errors")
def the_load_balancer_may_not_invoke_ingest(system: System) -> Iterator[None]:
    with without_invoke_permission(system.stack, system.ingest):
        system.repeat(4, MINUTE, lambda: system.stack.post(new_order()))
        yield


@cause(
    *("target-errors", "availability"),
    *(f"availability-{window}" for window in ("5m", "30m", "1h", "6h")),
)
def sqs_refuses_messages(system: System) -> Iterator[None]:
    role = system.stack.role_of(system.ingest).rpartition("/")[2]
    with denied(system, role, "sqs:SendMessage"):
        for _ in range(5):
            system.repeat(1, MINUTE, lambda: [system.stack.post(new_order()) for _ in range(4)])
        yield


@cause("rejected-share")
def a_producer_sends_garbage(system: System) -> Iterator[None]:
    seconds = system.period("rejected-share")
    system.repeat(3, seconds, lambda: [system.stack.send("{") for _ in range(ENOUGH)])
    yield


@cause("oldest-message-age", "mapping-stopped")
def the_mapping_is_disabled(system: System) -> Iterator[None]:
    with system.stack.paused_mapping():
        system.stack.post(new_order())
        system.monitoring.move(90 * MINUTE)
        yield


@cause("process-errors")
def process_cannot_start(system: System) -> Iterator[None]:
    functions, name = system.stack.lambda_, system.process
    alias = functions.get_alias(FunctionName=name, Name="live")
    handler = functions.get_function_configuration(FunctionName=name)["Handler"]
    functions.update_function_configuration(FunctionName=name, Handler="missing.handle")
    version = functions.publish_version(FunctionName=name)["Version"]
    functions.update_alias(FunctionName=name, Name="live", FunctionVersion=version)
    failed = metric_grows(system, "AWS/Lambda", "Errors")
    try:
        system.repeat(3, system.period("process-errors"), failed)
        yield
    finally:
        functions.update_alias(
            FunctionName=name, Name="live", FunctionVersion=alias["FunctionVersion"]
        )
        functions.update_function_configuration(FunctionName=name, Handler=handler)
        functions.delete_function(FunctionName=name, Qualifier=version)


@cause("orders-failing")
def the_table_refuses_writes(system: System) -> Iterator[None]:
    role = system.stack.role_of(system.process).rpartition("/")[2]
    with denied(system, role, "dynamodb:*"):
        failed = metric_grows(system, "AsyncIngest", "Failed")
        system.repeat(3, system.period("orders-failing"), failed)
        yield


def metric_grows(system: System, namespace: str, name: str) -> Callable[[], None]:
    """Returns what posts an order and waits until process has counted it."""
    dimensions = {"FunctionName": system.process}

    def total() -> float:
        return system.monitoring.sum(namespace, name, dimensions, 60) or 0.0

    def post() -> None:
        system.stack.post(new_order())
        eventually(lambda: total() > 0, f"{name} of process", 60)

    return post


@cause(
    *("dead-letter-queue-not-empty", "dead-letter-queue-growing", "dead-letter-queue-last-call"),
)
def an_order_cannot_be_stored(system: System) -> Iterator[None]:
    """An alarm on growth is over before the last call: each is asked for when it is due."""
    stack, monitoring = system.stack, system.monitoring
    stack.take_dead_letters()  # a queue that nobody has accessed for six hours has no gauges
    monitoring.move(10 * MINUTE)  # a gauge of none
    stack.sqs.send_message(QueueUrl=stack.outputs["queue_url"], MessageBody=PERMANENT_FAILURE)
    eventually(lambda: dead_letters(system), "a dead letter", 60)
    monitoring.move_until(f"{system.name}-dead-letter-queue-growing", "ALARM", 10)
    seconds = system.alarm("dead-letter-queue-last-call")["Threshold"]
    monitoring.move(seconds, skip=True)
    monitoring.move_until(f"{system.name}-dead-letter-queue-last-call", "ALARM", 10)
    yield
    while stack.take_dead_letters():
        pass


def dead_letters(system: System) -> int:
    answer = system.stack.sqs.get_queue_attributes(
        QueueUrl=system.stack.outputs["dead_letter_queue_url"],
        AttributeNames=["ApproximateNumberOfMessages"],
    )
    return int(answer["Attributes"]["ApproximateNumberOfMessages"])


@cause("ingest-throttles", "process-throttles", is_put=True)
def functions_have_no_concurrency(system: System) -> Iterator[None]:
    """The emulator does not apply reserved concurrency to an alias behind a load balancer."""
    for _ in range(5):
        for function in (system.ingest, system.process):
            system.put("AWS/Lambda", "Throttles", [1.0], FunctionName=function)
        system.monitoring.move(MINUTE)
    yield


@cause("freshness", *(f"freshness-{window}" for window in ("5m", "30m", "1h", "6h")))
def orders_are_late(system: System) -> Iterator[None]:
    accepted_at = str(int(1_000_000 * (time.time() - 3600)))
    attributes = {"accepted_at": {"DataType": "Number", "StringValue": accepted_at}}
    for _ in range(ENOUGH):
        system.stack.sqs.send_message(
            QueueUrl=system.stack.outputs["queue_url"],
            MessageBody=json.dumps(new_order()),
            MessageAttributes=attributes,
        )
    late = ("AsyncIngest", "Late", {"FunctionName": system.process}, 300)
    eventually(lambda: (system.monitoring.sum(*late) or 0) >= ENOUGH, "late orders", 60)
    system.monitoring.move(MINUTE)
    yield


@cause("table-throttles", is_put=True)
def the_table_throttles(system: System) -> Iterator[None]:
    table = system.stack.outputs["table_name"]
    put = lambda: system.put("AWS/DynamoDB", "WriteThrottleEvents", [1.0], TableName=table)  # noqa: E731
    system.repeat(5, MINUTE, put)
    yield


@cause(*(f"table-system-errors-{operation}" for operation in OPERATIONS), is_put=True)
def the_table_fails(system: System) -> Iterator[None]:
    table = system.stack.outputs["table_name"]
    for _ in range(15):
        for operation in OPERATIONS:
            dimensions = {"TableName": table, "Operation": operation}
            system.put("AWS/DynamoDB", "SystemErrors", [1.0], **dimensions)
        system.monitoring.move(MINUTE)
    yield


@cause("ingest-duration", "process-duration", is_put=True)
def functions_are_slow(system: System) -> Iterator[None]:
    for _ in range(3):
        for function in (system.ingest, system.process):
            system.put("AWS/Lambda", "Duration", [899_000.0] * 20, FunctionName=function)
        system.monitoring.move(300)
    yield


@cause("process-concurrency", is_put=True)
def process_is_at_its_limit(system: System) -> Iterator[None]:
    for _ in range(10):
        system.put("AWS/Lambda", "ConcurrentExecutions", [999.0], FunctionName=system.process)
        system.monitoring.move(MINUTE)
    yield
