"""Taken over, the code of a function can do the function's work, and nothing else.

The calls are made inside the function, with the credentials that its code has, by a handler that
reindices the real one in $LATEST; the alias keeps pointing at the system's version. The root of a
twin account makes the same calls on twins of all targets, and there they succeed: a call that
never works would prove nothing.
"""

import contextlib
import functools
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import botocore.exceptions
import pytest

from local.archive import zipped
from local.emulator import ACCOUNT
from local.stack import Stack
from local.waiting import eventually
from tests.e2e.attacker import TWIN_ACCOUNT, common_targets, create_others, create_twins
from tests.e2e.attempts import (
    ATTACKER,
    ATTEMPTS,
    EVERYBODY,
    EVERYTHING,
    FUNCTIONS,
    ROW,
    Attempt,
    Call,
    Error,
)
from tests.e2e.policies import role, role_without

pytestmark = pytest.mark.stack

# Actions unknown to the emulator: it refuses the attacker, but has no answer for the twin.
UNKNOWN = {
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
}

DENIED = {"ec2": "UnauthorizedOperation"} | dict.fromkeys(
    ("elbv2", "iam", "s3", "sqs", "sts"), "AccessDenied"
)

BATCH = 20  # attempts in an invocation, which has 10 s


Run = Callable[[list[Call]], list[Error]]


@pytest.fixture(scope="module")
def targets(stack: Stack) -> Iterator[dict[str, Any]]:
    with contextlib.ExitStack() as undo:
        others = create_others(stack.emulator.client, ACCOUNT, undo)
        mapping = {"mapping": stack.outputs["event_source_mapping_id"]}
        roles = {function: stack.role_of(f"e2e-{function}") for function in FUNCTIONS}
        yield common_targets(ACCOUNT, stack.emulator.endpoint_url, roles) | others | mapping


@pytest.fixture(scope="module")
def code(stack: Stack) -> Iterator[dict[str, Run]]:
    """By function: what makes calls inside it."""
    with contextlib.ExitStack() as undo:
        yield {function: undo.enter_context(taken_over(stack, function)) for function in FUNCTIONS}


@contextlib.contextmanager
def taken_over(stack: Stack, function: str) -> Iterator[Run]:
    name = f"e2e-{function}"
    [resource] = [
        values
        for values in stack.terraform.resources().values()
        if values.get("function_name") == name and "filename" in values
    ]
    original = (stack.terraform.directory / resource["filename"]).read_bytes()

    def run(calls: list[Call]) -> list[Error]:
        answer = stack.lambda_.invoke(FunctionName=name, Payload=json.dumps(repr(calls)))
        result = json.load(answer["Payload"])
        assert "FunctionError" not in answer, result
        return list(result)

    stack.lambda_.update_function_code(
        FunctionName=name, ZipFile=zipped({f"{function}/handler.py": ATTACKER})
    )
    try:
        yield run
    finally:
        restored = stack.lambda_.update_function_code(FunctionName=name, ZipFile=original)
        assert restored["CodeSha256"] == resource["code_sha256"]


@pytest.fixture(scope="module")
def outcomes(targets: dict[str, Any], code: dict[str, Run]) -> dict[tuple[str, int], Error]:
    """The outcome of each attempt, by the function and the index of the attempt."""
    found: dict[tuple[str, int], Error] = {}
    for function in FUNCTIONS:
        indices = [index for index, attempt in enumerate(ATTEMPTS) if function in attempt.by]
        for start in range(0, len(indices), BATCH):
            some = indices[start : start + BATCH]
            errors = code[function]([ATTEMPTS[index].at(targets) for index in some])
            found |= {(function, index): error for index, error in zip(some, errors, strict=True)}
    return found


