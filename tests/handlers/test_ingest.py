"""Ingest: the HTTP contract, and what it puts on the queue."""

import base64
import contextlib
import json
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import Mock

import pytest

from ingest import handler
from local.engines import Engine, client
from local.events import REQUEST_ID, TRACE_ID, Context, request
from shared import aws, orders, telemetry
from shared.queues import Queue
from tests.support import engines
from tests.support.fakes import FakeSqs, error
from tests.support.runtime import invoke

pytestmark = pytest.mark.usefixtures("quick_calls")

SAMPLED_TRACE_ID = f"{TRACE_ID};Parent=53995c3f42cd8ad8;Sampled=1"
ORDER = '{"order_id":"123","item":"Kopi Susu","qty":2}'


def post(body: Any = ORDER, **changes: Any) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Status, body and headers of the answer; asserts the rules that every answer obeys."""
    answer, metrics = invoke(handler.handle, request(body, **changes))
    status: int = answer["statusCode"]
    headers: dict[str, str] = answer["headers"]
    content: dict[str, Any] = json.loads(answer["body"])
    assert answer["isBase64Encoded"] is False
    assert answer["statusDescription"].startswith(f"{status} ")
    assert answer["body"].isascii()
    assert headers["X-Request-Id"] == metrics["request_id"] == REQUEST_ID
    assert headers["Cache-Control"] == "no-store"
    assert metrics["status"] == status
    if status == 202:
        assert headers["Content-Type"] == "application/json"
        assert (metrics["Accepted"], metrics["Rejected"], metrics["Failed"]) == (
            content["orders"],
            0,
            0,
        )
    else:
        assert headers["Content-Type"] == "application/problem+json"
        assert content["type"] == f"urn:async-ingest:problem:{metrics['problem']}"
        assert content["status"] == status
        assert content["title"]
        assert content["detail"]
        failed = int(status == 503)
        assert (metrics["Accepted"], metrics["Rejected"], metrics["Failed"]) == (
            0,
            1 - failed,
            failed,
        )
    return status, content, headers


# Accepted


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


def test_the_stamp_is_taken_once_and_before_the_send(
    sqs: FakeSqs, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(1_700_000_000_000_000, 1_700_000_000_000_100))
    monkeypatch.setattr(telemetry, "now_microseconds", lambda: next(clock))
    sent_at = []
    really_call = sqs.call

    def call(*arguments: Any) -> Any:
        sent_at.append(next(clock))
        return really_call(*arguments)

    monkeypatch.setattr(sqs, "call", call)
    post("[" + ",".join(f'{{"order_id":"{i}","item":"a"}}' for i in range(3)) + "]")

    assert int(sqs.sent[0]["MessageAttributes"]["accepted_at"]["StringValue"]) == sent_at[0] - 1


@pytest.mark.parametrize("path", ["/lambda/api", "/lambda/api/"])
def test_paths(sqs: FakeSqs, path: str) -> None:
    assert post(path=path)[0] == 202


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "application/json"},
        {"Content-Type": " Application/JSON ; Charset=UTF-8"},
        {"content-type": 'application/json;charset="utf-8"'},
        {"content-type": "application/json; charset=utf8; profile=x"},
        {"content-type": "application/vnd.shop.order+json"},
        {"content-type": "application/json;"},
        {"content-type": "application/json", "content-encoding": "identity"},
    ],
)
def test_content_types_that_are_json(sqs: FakeSqs, headers: dict[str, str]) -> None:
    assert post(headers=headers)[0] == 202


@pytest.mark.parametrize(
    ("body", "is_base64"),
    [
        ("\ufeff" + ORDER, False),
        (" \r\n\t" + ORDER + "\n", False),
        (base64.b64encode(ORDER.encode()).decode(), True),
        (base64.b64encode(b"\xef\xbb\xbf" + ORDER.encode()).decode(), True),
    ],
)
def test_bodies_that_are_the_same_order(sqs: FakeSqs, body: str, is_base64: bool) -> None:
    assert post(body, isBase64Encoded=is_base64)[0] == 202
    assert sqs.sent[0]["MessageBody"] == ORDER


def test_multi_value_headers_are_answered_in_kind(sqs: FakeSqs) -> None:
    # As the emulator does it, the single-value headers are there as well: they must not count.
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


def test_multi_value_problems_are_answered_in_kind(sqs: FakeSqs) -> None:
    event = request(httpMethod="PUT", multiValueHeaders={})
    del event["headers"]

    answer = invoke(handler.handle, event).answer

    assert answer["multiValueHeaders"]["Allow"] == ["POST"]
    assert "headers" not in answer


@pytest.mark.parametrize(
    ("given", "used"),
    [
        (TRACE_ID, TRACE_ID),
        (f"Self=1-67891234-12456789abcdef0123456780;{TRACE_ID};CalledFrom=app", TRACE_ID),
        (f"{SAMPLED_TRACE_ID};Lineage=1:a87bd80c:0", SAMPLED_TRACE_ID),
        (f"{TRACE_ID};Sampled=?", TRACE_ID),
        (f"{TRACE_ID}0", None),
        (f"x{TRACE_ID}", None),
        (f"{TRACE_ID}\r\nSet-Cookie: a=b", None),
        (f"{TRACE_ID}\n", None),
        (TRACE_ID.upper(), None),
        ("", None),
    ],
)
def test_trace_ids(sqs: FakeSqs, given: str, used: str | None) -> None:
    headers = {"content-type": "application/json", "x-amzn-trace-id": given}

    assert post(headers=headers)[2].get("X-Amzn-Trace-Id") == used

    system_attributes = sqs.sent[0].get("MessageSystemAttributes", {})
    assert system_attributes.get("AWSTraceHeader", {}).get("StringValue") == used


# Refused


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"path": "/"}, 404),
        ({"path": "/lambda/api//"}, 404),
        ({"path": "/lambda/api/x"}, 404),
        ({"path": "/lambda%2Fapi"}, 404),
        ({"path": None}, 404),
        ({"path": ["/lambda/api"]}, 404),
        ({"httpMethod": "GET"}, 405),
        ({"httpMethod": "PUT"}, 405),
        ({"httpMethod": "OPTIONS"}, 405),
        ({"httpMethod": "post"}, 405),
        ({"httpMethod": None}, 405),
        ({"headers": {}}, 415),
        ({"headers": None}, 415),
        ({"headers": {"content-type": None}}, 415),
        ({"headers": {"content-type": ""}}, 415),
        ({"headers": {"content-type": "text/plain"}}, 415),
        ({"headers": {"content-type": "text/json"}}, 415),
        ({"headers": {"content-type": "application/jsonp"}}, 415),
        ({"headers": {"content-type": "application/x+json2"}}, 415),
        ({"headers": {"content-type": "application/+json"}}, 415),
        ({"headers": {"content-type": "application/json, text/plain"}}, 415),
        ({"headers": {"content-type": "application/json; charset=latin-1"}}, 415),
        ({"headers": {"content-type": "application/json; a=b; CHARSET = utf-16"}}, 415),
        ({"headers": {"content-type": "application/json", "content-encoding": "gzip"}}, 415),
        ({"headers": {"content-type": "application/json", "Content-Type": "text/plain"}}, 415),
        ({"body": None}, 400),
        ({"body": {"order_id": "1", "item": "a"}}, 400),
        ({"isBase64Encoded": True, "body": "not base64"}, 400),
        ({"isBase64Encoded": True, "body": "e30"}, 400),
        ({"isBase64Encoded": True, "body": "e30=\n"}, 400),
        ({"isBase64Encoded": True, "body": base64.b64encode(b'{"order_id":"\xff"}').decode()}, 400),
        ({"isBase64Encoded": True, "body": "é"}, 400),
        ({"isBase64Encoded": True, "body": f"!{base64.b64encode(ORDER.encode()).decode()}"}, 400),
    ],
)
def test_requests_that_are_refused(sqs: FakeSqs, changes: dict[str, Any], status: int) -> None:
    body = changes.pop("body", ORDER)
    answer_status, _, headers = post(body, **changes)

    assert answer_status == status
    assert headers.get("Allow") == ("POST" if status == 405 else None)
    assert sqs.sent == []


def test_a_head_request_has_no_body(sqs: FakeSqs) -> None:
    answer = invoke(handler.handle, request(httpMethod="HEAD")).answer

    assert (answer["statusCode"], answer["body"]) == (405, "")


@pytest.mark.parametrize("event", [None, [], "", {}, {"headers": []}, {"multiValueHeaders": 1}])
def test_events_of_no_load_balancer(sqs: FakeSqs, event: Any) -> None:
    assert invoke(handler.handle, event).answer["statusCode"] == 404


def test_conflicting_content_types_are_refused(sqs: FakeSqs) -> None:
    headers = {"content-type": ["application/json", "application/merge-patch+json"]}

    answer = invoke(handler.handle, request(ORDER, multiValueHeaders=headers)).answer

    assert answer["statusCode"] == 415


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "{}{}",
        "nul",
        "NaN",
        '{"order_id":"1","item":"a","p":NaN}',
        '{"order_id":"1","item":"a","p":-Infinity}',
        '{"order_id":"1","item":"a","p":01}',
        '{"order_id":"1","item":"a","p":1.}',
        '{"order_id":"1","item":"a\n"}',
        "{'order_id':'1','item':'a'}",
        "[" * 200_000,
        '{"a":' * 50_000,
        '{"order_id":"1","item":"a","p":' + "[" * 100_000 + "]" * 100_000 + "}",
    ],
)
def test_bodies_that_are_not_json(sqs: FakeSqs, body: str) -> None:
    status, content, _ = post(body)

    assert (status, content["type"]) == (400, "urn:async-ingest:problem:invalid-json")
    assert "errors" not in content
    assert sqs.sent == []


def test_errors_say_which_order_and_which_attribute(sqs: FakeSqs) -> None:
    status, content, _ = post('[{"order_id":"1","item":"a"},7,{"item":"","p":1E400}]')

    assert (status, content["type"]) == (400, "urn:async-ingest:problem:invalid-order")
    assert [(e["order"], e.get("attribute")) for e in content["errors"]] == [
        (1, None),
        (2, "order_id"),
        (2, "item"),
        (2, "p"),
    ]
    assert all(e["detail"] for e in content["errors"])
    assert "order 1" in content["detail"]
    assert sqs.sent == []


def test_errors_are_few_short_and_escaped(sqs: FakeSqs) -> None:
    name = '<script>"\\\u202e' + "é" * 1000
    body = json.dumps([{name: "x" * 3000, "order_id": [], "item": 0}] * 50)

    content = post(body)[1]

    assert len(content["errors"]) == orders.MAX_FAULTS
    name_twice = f'{{"{"k" * 9999}":1,"{"k" * 9999}":2}}'
    content = post(name_twice)[1]
    assert content["errors"] == [
        {"order": 0, "attribute": "k" * 64, "detail": "appears more than once"}
    ]
    assert len(json.dumps(content)) < 1000


def test_no_more_orders_are_checked_than_errors_are_shown(
    sqs: FakeSqs, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = Mock(side_effect=orders._faults)
    monkeypatch.setattr(orders, "_faults", check)

    post(json.dumps([{}] * 10_000))

    assert check.call_count <= orders.MAX_FAULTS


@pytest.mark.parametrize("length", [-1, 0, 1])
def test_the_message_leaves_room_for_its_attributes(sqs: FakeSqs, length: int) -> None:
    limit = 262_144 - 1024
    frame = '{"order_id":"1","item":"a","x":""}'
    # Two bytes in UTF-8, six in the message: what counts is the message.
    filling = "é" * 1000 + "x" * (limit - len(frame) - 6000 + length)

    status, content, _ = post(frame.replace('""', f'"{filling}"'))

    assert status == (413 if length > 0 else 202)
    assert len(sqs.sent) == (length <= 0)
    if status == 413:
        assert f"{limit + 1} bytes" in content["detail"]
        assert str(limit) in content["detail"]


@pytest.mark.parametrize("count", [1000, 1001])
def test_one_message_has_no_more_orders_than_process_can_settle(sqs: FakeSqs, count: int) -> None:
    status, content, _ = post(json.dumps([{"order_id": f"{n}", "item": "a"} for n in range(count)]))

    assert status == (202 if count <= 1000 else 413)
    assert len(sqs.sent) == (count <= 1000)
    if status == 413:
        assert content["type"] == "urn:async-ingest:problem:too-large"
        assert "1001 orders; the limit is 1000" in content["detail"]


def test_the_reserve_holds_every_attribute_that_the_system_adds() -> None:
    attributes = {
        "accepted_at": ("Number", "9" * 16),
        "request_id": ("String", REQUEST_ID),
        "failure_reason": ("String", "x" * 256),
        "failed_at": ("Number", "9" * 16),
        "original_message_id": ("String", REQUEST_ID),
    }
    # "Amazon SQS message quotas": name, type and value count.
    assert (
        sum(len(n) + len(t) + len(v) for n, (t, v) in attributes.items()) < handler.RESERVED_BYTES
    )


# SQS in trouble


@pytest.mark.parametrize(
    "trouble",
    [
        error("ThrottlingException"),
        error("QueueDoesNotExist"),
        error("AccessDenied"),
        error("InternalFailure"),
        aws.CallError("ConnectTimeout"),
        aws.CallError("ReadTimeout"),
        ValueError("secret"),
    ],
    ids=repr,
)
def test_without_confirmation_the_answer_is_503(
    sqs: FakeSqs, trouble: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    sqs.troubles = [trouble]

    status, content, headers = post()

    assert (status, headers["Retry-After"]) == (503, "5")
    (entry,) = caplog.records
    assert entry.levelno == logging.ERROR
    assert entry.__dict__["request_id"] == REQUEST_ID
    assert "secret" not in caplog.text + str(entry.__dict__) + str(content)


@pytest.mark.parametrize(
    "answer", [{}, {"MessageId": "1"}, {"MessageId": "1", "MD5OfMessageBody": "0" * 32}, None, []]
)
def test_a_nonsensical_confirmation_is_none(sqs: FakeSqs, answer: Any) -> None:
    sqs.answers = [answer]

    assert post()[0] == 503


def test_a_confirmation_without_an_id_is_none(
    sqs: FakeSqs, monkeypatch: pytest.MonkeyPatch
) -> None:
    right_answer = sqs.right_answer
    monkeypatch.setattr(sqs, "right_answer", lambda m: {**right_answer(m), "MessageId": ""})

    assert post()[0] == 503


def test_a_bug_is_a_503_and_logs_no_order(
    sqs: FakeSqs, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def read(text: str, _: object) -> None:
        raise KeyError(text)

    monkeypatch.setattr(orders, "read", read)

    assert post()[0] == 503
    (entry,) = caplog.records
    assert entry.__dict__["error"] == "KeyError"
    assert entry.__dict__["at"].startswith("read:")
    assert "Kopi" not in caplog.text + str(entry.__dict__)


@contextlib.contextmanager
def server(reply: Callable[[socket.socket], None]) -> Iterator[str]:
    """An HTTP server at whose connections ``reply`` does what it wants; gives its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection, contextlib.suppress(OSError):
                        connection.recv(65536)
                        reply(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(timeout=10)


def send(reply: str) -> Callable[[socket.socket], None]:
    return lambda connection: connection.sendall(reply.encode())


def answer_with(status: str, body: str) -> Callable[[socket.socket], None]:
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/x-amz-json-1.0\r\nConnection: close\r\n"
    return send(f"{head}Content-Length: {len(body)}\r\n\r\n{body}")


def wait_for_the_client(connection: socket.socket) -> None:
    connection.settimeout(10)
    connection.recv(1)  # nothing more comes, until it gives up


REPLIES: dict[str, Callable[[socket.socket], None]] = {
    "reset": lambda connection: None,
    "silence": wait_for_the_client,
    "half an answer": send("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"),
    "not HTTP": send("220 mail\r\n\r\n"),
    "500": answer_with("500 Internal Server Error", "<html>"),
    "throttled": answer_with("400 Bad Request", '{"__type":"com.amazonaws.sqs#RequestThrottled"}'),
    "not JSON": answer_with("200 OK", "<html>"),
    "a list": answer_with("200 OK", "[]"),
    "null": answer_with("200 OK", "null"),
    "nothing": answer_with("200 OK", ""),
}


@pytest.mark.parametrize("reply", REPLIES)
def test_whatever_sqs_does_the_answer_is_503(monkeypatch: pytest.MonkeyPatch, reply: str) -> None:
    with server(REPLIES[reply]) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        monkeypatch.setattr(handler.QUEUE, "_client", aws.client("sqs", "us-east-1", 0.3))

        assert post()[0] == 503


def test_the_answer_comes_in_time(sqs: FakeSqs, monkeypatch: pytest.MonkeyPatch) -> None:
    deadlines: list[aws.Deadline] = []
    really_call = sqs.call

    def call(operation: str, parameters: str, deadline: aws.Deadline) -> Any:
        deadlines.append(deadline)
        return really_call(operation, parameters, deadline)

    monkeypatch.setattr(sqs, "call", call)
    handler.handle(request(ORDER), Context(lambda: 10_000))

    assert deadlines[0].remaining() == 9.5


def test_a_real_queue_takes_the_message(emulator: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_the_invocations_own_trace_is_the_messages(
    sqs: FakeSqs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes with the call, as SDKs send it; the load balancer's would cut the trace in two."""
    monkeypatch.setenv("_X_AMZN_TRACE_ID", SAMPLED_TRACE_ID)
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "function")

    headers = post(headers={"content-type": "application/json", "x-amzn-trace-id": TRACE_ID})[2]

    assert "MessageSystemAttributes" not in sqs.sent[0]
    assert headers["X-Amzn-Trace-Id"] == TRACE_ID


def test_health_checks_are_counted_apart(sqs: FakeSqs) -> None:
    headers = {"user-agent": "ELB-HealthChecker/2.0"}

    invocation = invoke(handler.handle, request(None, httpMethod="GET", headers=headers))

    assert invocation.answer["statusCode"] == 405
    counts = {name: invocation.metrics.get(name) for name in ("HealthChecks", "Rejected", "Failed")}
    assert counts == {"HealthChecks": 1, "Rejected": 0, "Failed": 0}


def test_what_cannot_become_small_enough_is_not_parsed(
    sqs: FakeSqs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders, "read", Mock(side_effect=AssertionError))

    status, content, _ = post(f'{{"order_id":"1","item":"a","n":[{"1," * 200_000}1]}}')

    assert status == 413
    assert "at least" in content["detail"]


def test_the_clients_request_id_is_not_used(sqs: FakeSqs) -> None:
    headers = {"content-type": "application/json", "x-request-id": "theirs"}

    assert post(headers=headers)[2]["X-Request-Id"] == Context.aws_request_id
