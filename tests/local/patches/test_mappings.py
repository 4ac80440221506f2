"""local/patches/mappings.py: event source mappings of queues, and their events."""

import json
from typing import Any

from local.emulator import Emulator
from local.waiting import eventually
from tests.local.patches.checks import Checks, code_of, text_of
from tests.local.support import deploy, map_queue, queue_arn

NOTHING = "def handle(event, context): pass"

check = Checks("mappings")

(
    test_every_patch_has_a_check,
    test_the_check_passes_with_the_patch,
    test_the_check_fails_without_the_patch,
) = check.tests()


@check()
def records_have_all_members(emulator: Emulator) -> None:
    sqs = emulator.client("sqs")
    seen = sqs.create_queue(QueueName="seen")["QueueUrl"]
    report = f"""
import json
import boto3

def handle(event, context):
    print("called")
    for record in event["Records"]:
        boto3.client("sqs").send_message(QueueUrl={seen!r}, MessageBody=json.dumps(record))
"""
    function_arn = deploy(emulator, "report", report)
    attributes = {
        "WeeksOn": {"DataType": "Number", "StringValue": "6"},
        "Raw": {"DataType": "Binary", "BinaryValue": b"x"},
    }

    def record_of(queue: str, **message: Any) -> dict[str, Any]:
        url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        sent = sqs.send_message(QueueUrl=url, MessageBody="order", **message)
        (found,) = eventually(
            lambda: sqs.receive_message(QueueUrl=seen).get("Messages", []), "the record", 10
        )
        sqs.delete_message(QueueUrl=seen, ReceiptHandle=found["ReceiptHandle"])
        record: dict[str, Any] = json.loads(found["Body"])
        assert record["messageId"] == sent["MessageId"]
        assert record.get("md5OfMessageAttributes") == sent.get("MD5OfMessageAttributes")
        return record

    map_queue(emulator, function_arn, "at-once")
    map_queue(emulator, function_arn, "windowed", MaximumBatchingWindowInSeconds=1)
    for queue in ("at-once", "windowed"):
        record = record_of(queue, MessageAttributes=attributes)
        lists: dict[str, Any] = {"stringListValues": [], "binaryListValues": []}
        assert record["messageAttributes"] == {
            "WeeksOn": {"dataType": "Number", "stringValue": "6"} | lists,
            "Raw": {"dataType": "Binary", "binaryValue": "eA=="} | lists,
        }
    assert "md5OfMessageAttributes" not in record_of("at-once")
    assert "md5OfMessageAttributes" in record_of("windowed")


@check()
def mappings_of_large_batches_need_a_window(emulator: Emulator) -> None:
    functions = emulator.client("lambda")
    function_arn = deploy(emulator, "consume", NOTHING)
    emulator.client("sqs").create_queue(QueueName="orders")
    text = (
        "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater "
        "than 10"
    )

    source = {"FunctionName": function_arn, "EventSourceArn": queue_arn("orders")}
    assert text_of(functions.create_event_source_mapping, **source, BatchSize=11) == text
    mapping = {"UUID": map_queue(emulator, function_arn, BatchSize=10)["UUID"]}
    update = functions.update_event_source_mapping
    assert text_of(update, **mapping, BatchSize=11) == text
    assert text_of(update, **mapping, BatchSize=11, MaximumBatchingWindowInSeconds=1) == ""
    assert text_of(update, **mapping, MaximumBatchingWindowInSeconds=0) == text
    assert text_of(update, **mapping, BatchSize=5, MaximumBatchingWindowInSeconds=0) == ""


@check()
def mappings_need_a_queue_that_hides_messages_long_enough(emulator: Emulator) -> None:
    functions, sqs = emulator.client("lambda"), emulator.client("sqs")
    function_arn = deploy(emulator, "consume", NOTHING)
    functions.update_function_configuration(FunctionName="consume", Timeout=60)

    def refusal(queue: str) -> str:
        source = {"FunctionName": function_arn, "EventSourceArn": queue_arn(queue)}
        return text_of(functions.create_event_source_mapping, **source)

    assert refusal("missing") == (
        "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService."
        "NonExistentQueue. SQS Error Message: The specified queue does not exist."
    )
    url = sqs.create_queue(QueueName="orders")["QueueUrl"]
    assert refusal("orders") == (
        "Queue visibility timeout: 30 seconds is less than Function timeout: 60 seconds"
    )
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "60"})
    assert refusal("orders") == ""


@check()
def mappings_are_created_once(emulator: Emulator) -> None:
    functions = emulator.client("lambda")
    first_arn, second_arn = (deploy(emulator, name, NOTHING) for name in ("first", "second"))
    mapping_id = map_queue(emulator, first_arn)["UUID"]
    source = {"EventSourceArn": queue_arn("orders")}
    create = functions.create_event_source_mapping

    assert text_of(create, **source, FunctionName="first") == (
        f'An event source mapping with SQS arn (" {source["EventSourceArn"]} ") and function '
        f'(" first ") already exists. Please update or delete the existing mapping with UUID '
        f"{mapping_id}"
    )
    assert code_of(create, **source, FunctionName=first_arn) == "ResourceConflictException"
    assert map_queue(emulator, second_arn)
    assert map_queue(emulator, first_arn, "others")
    functions.delete_event_source_mapping(UUID=mapping_id)
    assert map_queue(emulator, first_arn)
