"""local/patches/queues.py, and what the emulator does to messages by itself."""

import json
import time
from typing import Any

from local.emulator import Emulator
from local.waiting import eventually
from tests.local.patches.checks import Checks, code_of, text_of
from tests.local.support import deploy, map_queue, queue_arn
from tests.support.policies import allowing
from tests.support.stack import new_user

check = Checks("queues")

(
    test_every_patch_has_a_check,
    test_the_check_passes_with_the_patch,
    test_the_check_fails_without_the_patch,
) = check.tests()


@check()
def dead_letters_can_be_moved(emulator: Emulator) -> None:
    sqs = emulator.client("sqs")
    redrive = Redrive(emulator)
    redrive.dead_letter("first", MessageGroupId="g", MessageAttributes=string("reason", "late"))
    redrive.dead_letter("second")
    (before, _) = redrive.peek("dead", wanted=2)
    assert before["Attributes"]["ApproximateReceiveCount"] == "2"
    assert before["Attributes"]["DeadLetterQueueSourceArn"] == queue_arn("orders")

    # Back to their source, as new messages with the same content.
    assert code_of(sqs.start_message_move_task, SourceArn=queue_arn("dead")) is None
    task = redrive.ended()
    assert task["Status"] == "COMPLETED"
    assert task["ApproximateNumberOfMessagesMoved"] == 2
    assert task["ApproximateNumberOfMessagesToMove"] == 2
    assert not {"TaskHandle", "DestinationArn", "FailureReason"} & task.keys()
    first, second = sorted(redrive.peek("orders", wanted=2), key=lambda one: str(one["Body"]))
    assert (first["Body"], second["Body"]) == ("first", "second")
    assert first["MessageId"] != before["MessageId"]
    assert first["Attributes"]["SentTimestamp"] > before["Attributes"]["SentTimestamp"]
    assert first["Attributes"]["ApproximateReceiveCount"] == "1"
    assert first["Attributes"]["MessageGroupId"] == "g"
    assert "DeadLetterQueueSourceArn" not in first["Attributes"]
    assert first["MessageAttributes"]["reason"]["StringValue"] == "late"

    # Messages sent there directly have no source.
    redrive.send("dead", "sent there")
    sqs.start_message_move_task(SourceArn=queue_arn("dead"))
    task = redrive.ended()
    assert (task["Status"], task["FailureReason"]) == ("FAILED", "CouldNotDetermineMessageSource")
    sqs.start_message_move_task(SourceArn=queue_arn("dead"), DestinationArn=queue_arn("orders"))
    assert redrive.ended()["Status"] == "COMPLETED"
    assert [one["Body"] for one in redrive.peek("orders", wanted=1)] == ["sent there"]

    # One at a time, which can be cancelled.
    for number in range(3):
        redrive.send("dead", str(number))
    slow = {"SourceArn": queue_arn("dead"), "DestinationArn": queue_arn("orders")}
    handle = sqs.start_message_move_task(**slow, MaxNumberOfMessagesPerSecond=1)["TaskHandle"]
    (running,) = sqs.list_message_move_tasks(SourceArn=queue_arn("dead"))["Results"]
    assert (running["Status"], running["TaskHandle"]) == ("RUNNING", handle)
    assert running["MaxNumberOfMessagesPerSecond"] == 1
    assert "Only one active task" in text_of(sqs.start_message_move_task, **slow)
    sqs.cancel_message_move_task(TaskHandle=handle)
    assert redrive.ended()["Status"] == "CANCELLED"
    assert code_of(sqs.cancel_message_move_task, TaskHandle=handle) == "ResourceNotFoundException"
    everything = sqs.list_message_move_tasks(SourceArn=queue_arn("dead"), MaxResults=10)["Results"]
    statuses = [one["Status"] for one in everything]
    assert statuses == ["CANCELLED", "COMPLETED", "FAILED", "COMPLETED"]

    # Refused.
    no_dead_letter_queue = text_of(sqs.start_message_move_task, SourceArn=queue_arn("orders"))
    assert no_dead_letter_queue == "Source queue must be configured as a Dead Letter Queue."
    missing = {"SourceArn": queue_arn("dead"), "DestinationArn": queue_arn("missing")}
    assert code_of(sqs.start_message_move_task, **missing) == "ResourceNotFoundException"
    too_fast = slow | {"MaxNumberOfMessagesPerSecond": 501}
    assert code_of(sqs.start_message_move_task, **too_fast) == "InvalidParameterValue"


