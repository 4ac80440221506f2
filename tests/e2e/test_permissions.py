"""Each function does its work, and cannot without the permission for it. IAM is enforced."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import botocore.exceptions
import pytest

from local.emulator import Emulator
from local.stack import Stack
from local.waiting import eventually
from tests.e2e.policies import role_without
from tests.support.policies import EVERYTHING, document
from tests.support.stack import (
    PERMANENT_FAILURE,
    mapping_problem,
    new_order,
    new_user,
    quick_retries,
    reported_failures,
    without_invoke_permission,
)

pytestmark = pytest.mark.stack

INGEST = "e2e-ingest"
PROCESS = "e2e-process"


@pytest.fixture(autouse=True)
def _empty_queue(stack: Stack) -> None:
    """An order that an earlier test left in flight would lose its permission too."""
    stack.wait_for_empty_queue()


def test_ingest_accepts_nothing_without_the_permission_to_send(stack: Stack) -> None:
    with role_without(stack, INGEST, "SendToQueue"), stack.paused_mapping():
        answer = stack.post(new_order())

        assert answer.status == 503
        assert answer.headers["Retry-After"]
        assert stack.queued() == 0
    assert stack.post(new_order()).status == 202


def test_new_orders_wait_for_the_permission_to_insert(stack: Stack) -> None:
    order, another = new_order(), new_order()  # a single one would be written by PutItem
    start = time.time()
    with quick_retries(stack), new_instances_of_process(stack):
        with role_without(stack, PROCESS, "WriteItems", "dynamodb:PartiQLInsert"):
            assert stack.post([order, another]).status == 202
            eventually(lambda: reported_failures(stack, PROCESS, start) >= 2, "a second delivery")
            assert stack.row(order) is None
            assert stack.queued() == 1
        stack.wait_for_row(order)
        stack.wait_for_empty_queue()
    assert stack.take_dead_letters() == []


def test_a_newer_order_waits_for_the_permission_to_put(stack: Stack) -> None:
    order = new_order(qty=1)
    assert stack.post(order).status == 202
    eventually(lambda: quantity(stack, order) == "1", "the first order")
    start = time.time()
    with quick_retries(stack):
        with role_without(stack, PROCESS, "WriteItems", "dynamodb:PutItem"):
            assert stack.post(order | {"qty": 2}).status == 202
            eventually(lambda: reported_failures(stack, PROCESS, start) >= 2, "a second delivery")
            assert quantity(stack, order) == "1"
            assert stack.queued() == 1
        eventually(lambda: quantity(stack, order) == "2", "the newer order")
        stack.wait_for_empty_queue()
    assert stack.take_dead_letters() == []


def test_a_permanent_failure_waits_for_the_permission_to_dead_letter(stack: Stack) -> None:
    start = time.time()
    with quick_retries(stack):
        with role_without(stack, PROCESS, "SendToDeadLetterQueue"):
            stack.sqs.send_message(
                QueueUrl=stack.outputs["queue_url"], MessageBody=PERMANENT_FAILURE
            )
            eventually(lambda: reported_failures(stack, PROCESS, start) >= 2, "a second delivery")
            assert stack.take_dead_letters() == []
            assert stack.queued() == 1
        [dead] = eventually(stack.take_dead_letters, "the dead letter")
    assert dead["Body"] == PERMANENT_FAILURE


@pytest.mark.parametrize(
    "action", ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
)
def test_nothing_is_delivered_without_each_permission_to_poll(stack: Stack, action: str) -> None:
    order = new_order()
    with role_without(stack, PROCESS, "PollQueue", action):
        # Lambda caches permissions for a moment, so the order is sent once it has noticed.
        complaint = eventually(lambda: mapping_problem(stack), "the mapping's complaint")
        assert action in complaint
        assert stack.post(order).status == 202
        assert stack.queued() == 1
        assert mapping_problem(stack)
    stack.wait_for_row(order)


def test_only_the_target_group_may_invoke_ingest(stack: Stack) -> None:
    with without_invoke_permission(stack, INGEST):
        assert stack.post(new_order()).status == 502
    assert stack.post(new_order()).status == 202


@pytest.mark.parametrize("qualifier", ["", ":live", ":1"])
def test_another_load_balancer_cannot_target_ingest(stack: Stack, qualifier: str) -> None:
    elb = stack.emulator.client("elbv2")
    function = stack.lambda_.get_function(FunctionName=INGEST)["Configuration"]["FunctionArn"]
    target = [{"Id": function.removesuffix(":$LATEST") + qualifier}]
    group = elb.create_target_group(Name="another", TargetType="lambda")["TargetGroups"][0]
    arn = group["TargetGroupArn"]
    permission = {"FunctionName": INGEST, "StatementId": "another"}
    permission |= {"Qualifier": qualifier[1:]} if qualifier else {}
    try:
        with pytest.raises(botocore.exceptions.ClientError, match="AccessDenied"):
            elb.register_targets(TargetGroupArn=arn, Targets=target)
        # With a permission of its own, it can.
        stack.lambda_.add_permission(
            **permission,
            Action="lambda:InvokeFunction",
            Principal="elasticloadbalancing.amazonaws.com",
            SourceArn=arn,
        )
        elb.register_targets(TargetGroupArn=arn, Targets=target)
        stack.lambda_.remove_permission(**permission)
    finally:
        elb.delete_target_group(TargetGroupArn=arn)


@pytest.mark.parametrize("queue", ["queue_url", "dead_letter_queue_url"])
def test_a_queue_refuses_calls_without_tls(stack: Stack, tmp_path: Path, queue: str) -> None:
    """The stack only speaks TLS, so its policies are copied to an emulator that does not."""
    url = stack.outputs[queue]
    attributes = stack.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])
    with Emulator(tmp_path, port=0, auth=True) as plain:
        root = plain.client("sqs")
        copy = {"QueueUrl": root.create_queue(QueueName=url.rpartition("/")[2])["QueueUrl"]}
        user = plain.client("sqs", **administrator(plain))
        calls: list[Any] = [
            lambda: user.send_message(**copy, MessageBody="{}"),
            lambda: user.receive_message(**copy),
            lambda: user.get_queue_attributes(**copy),
            lambda: user.purge_queue(**copy),
        ]
        for call in calls:
            call()
        root.set_queue_attributes(**copy, Attributes=attributes["Attributes"])
        for call in calls:
            with pytest.raises(botocore.exceptions.ClientError, match="with an explicit deny"):
                call()


@pytest.mark.parametrize("queue", ["queue_url", "dead_letter_queue_url"])
def test_a_user_without_permissions_may_not_send(stack: Stack, queue: str) -> None:
    user = f"user-{queue.replace('_', '-')}"
    credentials = new_user(stack.emulator, user)
    try:
        sqs = stack.emulator.client("sqs", **credentials)
        with pytest.raises(botocore.exceptions.ClientError, match="AccessDenied"):
            sqs.send_message(QueueUrl=stack.outputs[queue], MessageBody="{}")
    finally:
        stack.iam.delete_access_key(UserName=user, AccessKeyId=credentials["aws_access_key_id"])
        stack.iam.delete_user(UserName=user)


def administrator(emulator: Emulator) -> dict[str, str]:
    """Creates a user who may do anything. Returns its credentials."""
    credentials = new_user(emulator, "administrator")
    emulator.client("iam").put_user_policy(
        UserName="administrator", PolicyName="everything", PolicyDocument=document(EVERYTHING)
    )
    return credentials


@contextmanager
def new_instances_of_process(stack: Stack) -> Iterator[None]:
    """Instances that have recently met only known keys would write new orders by PutItem, too."""
    alias = {"FunctionName": PROCESS, "Name": "live"}
    version = stack.lambda_.get_alias(**alias)["FunctionVersion"]
    stack.lambda_.update_alias(**alias, FunctionVersion="$LATEST")
    try:
        yield
    finally:
        stack.lambda_.update_alias(**alias, FunctionVersion=version)


def quantity(stack: Stack, order: dict[str, Any]) -> str | None:
    row = stack.row(order)
    return str(row["qty"]["N"]) if row else None
