"""Ingest: what an accepted request becomes, and the shape of every answer."""

import base64

import pytest

from ingest import handler
from local.engines import Engine, client
from local.events import REQUEST_ID, TRACE_ID, Context, request
from shared import telemetry
from shared.queues import Queue
from tests.support import engines
from tests.support.fakes import FakeSqs
from tests.support.ingest import ORDER, post
from tests.support.runtime import invoke

pytestmark = pytest.mark.usefixtures("quick_calls")


def test_an_order_becomes_one_message(sqs: FakeSqs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telemetry, "now_microseconds", lambda: 1_700_000_000_123_456)
    headers = {"content-type": "application/json", "x-amzn-trace-id": TRACE_ID}

    status, content, answer_headers = post(
        '{ "order_id": "1", "item": "é😀", "p": 1.10 }', headers=headers
    )

    assert status == 202
    assert content == {"status": "accepted", "message_id": "message-1", "orders": 1}
    assert answer_headers["X-Amzn-Trace-Id"] == TRACE_ID
    assert sqs.sent == [
        {
            "QueueUrl": "https://sqs.invalid/orders",
            "MessageBody": '{"order_id":"1","item":"\\u00e9\\ud83d\\ude00","p":1.10}',
            "MessageAttributes": {
                "accepted_at": {"DataType": "Number", "StringValue": "1700000000123456"},
                "request_id": {"DataType": "String", "StringValue": REQUEST_ID},
            },
            "MessageSystemAttributes": {
                "AWSTraceHeader": {"DataType": "String", "StringValue": TRACE_ID}
            },
        }
    ]


def test_an_array_becomes_one_message(sqs: FakeSqs) -> None:
    status, content, headers = post('[{"order_id":"1","item":"a"}, {"order_id":"1","item":"b"}]')

    assert (status, content["orders"]) == (202, 2)
    (message,) = sqs.sent
    assert message["MessageBody"] == '[{"order_id":"1","item":"a"},{"order_id":"1","item":"b"}]'
    assert "MessageSystemAttributes" not in message
    assert "X-Amzn-Trace-Id" not in headers


@pytest.mark.parametrize(
    ("body", "is_base64"),
    [
        ("\ufeff" + ORDER, False),
        (" \r\n\t" + ORDER + "\n", False),
        (base64.b64encode(ORDER.encode()).decode(), True),
        (base64.b64encode(b"\xef\xbb\xbf" + ORDER.encode()).decode(), True),
    ],
)
def test_equivalent_bodies_become_the_same_message(
    sqs: FakeSqs, body: str, is_base64: bool
) -> None:
    assert post(body, isBase64Encoded=is_base64)[0] == 202
    assert sqs.sent[0]["MessageBody"] == ORDER


def test_a_real_queue_accepts_the_message(
    emulator: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    sqs = client(emulator.endpoint_url, "sqs")
    url = sqs.create_queue(QueueName="orders")["QueueUrl"]
    queue = Queue(engines.functions_client(emulator, "sqs"), url)
    monkeypatch.setattr(handler, "QUEUE", queue)
    headers = {"content-type": "application/json", "x-amzn-trace-id": TRACE_ID}

    status, content, _ = post('{"order_id":"1","item":"\\u0000\\uffff é"}', headers=headers)

    assert status == 202
    (message,) = sqs.receive_message(
        QueueUrl=url, MessageAttributeNames=["All"], AttributeNames=["All"]
    )["Messages"]
    assert message["MessageId"] == content["message_id"]
    assert message["Body"] == '{"order_id":"1","item":"\\u0000\\uffff \\u00e9"}'
    assert message["MessageAttributes"]["request_id"]["StringValue"] == REQUEST_ID
    assert message["Attributes"]["AWSTraceHeader"] == TRACE_ID


# The shape of the answer


def test_multi_value_headers_are_answered_with_multi_value_headers(sqs: FakeSqs) -> None:
    # The emulator sends single-value headers as well, which must be ignored.
    headers = {
        "Content-Type": ["application/json", "Application/json"],
        "x-amzn-trace-id": ["nonsense", TRACE_ID],
    }
    event = request(ORDER, multiValueHeaders=headers, headers={"content-type": "text/plain"})

    answer = invoke(handler.handle, event).answer

    assert answer["statusCode"] == 202
    assert "headers" not in answer
    assert answer["multiValueHeaders"] == {
        "Content-Type": ["application/json"],
        "Cache-Control": ["no-store"],
        "X-Request-Id": [REQUEST_ID],
        "X-Amzn-Trace-Id": [TRACE_ID],
    }


def test_a_problem_has_multi_value_headers_if_the_request_has(sqs: FakeSqs) -> None:
    event = request(httpMethod="PUT", multiValueHeaders={})
    del event["headers"]

    answer = invoke(handler.handle, event).answer

    assert answer["multiValueHeaders"]["Allow"] == ["POST"]
    assert "headers" not in answer


def test_the_answer_to_head_has_no_body(sqs: FakeSqs) -> None:
    answer = invoke(handler.handle, request(httpMethod="HEAD")).answer

    assert (answer["statusCode"], answer["body"]) == (405, "")


def test_the_clients_request_id_is_not_used(sqs: FakeSqs) -> None:
    headers = {"content-type": "application/json", "x-request-id": "theirs"}

    assert post(headers=headers)[2]["X-Request-Id"] == Context.aws_request_id
