"""Each function can do its work, and cannot without the permission for it. IAM is enforced."""

import json

import botocore.exceptions
import pytest

from tests.e2e.stack import Stack, eventually, new_order

INGEST = "e2e-ingest"
PROCESS = "e2e-process"
POISON = '{"order_id": "poison"}'


@pytest.fixture(autouse=True)
def _empty_queue(stack: Stack) -> None:
    """An order that an earlier test left in work would lose its permission as well."""
    eventually(lambda: stack.queued() == 0, "an empty queue")


def test_ingest_cannot_accept_without_sending(stack: Stack) -> None:
    with stack.without_statement(INGEST, "SendToQueue"), stack.paused_mapping():
        answer = stack.post(new_order())

        assert answer.status == 503
        assert answer.headers["Retry-After"]
        assert stack.queued() == 0
    assert stack.post(new_order()).status == 202


def test_an_order_waits_for_the_permission_to_write(stack: Stack) -> None:
    order = new_order()
    before = failures(stack)
    with stack.quick_retries():
        with stack.without_statement(PROCESS, "WriteItems"):
            assert stack.post(order).status == 202
            eventually(lambda: failures(stack) >= before + 2, "a second delivery")
            assert stack.row(order["order_id"], order["item"]) is None
            assert stack.queued() == 1
        eventually(lambda: stack.row(order["order_id"], order["item"]), "the row")
        eventually(lambda: stack.queued() == 0, "an empty queue")
    assert stack.take_dead_letters() == []


def test_poison_waits_for_the_permission_to_dead_letter(stack: Stack) -> None:
    before = failures(stack)
    with stack.quick_retries():
        with stack.without_statement(PROCESS, "SendToDeadLetterQueue"):
            stack.sqs.send_message(QueueUrl=stack.outputs["queue_url"], MessageBody=POISON)
            eventually(lambda: failures(stack) >= before + 2, "a second delivery")
            assert stack.take_dead_letters() == []
            assert stack.queued() == 1
        [dead] = eventually(stack.take_dead_letters, "the poison in the dead-letter queue")
    assert dead["Body"] == POISON


def test_nothing_is_delivered_without_the_permission_to_poll(stack: Stack) -> None:
    order = new_order()
    with stack.without_statement(PROCESS, "PollQueue"):
        # Lambda keeps permissions for a moment, so the order comes once they are seen to be gone.
        complaint = eventually(lambda: problem_of_the_mapping(stack), "the mapping's complaint")
        assert "sqs:ReceiveMessage" in complaint
        assert stack.post(order).status == 202
        assert stack.queued() == 1
        assert problem_of_the_mapping(stack)
    eventually(lambda: stack.row(order["order_id"], order["item"]), "the row")


def test_only_the_target_group_may_invoke_ingest(stack: Stack) -> None:
    policy = json.loads(stack.lambda_.get_policy(FunctionName=INGEST, Qualifier="live")["Policy"])
    [statement] = policy["Statement"]
    stack.lambda_.remove_permission(
        FunctionName=INGEST, Qualifier="live", StatementId=statement["Sid"]
    )
    try:
        assert stack.post(new_order()).status == 502
    finally:
        stack.lambda_.add_permission(
            FunctionName=INGEST,
            Qualifier="live",
            StatementId=statement["Sid"],
            Action=statement["Action"],
            Principal=statement["Principal"]["Service"],
            SourceArn=statement["Condition"]["ArnLike"]["AWS:SourceArn"],
            SourceAccount=statement["Condition"]["StringEquals"]["AWS:SourceAccount"],
        )
    assert stack.post(new_order()).status == 202


@pytest.mark.parametrize("queue", ["queue_url", "dead_letter_queue_url"])
def test_a_stranger_may_not_send(stack: Stack, queue: str) -> None:
    user = f"stranger-{queue.replace('_', '-')}"
    stack.iam.create_user(UserName=user)
    key = stack.iam.create_access_key(UserName=user)["AccessKey"]
    try:
        sqs = stack.emulator.client(
            "sqs",
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"],
        )
        with pytest.raises(botocore.exceptions.ClientError, match="AccessDenied"):
            sqs.send_message(QueueUrl=stack.outputs[queue], MessageBody="{}")
    finally:
        stack.iam.delete_access_key(UserName=user, AccessKeyId=key["AccessKeyId"])
        stack.iam.delete_user(UserName=user)


def failures(stack: Stack) -> int:
    """How often process has reported a message as failed, so far."""
    logs = stack.emulator.client("logs")
    events = logs.filter_log_events(logGroupName=f"/aws/lambda/{PROCESS}")["events"]
    return sum('"Failed":1' in event["message"] for event in events)


def problem_of_the_mapping(stack: Stack) -> str:
    mapping = stack.lambda_.get_event_source_mapping(UUID=stack.outputs["event_source_mapping_id"])
    result = str(mapping.get("LastProcessingResult", ""))
    return result if "PROBLEM" in result else ""