@check(auth=True)
def move_tasks_are_actions_on_the_source_queue(emulator: Emulator) -> None:
    redrive = Redrive(emulator)
    redrive.dead_letter("order")
    name = "operator"
    sqs = emulator.client("sqs", **new_user(emulator, name))
    start = {"SourceArn": queue_arn("dead"), "DestinationArn": queue_arn("orders")}

    def grant(policy: str, actions: list[str], queue: str) -> None:
        document = allowing(actions, queue_arn(queue))
        emulator.client("iam").put_user_policy(
            UserName=name, PolicyName=policy, PolicyDocument=document
        )

    grant("tasks", ["sqs:StartMessageMoveTask", "sqs:ListMessageMoveTasks"], "dead")
    assert code_of(sqs.list_message_move_tasks, SourceArn=queue_arn("dead")) is None
    assert code_of(sqs.list_message_move_tasks, SourceArn=queue_arn("orders")) == "AccessDenied"
    assert code_of(sqs.start_message_move_task, **start) == "AccessDenied"
    actions = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
    grant("read", actions, "dead")
    assert code_of(sqs.start_message_move_task, **start) == "AccessDenied"
    grant("write", ["sqs:SendMessage"], "orders")
    assert code_of(sqs.start_message_move_task, **start) is None
    assert redrive.ended()["Status"] == "COMPLETED"
    grant("cancel", ["sqs:CancelMessageMoveTask"], "dead")
    redrive.send("dead", "again")
    handle = sqs.start_message_move_task(**start, MaxNumberOfMessagesPerSecond=1)["TaskHandle"]
    assert code_of(sqs.cancel_message_move_task, TaskHandle=handle) is None


# What the emulator does by itself, and the module relies on.


def test_a_message_group_on_a_standard_queue_reaches_the_function(
    emulators: dict[bool, Emulator],
) -> None:
    """ "Using fair queues", Amazon SQS Developer Guide: by SendMessage, and in a batch."""
    emulator = emulators[False]
    emulator.reset()
    sqs, logs = emulator.client("sqs"), emulator.client("logs")
    report = (
        "def handle(event, _):\n    for one in event['Records']: print('group', one['attributes'])"
    )
    function_arn = deploy(emulator, "consume", report)
    map_queue(emulator, function_arn)
    url = sqs.get_queue_url(QueueName="orders")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="1", MessageGroupId="alone")
    entry = {"Id": "1", "MessageBody": "2", "MessageGroupId": "in-a-batch"}
    sqs.send_message_batch(QueueUrl=url, Entries=[entry])

    def logged() -> str:
        name = "/aws/lambda/consume"
        if code_of(logs.filter_log_events, logGroupName=name):
            return ""
        events = logs.filter_log_events(logGroupName=name)["events"]
        return "".join(event["message"] for event in events)

    text = eventually(
        logged, "both messages", 10, until=lambda found: found.count("MessageGroupId") == 2
    )
    assert "alone" in text
    assert "in-a-batch" in text


def test_messages_older_than_a_lowered_retention_are_deleted() -> None:
    """SetQueueAttributes, Amazon SQS API Reference: it also affects waiting messages."""
    from ministack.services import sqs

    def message(age: int) -> dict[str, Any]:
        return {"sent_at": time.time() - age}

    queue = {"attributes": {"MessageRetentionPeriod": "345600"}, "messages": [message(61)]}
    sqs._expire_retained(queue)
    assert len(queue["messages"]) == 1
    queue["attributes"] = {"MessageRetentionPeriod": "60"}
    sqs._expire_retained(queue)
    assert queue["messages"] == []


class Redrive:
    """A queue `orders`, whose messages move to `dead` after one receive."""

    def __init__(self, emulator: Emulator) -> None:
        self._sqs = emulator.client("sqs")
        self._urls = {
            name: self._sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("dead", "orders")
        }
        policy = {"deadLetterTargetArn": queue_arn("dead"), "maxReceiveCount": 1}
        attributes = {"RedrivePolicy": json.dumps(policy)}
        self._sqs.set_queue_attributes(QueueUrl=self._urls["orders"], Attributes=attributes)

    def send(self, queue: str, body: str, **options: Any) -> None:
        self._sqs.send_message(QueueUrl=self._urls[queue], MessageBody=body, **options)

    def dead_letter(self, body: str, **options: Any) -> None:
        self.send("orders", body, **options)
        for _ in range(2):  # the second one moves it to the dead-letter queue
            self._sqs.receive_message(QueueUrl=self._urls["orders"], VisibilityTimeout=0)

    def peek(self, queue: str, *, wanted: int) -> list[dict[str, Any]]:
        """Receives messages without hiding them; deletes those in `orders`."""
        found = self._sqs.receive_message(
            QueueUrl=self._urls[queue],
            MaxNumberOfMessages=10,
            VisibilityTimeout=0,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        ).get("Messages", [])
        assert len(found) == wanted
        for message in found if queue == "orders" else []:
            self._sqs.delete_message(
                QueueUrl=self._urls[queue], ReceiptHandle=message["ReceiptHandle"]
            )
        return list(found)

    def ended(self) -> dict[str, Any]:
        def newest() -> dict[str, Any]:
            (task,) = self._sqs.list_message_move_tasks(SourceArn=queue_arn("dead"))["Results"]
            return dict(task)

        return eventually(
            newest,
            "the end of the task",
            10,
            until=lambda task: task["Status"] not in {"RUNNING", "CANCELLING"},
        )


def string(name: str, value: str) -> dict[str, Any]:
    return {name: {"DataType": "String", "StringValue": value}}
