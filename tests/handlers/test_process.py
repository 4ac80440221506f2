"""Process: three outcomes of a message, never mixed up, and the way to the dead-letter queue."""

import base64
import json
from typing import Any

import pytest

from local.engines import Engine, client
from local.events import REQUEST_ID, TRACE_ID, Context, record
from process import handler
from shared import orders, telemetry
from shared.queues import Queue
from tests.support import engines
from tests.support.fakes import FakeDynamoDB, FakeSqs, error
from tests.support.runtime import Invocation, invoke, one_line_of_metrics

pytestmark = pytest.mark.usefixtures("quick_calls")

STAMP = "accepted_at"
NEEDED = 3_000  # 1.5 s to report, and as much to read a message


def order(order_id: str = "1", item: str = "Kopi", **attributes: Any) -> dict[str, Any]:
    return {"order_id": order_id, "item": item, **attributes}


def process(*records: Any, context: Context | None = None) -> Invocation:
    """Processes a batch, and asserts what holds of every answer and its metrics."""
    invocation = invoke(handler.handle, {"Records": list(records)}, context)
    ids = [record["messageId"] for record in records]
    failed = failures(invocation)
    assert len(set(failed)) == len(failed)
    assert set(failed) <= set(ids)
    assert set(invocation.answer) == {"batchItemFailures"}
    assert invocation.metrics["request_id"] == REQUEST_ID
    return invocation


def failures(invocation: Invocation) -> list[str]:
    return [failure["itemIdentifier"] for failure in invocation.answer["batchItemFailures"]]


def counts(invocation: Invocation) -> tuple[int, int, int, int]:
    """Written, superseded, failed, dead-lettered."""
    names = ("Written", "Superseded", "Failed", "DeadLettered")
    written, superseded, failed, dead_lettered = (invocation.metrics[name] for name in names)
    return written, superseded, failed, dead_lettered


@pytest.fixture(autouse=True)
def _no_aws(sqs: FakeSqs, dynamodb: FakeDynamoDB) -> None:
    """Every test has both."""


# Done


def test_orders_become_items(dynamodb: FakeDynamoDB) -> None:
    one = '{"order_id":"1","item":"Kopi","price":1.10,"big":1E2,"tags":["a",null,true,{"b":-0}]}'
    several = [order("2"), order("3")]

    invocation = process(record(one, "m1", accepted_at=7), record(several, "m2", accepted_at=8))

    assert failures(invocation) == []
    assert counts(invocation) == (3, 0, 0, 0)
    assert dynamodb.calls == ["insert 3"]
    assert dynamodb.table["1", "Kopi"] == {
        "order_id": {"S": "1"},
        "item": {"S": "Kopi"},
        "price": {"N": "1.10"},
        "big": {"N": "1E2"},
        "tags": {
            "L": [{"S": "a"}, {"NULL": True}, {"BOOL": True}, {"M": {"b": {"N": "-0"}}}],
        },
        STAMP: {"N": "7"},
    }
    assert dynamodb.table["3", "Kopi"][STAMP] == {"N": "8"}


def test_an_empty_batch_is_done() -> None:
    assert process().answer == {"batchItemFailures": []}


def test_superseded_messages_are_done() -> None:
    invocation = process(
        record(order(), "old", 1), record(order(), "new", 2), record(order(), "same", 2)
    )

    assert failures(invocation) == []
    assert counts(invocation) == (1, 2, 0, 0)


def test_ages_are_from_acceptance_to_write(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telemetry, "now_microseconds", lambda: 5_000_000)

    invocation = process(
        record(order("1"), "1", 2_999_999),
        record(order("2"), "2", 6_000_000),  # another machine's clock
        record(order("1"), "3", 1),  # superseded, so it has no age
    )

    assert invocation.metrics["Age"] == [2000, 0]


def test_of_many_ages_a_hundred_are_kept_with_the_greatest() -> None:
    assert telemetry.thin_out([]) == []
    assert telemetry.thin_out(list(range(100))) == list(range(99, -1, -1))
    thin = telemetry.thin_out(list(range(1001)))
    assert len(thin) <= 100
    assert (thin[0], thin[-1]) == (1000, 10)


# Stamps