@pytest.fixture(scope="module")
def twin_outcomes(stack: Stack) -> list[Error]:
    """The outcome of each attempt by the root of the twin account."""

    @functools.cache
    def client(service: str) -> Any:
        return stack.emulator.client(service, aws_access_key_id=TWIN_ACCOUNT)

    def attempt(service: str, method: str, arguments: dict[str, Any]) -> Error:
        try:
            getattr(client(service), method)(**arguments)
        except botocore.exceptions.ClientError as error:
            return dict(error.response["Error"])
        return None

    roles = {function: role(f"e2e-{function}", TWIN_ACCOUNT) for function in FUNCTIONS}
    targets = common_targets(TWIN_ACCOUNT, stack.emulator.endpoint_url, roles)
    targets |= create_others(client, TWIN_ACCOUNT, contextlib.ExitStack())
    targets |= create_twins(client, targets)
    return [attempt(*one.at(targets)) for one in ATTEMPTS]


def name_of(attempt: Attempt) -> str:
    return "-".join([attempt.action, *re.findall(r"\$(\w+)", str(attempt.call))[:1]])


@pytest.mark.parametrize(
    ("function", "index"),
    [
        pytest.param(function, index, id=f"{function}-{name_of(attempt)}")
        for function in FUNCTIONS
        for index, attempt in enumerate(ATTEMPTS)
        if function in attempt.by
    ],
)
def test_code_is_refused(outcomes: dict[tuple[str, int], Error], function: str, index: int) -> None:
    attempt = ATTEMPTS[index]
    error = outcomes[function, index]

    assert error is not None, "allowed"
    assert error["Code"] == DENIED.get(attempt.call[0], "AccessDeniedException")
    assert f"not authorized to perform: {attempt.action}" in error["Message"]


@pytest.mark.parametrize("index", range(len(ATTEMPTS)), ids=[name_of(one) for one in ATTEMPTS])
def test_the_same_call_succeeds_with_permission(twin_outcomes: list[Error], index: int) -> None:
    error = twin_outcomes[index]

    if ATTEMPTS[index].action in UNKNOWN:
        assert error is not None
        assert error["Code"] == "InvalidAction"
    else:
        assert error is None


def test_code_does_the_work_of_its_function(stack: Stack, code: dict[str, Run]) -> None:
    """With the same credentials, it enqueues an order, writes rows, and dead-letters a message."""
    queue, dead_letter = (stack.outputs[f"{one}_url"] for one in ("queue", "dead_letter_queue"))
    table = stack.outputs["table_name"]
    insert = f"INSERT INTO \"{table}\" VALUE {{'order_id': 'inserted', 'item': 'x'}}"

    sent = ("sqs", "send_message", {"QueueUrl": queue, "MessageBody": "no order"})
    assert code["ingest"]([sent]) == [None]
    assert (
        code["process"](
            [
                ("dynamodb", "put_item", {"TableName": table, "Item": ROW}),
                ("dynamodb", "batch_execute_statement", {"Statements": [{"Statement": insert}]}),
                ("sqs", "send_message", {"QueueUrl": dead_letter, "MessageBody": "by process"}),
            ]
        )
        == [None] * 3
    )

    dead: list[str] = []

    def both() -> bool:
        dead.extend(message["Body"] for message in stack.take_dead_letters())
        return len(dead) >= 2

    eventually(both, "two dead letters")
    assert sorted(dead) == ["by process", "no order"]
    for order_id in ("stored", "inserted"):
        assert stack.row({"order_id": order_id, "item": "x"})
        key = {"order_id": {"S": order_id}, "item": {"S": "x"}}
        stack.dynamodb.delete_item(TableName=table, Key=key)


@contextlib.contextmanager
def outside_the_vpc(stack: Stack, function: str) -> Iterator[None]:
    """Moves $LATEST out of the VPC, so that no endpoint policy applies."""
    name = {"FunctionName": f"e2e-{function}"}
    names = ("SubnetIds", "SecurityGroupIds")
    network = stack.lambda_.get_function_configuration(**name)["VpcConfig"]
    stack.lambda_.update_function_configuration(**name, VpcConfig={one: [] for one in names})
    try:
        yield
    finally:
        inside = {one: network[one] for one in names}
        stack.lambda_.update_function_configuration(**name, VpcConfig=inside)


