"""accepted_at: which clock counts, and what a dead letter keeps of it."""

from typing import Any

import pytest

from local.events import attribute, received, record
from shared import telemetry
from tests.support.fakes import FakeDynamoDB, FakeSqs
from tests.support.ingest import post
from tests.support.process import failures, order, process

SENT_MS = 1_700_000_000_000
SENT = SENT_MS * 1000
FIVE_MINUTES = 300_000_000
WITHOUT_ACCEPTED_AT: dict[str, Any] = {"messageAttributes": {}}


@pytest.fixture(autouse=True)
def _no_aws(sqs: FakeSqs, dynamodb: FakeDynamoDB) -> None:
    """All tests use both fakes."""


def process_one(body: Any, accepted_at: int | None = 1, **changes: Any) -> None:
    assert failures(process(record(body, "m", accepted_at, **changes))) == []


def delivered(copy: dict[str, Any], sent_ms: int) -> Any:
    """Returns the record of a message that we sent."""
    return record(copy["MessageBody"], "again", None) | {
        "messageAttributes": received(copy["MessageAttributes"]),
        "attributes": {"SentTimestamp": str(sent_ms)},
    }


def test_accepted_at_is_taken_once_and_before_sending(
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


@pytest.mark.parametrize(
    ("attribute", "accepted_at"),
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
    ids=str,
)
def test_accepted_at_is_the_messages_own_or_else_its_sending_time(
    dynamodb: FakeDynamoDB, attribute: Any, accepted_at: int
) -> None:
    attributes = {} if attribute is None else {"accepted_at": attribute}

    process(record(order(), messageAttributes=attributes))

    assert dynamodb.table["1", "Kopi"]["accepted_at"] == {"N": str(accepted_at)}


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (1, 1),
        (SENT, SENT),
        (SENT + FIVE_MINUTES, SENT + FIVE_MINUTES),
        (SENT + FIVE_MINUTES + 1, SENT + FIVE_MINUTES),
        (9_999_999_999_999_999, SENT + FIVE_MINUTES),
    ],
    ids=["long ago", "as sent", "5 min", "5 min and 1 µs", "the year 2286"],
)
def test_accepted_at_is_at_most_five_minutes_after_sending(
    dynamodb: FakeDynamoDB, given: int, kept: int
) -> None:
    process_one(order(), given)

    assert dynamodb.table["1", "Kopi"]["accepted_at"] == {"N": str(kept)}


def test_an_order_from_the_future_does_not_block_later_ones(dynamodb: FakeDynamoDB) -> None:
    process_one(order(n="future"), 9_999_999_999_999_999)

    an_hour_later = {"SentTimestamp": str(SENT_MS + 3_600_000)}
    process_one(order(n="later"), SENT + 3_600_000_000, attributes=an_hour_later)

    assert dynamodb.table["1", "Kopi"]["n"] == {"S": "later"}


def test_a_dead_letter_has_accepted_at_even_if_its_message_has_not(
    sqs: FakeSqs,
) -> None:
    process_one("not JSON", **WITHOUT_ACCEPTED_AT)

    accepted_at = sqs.sent[0]["MessageAttributes"]["accepted_at"]
    assert accepted_at == {"DataType": "Number", "StringValue": str(SENT)}


def test_a_redriven_order_does_not_become_newer(sqs: FakeSqs, dynamodb: FakeDynamoDB) -> None:
    dynamodb.refuses = lambda item: item["n"] == {"S": "old"}
    process_one(order(n="old"), **WITHOUT_ACCEPTED_AT)
    process_one(order(n="new"), SENT + 1)
    dynamodb.refuses = lambda _: False

    redriven = delivered(sqs.sent[0], SENT_MS + 3_600_000)
    assert process(redriven).metrics["Superseded"] == 1

    assert dynamodb.table["1", "Kopi"]["n"] == {"S": "new"}


@pytest.mark.parametrize(
    ("given", "believed"),
    [
        (str(SENT - 1), SENT - 1),
        ("9" * 16, SENT + FIVE_MINUTES),
        ("not a number", SENT),
        ("", SENT),
    ],
)
def test_a_dead_letter_keeps_the_accepted_at_that_counted(
    sqs: FakeSqs, given: str, believed: int
) -> None:
    """Determined anew after a redrive, from a later sending time, it would be newer."""
    attributes = {"accepted_at": attribute(given)}

    process_one("not JSON", messageAttributes=attributes)

    accepted_at = sqs.sent[0]["MessageAttributes"]["accepted_at"]
    assert accepted_at == {"DataType": "Number", "StringValue": str(believed)}
