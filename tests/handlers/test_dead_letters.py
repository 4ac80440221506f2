"""Permanent failures: dead-lettered at once with the reason, or else reported."""

import base64
from typing import Any

import pytest

from local.engines import Engine, client
from local.events import TRACE_ID, attribute, received, record
from process import handler
from shared import orders, telemetry
from shared.queues import Queue
from tests.support import engines
from tests.support.fakes import FakeDynamoDB, FakeSqs, error
from tests.support.process import counts, failures, order, process
from tests.support.runtime import invoke

pytestmark = pytest.mark.usefixtures("quick_calls")


@pytest.fixture(autouse=True)
def _no_aws(sqs: FakeSqs, dynamodb: FakeDynamoDB) -> None:
    """All tests use both fakes."""


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "not valid JSON: Expecting value, line 1, column 1"),
        ("not JSON", "not valid JSON: Expecting value, line 1, column 1"),
        ("[" * 100_000, "not valid JSON: nested too deeply"),
        ("[]", "the array has no order"),
        ("7", "order 0: must be a JSON object"),
        (order(item=""), 'order 0: "item" must be a string, and not empty: it is a key'),
        ({"order_id": "1"}, 'order 0: "item" is missing: it is a key'),
        ('[{"order_id":"1","item":"a"},{"order_id":"1","item":"b","é":1E999}]',
         'order 1: "\\u00e9" has a number beyond 1E-130 to 9.9E+125, DynamoDB\'s magnitudes'),
        (order(accepted_at=1), 'order 0: "accepted_at" is reserved for the time of acceptance'),
    ],
)  # fmt: skip
def test_a_permanent_failure_is_dead_lettered_whole(
    sqs: FakeSqs,
    dynamodb: FakeDynamoDB,
    monkeypatch: pytest.MonkeyPatch,
    body: Any,
    reason: str,
) -> None:
    monkeypatch.setattr(telemetry, "now_microseconds", lambda: 1_700_000_000_123_456)
    failure = record(body, "failure", 7)

    invocation = process(record(order("a"), "1"), failure, record(order("b"), "2"))

    assert failures(invocation) == []
    assert counts(invocation) == (2, 0, 0, 1)
    assert set(dynamodb.table) == {("a", "Kopi"), ("b", "Kopi")}
    assert sqs.sent == [
        {
            "QueueUrl": "https://sqs.invalid/dead-letter",
            "MessageBody": failure["body"],
            "MessageAttributes": {
                "accepted_at": {"DataType": "Number", "StringValue": "7"},
                "failure_reason": {"DataType": "String", "StringValue": reason},
                "failed_at": {"DataType": "Number", "StringValue": "1700000000123456"},
                "original_message_id": {"DataType": "String", "StringValue": "failure"},
            },
        }
    ]


def test_an_order_that_dynamodb_refuses_is_dead_lettered(
    sqs: FakeSqs, dynamodb: FakeDynamoDB
) -> None:
    dynamodb.refuses = lambda item: "bad" in item

    invocation = process(record([order("1"), order("2", bad=1)], "a"), record(order("3"), "b"))

    assert failures(invocation) == []
    assert counts(invocation) == (2, 0, 0, 1)
    (copy,) = sqs.sent
    reason = copy["MessageAttributes"]["failure_reason"]["StringValue"]
    assert reason == "order 1: DynamoDB refuses the item"


def test_the_reason_is_short_ascii_and_without_content(sqs: FakeSqs) -> None:
    process(record(orders.encode({"order_id": "1", "item": "a", "ü" * 60000: {"": "secret"}})))

    reason = sqs.sent[0]["MessageAttributes"]["failure_reason"]["StringValue"]
    assert reason.isascii()
    assert len(reason) <= 256
    assert "secret" not in reason


def test_a_dead_letter_has_every_attribute_of_its_message(sqs: FakeSqs) -> None:
    attributes = {
        "text": attribute("x", "String.custom"),
        "number": {"stringValue": "1", "binaryValue": None, "dataType": "Number"},
        "binary": {"binaryValue": base64.b64encode(b"\0\xff").decode(), "dataType": "Binary"},
        "empty": {"binaryValue": "", "stringValue": None, "dataType": "Binary"},
    }
    system = {"SentTimestamp": "1700000000000", "AWSTraceHeader": TRACE_ID}

    process(record("x", messageAttributes=attributes, attributes=system))

    (copy,) = sqs.sent
    assert (
        copy["MessageAttributes"].items()
        >= {
            "text": {"DataType": "String.custom", "StringValue": "x"},
            "number": {"DataType": "Number", "StringValue": "1"},
            "binary": {"DataType": "Binary", "BinaryValue": "AP8="},
            "empty": {"DataType": "Binary", "BinaryValue": ""},
        }.items()
    )
    assert copy["MessageSystemAttributes"] == {
        "AWSTraceHeader": {"DataType": "String", "StringValue": TRACE_ID}
    }


@pytest.mark.parametrize(
    ("own", "added"),
    [
        (6, ["accepted_at", "failure_reason", "failed_at", "original_message_id"]),
        (7, ["accepted_at", "failure_reason", "failed_at"]),
        (8, ["accepted_at", "failure_reason"]),
        (9, ["accepted_at"]),
        (10, []),
    ],
)
def test_a_dead_letter_has_at_most_ten_attributes(sqs: FakeSqs, own: int, added: list[str]) -> None:
    attributes = {f"a{n}": attribute("x") for n in range(own)}

    process(record("x", messageAttributes=attributes))

    assert list(sqs.sent[0]["MessageAttributes"]) == [*attributes, *added]