@pytest.mark.parametrize(
    ("attribute", "stamp"),
    [
        ({"stringValue": "1700000000123456", "dataType": "Number"}, 1_700_000_000_123_456),
        ({"stringValue": "1", "dataType": "Number.us"}, 1),
        ({"stringValue": "0"}, 1_700_000_000_000_000),
        ({"stringValue": "-1"}, 1_700_000_000_000_000),
        ({"stringValue": "1.5"}, 1_700_000_000_000_000),
        ({"stringValue": "1e3"}, 1_700_000_000_000_000),
        ({"stringValue": " 1"}, 1_700_000_000_000_000),
        ({"stringValue": "\u0661"}, 1_700_000_000_000_000),
        ({"stringValue": "9" * 17}, 1_700_000_000_000_000),
        ({"stringValue": ""}, 1_700_000_000_000_000),
        ({"binaryValue": "MQ=="}, 1_700_000_000_000_000),
        ({}, 1_700_000_000_000_000),
        (None, 1_700_000_000_000_000),
    ],
)
def test_the_stamp_is_the_messages_own_or_else_when_it_was_sent(
    dynamodb: FakeDynamoDB, attribute: Any, stamp: int
) -> None:
    attributes = {} if attribute is None else {"accepted_at": attribute}

    process(record(order(), messageAttributes=attributes))

    assert dynamodb.table["1", "Kopi"][STAMP] == {"N": str(stamp)}


def test_a_redriven_message_does_not_become_newer(dynamodb: FakeDynamoDB) -> None:
    process(record(order(qty=1), "new", 2))

    sent_later = {"SentTimestamp": "1800000000000"}
    process(record(order(qty=0), "redriven", 1, attributes=sent_later))

    assert dynamodb.table["1", "Kopi"]["qty"] == {"N": "1"}


# Failed


def test_only_the_messages_whose_orders_failed_are_reported(dynamodb: FakeDynamoDB) -> None:
    plan = iter(["ok", "ok", "InternalServerError", "ok"])
    dynamodb.plan = lambda what: next(plan, "ok") if what == "statement" else "ok"

    invocation = process(
        record(order("1"), "a"),
        record([order("2"), order("3")], "b"),
        record(order("4"), "c"),
    )

    assert failures(invocation) == ["b"]
    assert counts(invocation) == (3, 0, 1, 0)
    # Another delivery finishes what is missing, and does no harm to what is there.
    again = process(record([order("2"), order("3")], "b"))
    assert counts(again) == (1, 1, 0, 0)


def test_a_message_that_failed_and_is_refused_is_reported(
    dynamodb: FakeDynamoDB, sqs: FakeSqs
) -> None:
    dynamodb.refuses = lambda item: item["order_id"] == {"S": "1"}
    plan = iter(["ok", "InternalServerError"])
    dynamodb.plan = lambda what: next(plan, "ok") if what == "statement" else "ok"

    assert failures(process(record([order("1"), order("2")]))) == ["1"]
    assert sqs.sent == []


@pytest.mark.parametrize(
    "changes",
    [
        {"body": None},
        {"body": 1},
        {"body": {}},
        {"attributes": {}, "messageAttributes": {}},
        {"attributes": {"SentTimestamp": "x"}, "messageAttributes": {}},
        {"messageAttributes": None},
        {"messageAttributes": []},
        {"messageAttributes": {"accepted_at": None}},
    ],
    ids=str,
)
def test_a_malformed_record_fails_alone(
    changes: dict[str, Any], sqs: FakeSqs, caplog: pytest.LogCaptureFixture
) -> None:
    bad = record(order("secret"), "bad") | changes
    lacking = {k: v for k, v in bad.items() if k not in changes} | {"messageId": "lacking"}
    if "messageAttributes" in changes and "attributes" not in changes:
        del lacking["attributes"]  # without the one, a record needs the other

    invocation = process(record(order("1"), "a"), bad, lacking, record(order("2"), "c"))

    assert failures(invocation) == ["bad", "lacking"]
    assert counts(invocation) == (2, 0, 2, 0)
    assert sqs.sent == []
    assert "secret" not in caplog.text


@pytest.mark.parametrize(
    "event",
    [
        None,
        {},
        {"Records": None},
        {"Records": [None]},
        {"Records": [record(order()), {"body": "{}"}]},
        {"Records": [record(order()) | {"messageId": None}]},
    ],
)
def test_without_ids_the_whole_batch_fails(event: Any, dynamodb: FakeDynamoDB) -> None:
    with (
        one_line_of_metrics() as metrics,
        pytest.raises((TypeError, KeyError)),
    ):
        handler.handle(event, Context())

    assert metrics["Written"] == 0
    assert dynamodb.calls == []


