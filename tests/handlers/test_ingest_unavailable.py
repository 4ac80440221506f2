"""Ingest when SQS fails: 503 unless SQS has confirmed, and in time."""

import logging
from typing import Any

import pytest

from ingest import handler
from local.events import REQUEST_ID, Context, request
from shared import aws, orders
from tests.support import clients
from tests.support.fakes import FakeSqs, error
from tests.support.ingest import ORDER, post
from tests.support.scripted_server import (
    Behavior,
    ScriptedServer,
    answer,
    reset,
    send_and_close,
    silence,
)
from tests.support.scripted_server import error as server_error

pytestmark = pytest.mark.usefixtures("quick_calls")


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
    "answer",
    [{}, {"MessageId": "1"}, {"MessageId": "1", "MD5OfMessageBody": "0" * 32}, None, []],
    ids=str,
)
def test_an_invalid_confirmation_is_answered_503(sqs: FakeSqs, answer: Any) -> None:
    sqs.answers = [answer]

    assert post()[0] == 503


def test_a_confirmation_without_an_id_is_answered_503(
    sqs: FakeSqs, monkeypatch: pytest.MonkeyPatch
) -> None:
    right_answer = sqs.right_answer
    monkeypatch.setattr(sqs, "right_answer", lambda m: {**right_answer(m), "MessageId": ""})

    assert post()[0] == 503


def test_a_bug_is_answered_503_and_logs_no_order(
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


REPLIES: dict[str, Behavior] = {
    "reset": reset(),
    "silence": silence(),
    "half an answer": send_and_close(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"),
    "not HTTP": send_and_close(b"220 mail\r\n\r\n"),
    "500": answer(500, b"<html>"),
    "throttled": server_error(400, "com.amazonaws.sqs#RequestThrottled"),
    "not JSON": answer(body=b"<html>"),
    "a list": answer(body=b"[]"),
    "null": answer(body=b"null"),
    "nothing": answer(body=b""),
}


@pytest.mark.parametrize("reply", REPLIES)
def test_a_failing_server_is_answered_503(monkeypatch: pytest.MonkeyPatch, reply: str) -> None:
    with ScriptedServer(usual=REPLIES[reply]) as server:
        monkeypatch.setattr(handler.QUEUE, "_client", clients.builtin(server.url, "sqs", 0.3))

        assert post()[0] == 503
        assert server.requests


def test_sending_ends_half_a_second_before_the_timeout(
    sqs: FakeSqs, monkeypatch: pytest.MonkeyPatch
) -> None:
    deadlines: list[aws.Deadline] = []
    really_call = sqs.call

    def call(operation: str, parameters: str, deadline: aws.Deadline) -> Any:
        deadlines.append(deadline)
        return really_call(operation, parameters, deadline)

    monkeypatch.setattr(sqs, "call", call)
    handler.handle(request(ORDER), Context(lambda: 10_000))

    assert deadlines[0].remaining() == 9.5