def test_a_dead_letter_that_fails_again_keeps_its_first_id(sqs: FakeSqs) -> None:
    process(record("x", "first"))
    first = sqs.sent[0]["MessageAttributes"]

    process(record(order(item=""), "second", messageAttributes=received(first)))

    again = sqs.sent[1]["MessageAttributes"]
    assert again["original_message_id"] == first["original_message_id"]
    assert again["accepted_at"] == first["accepted_at"]
    assert again["failure_reason"]["StringValue"].startswith('order 0: "item"')
    assert int(again["failed_at"]["StringValue"]) >= int(first["failed_at"]["StringValue"])


GROUP = "tenant-1!~"


def dead_letter(**system: Any) -> None:
    """Has a message with these system attributes dead-lettered."""
    attributes = {"SentTimestamp": "1700000000000", **system}
    answer = invoke(handler.handle, {"Records": [record("no JSON", attributes=attributes)]}).answer
    assert answer == {"batchItemFailures": []}


def test_a_dead_letter_has_the_group_of_its_message(sqs: FakeSqs) -> None:
    dead_letter(MessageGroupId=GROUP)

    assert sqs.sent[0]["MessageGroupId"] == GROUP
    assert sqs.sent[0]["MessageBody"] == "no JSON"


@pytest.mark.parametrize("system", [{}, {"MessageGroupId": None}, {"MessageGroupId": ""}], ids=str)
def test_a_dead_letter_of_a_message_without_a_group_has_none(
    sqs: FakeSqs, system: dict[str, Any]
) -> None:
    """SQS would refuse an empty one."""
    dead_letter(**system)

    assert "MessageGroupId" not in sqs.sent[0]


# What cannot be dead-lettered is reported


@pytest.mark.parametrize(
    "trouble",
    [error("ThrottlingException"), error("InvalidParameterValue"), TimeoutError()],
    ids=repr,
)
def test_a_dead_letter_that_is_not_sent_is_reported(sqs: FakeSqs, trouble: Exception) -> None:
    sqs.troubles = [trouble]

    invocation = process(record("x", "a"), record("x", "b"))

    assert failures(invocation) == ["a"]
    assert counts(invocation) == (0, 0, 1, 1)


@pytest.mark.parametrize("answer", [{}, {"MessageId": ""}, {"MD5OfMessageBody": "0"}], ids=str)
def test_a_dead_letter_that_is_not_confirmed_is_reported(sqs: FakeSqs, answer: Any) -> None:
    sqs.answers = [answer]

    assert failures(process(record("x", "a"))) == ["a"]


@pytest.mark.parametrize(
    "attribute", [{}, {"dataType": "Binary", "binaryValue": "?"}, None], ids=str
)
def test_a_dead_letter_that_cannot_be_built_is_reported(sqs: FakeSqs, attribute: Any) -> None:
    invocation = process(record("x", messageAttributes={"strange": attribute}))

    assert failures(invocation) == ["1"]
    assert sqs.sent == []


@pytest.mark.parametrize(
    "changes", [{"attributes": None}, {"attributes": {}}, {"attributes": []}], ids=str
)
def test_a_permanent_failure_that_cannot_be_dead_lettered_is_reported_alone(
    sqs: FakeSqs, changes: dict[str, Any]
) -> None:
    strange = record("not JSON", "strange") | changes | {"messageAttributes": None}

    invocation = process(strange, record(order("1"), "a"), record(order("2"), "b"))

    assert failures(invocation) == ["strange"]
    assert invocation.metrics["Written"] == 2
    assert sqs.sent == []


def test_dead_lettering_can_be_left_to_the_redrive_policy(
    sqs: FakeSqs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler, "DEAD_LETTER_IMMEDIATELY", False)

    invocation = process(record("x", "a"), record(order(), "b"))

    assert failures(invocation) == ["a"]
    assert counts(invocation) == (1, 0, 1, 0)
    assert sqs.sent == []


# A real queue


def test_a_real_queue_accepts_the_dead_letter(
    emulator: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    sqs = client(emulator.endpoint_url, "sqs")
    url = sqs.create_queue(QueueName="dead-letter")["QueueUrl"]
    queue = Queue(engines.functions_client(emulator, "sqs"), url)
    monkeypatch.setattr(handler, "DEAD_LETTER_QUEUE", queue)
    binary = {"binaryValue": base64.b64encode(b"\0\xff").decode(), "dataType": "Binary"}

    assert failures(process(record("not JSON", messageAttributes={"b": binary}))) == []

    (message,) = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"]
    assert message["Body"] == "not JSON"
    assert message["MessageAttributes"]["b"]["BinaryValue"] == b"\0\xff"
    assert message["MessageAttributes"]["failure_reason"]["DataType"] == "String"


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("implementation", ["builtin", "botocore"])
def test_a_real_queue_delivers_the_dead_letter_with_its_group(
    emulator: Engine, implementation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sqs = client(emulator.endpoint_url, "sqs")
    url = sqs.create_queue(QueueName=f"dead-letter-{implementation}")["QueueUrl"]
    functions_client = engines.functions_client(emulator, "sqs", implementation)
    monkeypatch.setattr(handler, "DEAD_LETTER_QUEUE", Queue(functions_client, url))

    dead_letter(MessageGroupId=GROUP)

    (message,) = sqs.receive_message(QueueUrl=url, MessageSystemAttributeNames=["All"])["Messages"]
    assert message["Attributes"]["MessageGroupId"] == GROUP