def test_a_message_that_is_twice_in_a_batch_is_reported_once(dynamodb: FakeDynamoDB) -> None:
    dynamodb.plan = lambda _: "InternalServerError"

    assert failures(process(record(order()), record(order()))) == ["1"]


@pytest.mark.parametrize("remaining", [NEEDED - 1, NEEDED])
def test_no_message_is_begun_in_too_little_time(
    dynamodb: FakeDynamoDB, sqs: FakeSqs, remaining: int
) -> None:
    context = Context(lambda: remaining)

    invocation = process(record(order(), "a"), record("not JSON", "b"), context=context)

    in_time = remaining >= NEEDED
    assert failures(invocation) == ([] if in_time else ["a", "b"])
    assert bool(dynamodb.calls) == bool(sqs.sent) == in_time


# Permanent failures


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
    dynamodb.refuses = lambda item: "poison" in item

    invocation = process(record([order("1"), order("2", poison=1)], "a"), record(order("3"), "b"))

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


def test_a_copy_has_every_attribute_of_its_message(sqs: FakeSqs) -> None:
    attributes = {
        "text": {"stringValue": "x", "dataType": "String.custom"},
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
def test_a_copy_has_at_most_ten_attributes(sqs: FakeSqs, own: int, added: list[str]) -> None:
    attributes = {f"a{n}": {"stringValue": "x", "dataType": "String"} for n in range(own)}

    process(record("x", messageAttributes=attributes))

    assert list(sqs.sent[0]["MessageAttributes"]) == [*attributes, *added]


def test_a_copy_that_fails_again_keeps_its_first_id(sqs: FakeSqs) -> None:
    process(record("x", "first"))
    first = sqs.sent[0]["MessageAttributes"]
    attributes = {
        name: {"stringValue": attribute["StringValue"], "dataType": attribute["DataType"]}
        for name, attribute in first.items()
    }

    process(record(order(item=""), "second", messageAttributes=attributes))

    again = sqs.sent[1]["MessageAttributes"]
    assert again["original_message_id"] == first["original_message_id"]
    assert again["accepted_at"] == first["accepted_at"]
    assert again["failure_reason"]["StringValue"].startswith('order 0: "item"')
    assert int(again["failed_at"]["StringValue"]) >= int(first["failed_at"]["StringValue"])


@pytest.mark.parametrize(
    "trouble", [error("ThrottlingException"), error("InvalidParameterValue"), TimeoutError()]
)
def test_if_it_does_not_arrive_there_it_is_reported(sqs: FakeSqs, trouble: Exception) -> None:
    sqs.troubles = [trouble]

    invocation = process(record("x", "a"), record("x", "b"))

    assert failures(invocation) == ["a"]
    assert counts(invocation) == (0, 0, 1, 1)


@pytest.mark.parametrize("answer", [{}, {"MessageId": ""}, {"MD5OfMessageBody": "0"}])
def test_if_it_is_not_confirmed_it_is_reported(sqs: FakeSqs, answer: Any) -> None:
    sqs.answers = [answer]

    assert failures(process(record("x", "a"))) == ["a"]


@pytest.mark.parametrize("attribute", [{}, {"dataType": "Binary", "binaryValue": "?"}, None])
def test_a_copy_that_cannot_be_made_is_reported(sqs: FakeSqs, attribute: Any) -> None:
    invocation = process(record("x", messageAttributes={"strange": attribute}))

    assert failures(invocation) == ["1"]
    assert sqs.sent == []


def test_dead_lettering_can_be_left_to_the_redrive_policy(
    sqs: FakeSqs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler, "DEAD_LETTER_IMMEDIATELY", False)

    invocation = process(record("x", "a"), record(order(), "b"))

    assert failures(invocation) == ["a"]
    assert counts(invocation) == (1, 0, 1, 0)
    assert sqs.sent == []


def test_a_real_queue_takes_the_copy(emulator: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_no_log_has_an_orders_content(
    dynamodb: FakeDynamoDB, sqs: FakeSqs, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    dynamodb.refuses = lambda item: "poison" in item
    sqs.troubles = [error("ThrottlingException")]

    invocation = process(
        record(order("secret", poison="secret"), "a"),
        record(order(qty="secret", item=""), "b"),
        record(order("secret"), "c"),
        record("secret", "d"),
    )

    logged = [entry.__dict__ for entry in caplog.records]
    assert [entry["message_id"] for entry in logged if "message_id" in entry] == ["a", "b", "d"]
    assert "secret" not in json.dumps(invocation.metrics) + str(logged)
