"""Ingest: how many orders a request may have, and how large it may be."""

import base64
import json
from typing import Any

import pytest

from ingest import handler
from local.engines import Engine, client
from local.events import REQUEST_ID, record
from process import handler as process_handler
from shared import orders
from shared.queues import Queue
from tests.support import child, engines
from tests.support.fakes import FakeSqs
from tests.support.ingest import post
from tests.support.process import failures, process

pytestmark = pytest.mark.usefixtures("quick_calls")

LIMIT = handler.MAX_BODY_BYTES
FRAME = '{"order_id":"1","item":"a","x":""}'


@pytest.mark.parametrize("count", [1000, 1001])
def test_a_request_has_at_most_the_orders_that_process_can_settle(sqs: FakeSqs, count: int) -> None:
    status, content, _ = post(json.dumps([{"order_id": f"{n}", "item": "a"} for n in range(count)]))

    assert status == (202 if count <= 1000 else 413)
    assert len(sqs.sent) == (count <= 1000)
    if status == 413:
        assert content["type"] == "urn:async-ingest:problem:too-large"
        assert "1001 orders; the limit is 1000" in content["detail"]


@pytest.mark.parametrize("length", [-1, 0, 1])
def test_the_message_leaves_room_for_its_attributes(sqs: FakeSqs, length: int) -> None:
    limit = 262_144 - 1024
    frame = '{"order_id":"1","item":"a","x":""}'
    # Two bytes in UTF-8, but six in the message, which is what counts.
    filling = "é" * 1000 + "x" * (limit - len(frame) - 6000 + length)

    status, content, _ = post(frame.replace('""', f'"{filling}"'))

    assert status == (413 if length > 0 else 202)
    assert len(sqs.sent) == (length <= 0)
    if status == 413:
        assert f"{limit + 1} bytes" in content["detail"]
        assert str(limit) in content["detail"]


def test_the_reserved_bytes_hold_every_added_attribute() -> None:
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


@pytest.mark.parametrize("size", [4096, 262_144, 1_048_576])
def test_the_limit_is_that_of_the_queue_but_for_the_attributes(size: int) -> None:
    script = "from ingest import handler; print(handler.MAX_BODY_BYTES)"

    assert child.run(script, MAX_MESSAGE_BYTES=str(size)).stdout.strip() == str(size - 1024)


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("implementation", ["builtin", "botocore"])
def test_a_queue_of_1_mib_takes_the_largest_message_and_its_dead_letter(
    emulator: Engine, implementation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = 1_048_576 - handler.RESERVED_BYTES
    monkeypatch.setattr(handler, "MAX_BODY_BYTES", limit)
    sqs = client(emulator.endpoint_url, "sqs")
    url = sqs.create_queue(
        QueueName=f"large-{implementation}", Attributes={"MaximumMessageSize": "1048576"}
    )["QueueUrl"]
    queue = Queue(engines.functions_client(emulator, "sqs", implementation), url)
    monkeypatch.setattr(handler, "QUEUE", queue)
    monkeypatch.setattr(process_handler, "DEAD_LETTER_QUEUE", queue)
    order = '{"order_id":"%d","item":"a","x":"%s"}'
    filled = [order % (number, "x" * 349_000) for number in range(2)]
    rest = limit - len(f"[{','.join([*filled, order % (2, '')])}]")
    large = f"[{','.join([*filled, order % (2, 'x' * rest)])}]"

    assert post(large.replace("x", "xx", 1))[0] == 413
    assert post(large)[0] == 202
    (message,) = sqs.receive_message(QueueUrl=url, AttributeNames=["All"])["Messages"]
    assert message["Body"] == large
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    # The copy of a permanent failure has more attributes.
    bad = large.replace("[", "x", 1)
    assert failures(process(record(bad, attributes=message["Attributes"]))) == []
    (dead,) = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"]
    assert dead["Body"] == bad
    assert "failure_reason" in dead["MessageAttributes"]


@pytest.fixture
def never_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*_: Any) -> orders.Document:
        raise AssertionError("what is too large was parsed")

    monkeypatch.setattr(orders, "read", read)


def of_length(length: int) -> str:
    """Returns an order of so many bytes."""
    return FRAME.replace('""', f'"{"x" * (length - len(FRAME))}"')


@pytest.mark.usefixtures("never_parsed")
@pytest.mark.parametrize(
    "body",
    [of_length(LIMIT + 1), "x" * (LIMIT + 1), "[" * 1_000_000, "1" * 1_000_000],
    ids=["an order", "no JSON", "brackets", "digits"],
)
@pytest.mark.parametrize("is_base64", [False, True])
def test_a_body_that_cannot_fit_is_refused_unparsed(
    sqs: FakeSqs, body: str, is_base64: bool
) -> None:
    sent = base64.b64encode(body.encode()).decode() if is_base64 else body

    status, problem, _ = post(sent, isBase64Encoded=is_base64)

    assert (status, problem["type"]) == (413, "urn:async-ingest:problem:too-large")
    assert f"at least {len(body)} bytes; the limit is {LIMIT}" in problem["detail"]
    assert sqs.sent == []


@pytest.mark.parametrize(
    "body",
    [
        " " * 700_000 + of_length(LIMIT),
        of_length(LIMIT).replace(",", ",\r\n\t" + " " * 200_000),
        "\ufeff" + of_length(LIMIT),
        of_length(LIMIT).replace("xx", "\\u0078x"),
        of_length(LIMIT).replace("x" * 100, "\\/" * 100),
    ],
    ids=["white space", "white space between", "byte order mark", "escapes", "slashes"],
)
def test_a_body_that_shrinks_to_the_limit_is_accepted(sqs: FakeSqs, body: str) -> None:
    assert post(body)[0] == 202
    assert len(sqs.sent[0]["MessageBody"]) == LIMIT


def test_a_body_that_grows_beyond_the_limit_is_refused_with_its_size(sqs: FakeSqs) -> None:
    body = of_length(LIMIT).replace("x" * 10, "é" * 10, 1)

    status, problem, _ = post(body)

    assert status == 413
    assert f"the orders take {LIMIT + 50} bytes" in problem["detail"]
    assert sqs.sent == []