def test_endpoints_keep_code_from_the_queue_without_the_denials(
    stack: Stack, code: dict[str, Run], targets: dict[str, Any]
) -> None:
    """The endpoint policy denies polling, and there is no route to EC2."""
    queue = {"QueueUrl": stack.outputs["queue_url"]}
    interface: list[Call] = [("ec2", "create_network_interface", {"SubnetId": targets["subnet"]})]
    with role_without(stack, "e2e-process", "DenyPollingByCode"):
        [error] = code["process"]([("sqs", "receive_message", queue)])
    assert error is not None
    assert error["Code"] == "AccessDenied"
    with role_without(stack, "e2e-process", "DenyNetworkInterfacesToCode"):
        [error] = code["process"](interface)
    assert error is not None
    assert error["Code"] == "ServiceUnavailable"


def test_endpoints_let_nothing_else_through_even_with_an_administrator_role(
    stack: Stack, code: dict[str, Run]
) -> None:
    """They accept any role of the account, for roles may change; but only for these queues."""
    mine = ("sqs", "send_message", {"QueueUrl": stack.outputs["queue_url"], "MessageBody": "x"})
    other = stack.sqs.create_queue(QueueName="another-queue")["QueueUrl"]
    theirs = ("sqs", "send_message", {"QueueUrl": other, "MessageBody": "x"})
    try:
        with administrator_role(stack, "ingest"), stack.paused_mapping():
            assert code["ingest"]([mine]) == [None]
            [error] = code["ingest"]([theirs])
            assert len(stack.take(stack.outputs["queue_url"])) == 1
    finally:
        stack.sqs.delete_queue(QueueUrl=other)
    assert error is not None
    assert error["Code"] == "AccessDenied"


@contextlib.contextmanager
def administrator_role(stack: Stack, function: str) -> Iterator[None]:
    """Gives $LATEST a new role that may do everything."""
    name = {"FunctionName": f"e2e-{function}"}
    before = stack.lambda_.get_function_configuration(**name)
    # Without another setting, the emulator keeps workers that have the previous role.
    settings = name | {"Timeout": before["Timeout"]}
    stack.iam.create_role(RoleName="new", AssumeRolePolicyDocument=EVERYBODY)
    policy = {"RoleName": "new", "PolicyName": "everything"}
    stack.iam.put_role_policy(**policy, PolicyDocument=EVERYTHING)
    stack.lambda_.update_function_configuration(**settings, Role=role("new"))
    try:
        yield
    finally:
        stack.lambda_.update_function_configuration(**settings, Role=before["Role"])
        stack.iam.delete_role_policy(**policy)
        stack.iam.delete_role(RoleName="new")


def test_only_the_denial_keeps_code_from_the_queue(stack: Stack, code: dict[str, Run]) -> None:
    """So the condition on the function's ARN separates code from Lambda, which polls."""
    queue = {"QueueUrl": stack.outputs["queue_url"]}
    calls: list[Call] = [
        ("sqs", "get_queue_attributes", queue),
        ("sqs", "receive_message", {**queue, "WaitTimeSeconds": 0}),
    ]
    with (
        outside_the_vpc(stack, "process"),
        role_without(stack, "e2e-process", "DenyPollingByCode"),
    ):
        assert code["process"](calls) == [None, None]
    assert None not in code["process"](calls)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_only_the_denial_keeps_code_from_interfaces(
    stack: Stack, code: dict[str, Run], targets: dict[str, Any], function: str
) -> None:
    calls: list[Call] = [
        ("ec2", "describe_subnets", {}),
        ("ec2", "create_network_interface", {"SubnetId": targets["subnet"]}),
        ("ec2", "describe_network_interfaces", {}),
    ]
    with (
        outside_the_vpc(stack, function),
        role_without(stack, f"e2e-{function}", "DenyNetworkInterfacesToCode"),
    ):
        assert code[function](calls) == [None] * 3
    assert None not in code[function](calls)

    ec2 = stack.emulator.client("ec2")
    for interface in ec2.describe_network_interfaces()["NetworkInterfaces"]:
        if interface["NetworkInterfaceId"] != targets["interface"]:
            ec2.delete_network_interface(NetworkInterfaceId=interface["NetworkInterfaceId"])
