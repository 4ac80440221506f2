"""Process: what becomes of a message, and what an invocation reports."""

import json
from typing import Any

import pytest

from local.events import Context, record
from process import handler, reader
from process.messages import Entry, Message, Outcome
from shared import telemetry
from shared.aws import Deadline
from tests.support.fakes import FakeDynamoDB, FakeSqs, error
from tests.support.process import counts, failures, order, process
from tests.support.runtime import one_line_of_metrics

pytestmark = pytest.mark.usefixtures("quick_calls")


@pytest.fixture(autouse=True)
def _no_aws(sqs: FakeSqs, dynamodb: FakeDynamoDB) -> None:
    """All tests use both fakes."""


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
        "accepted_at": {"N": "7"},
    }
    assert dynamodb.table["3", "Kopi"]["accepted_at"] == {"N": "8"}


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
        record(order("2"), "2", 6_000_000),  # by another machine's clock
        record(order("1"), "3", 1),  # superseded, so it has no age
    )

    assert invocation.metrics["Age"] == [2000, 0]


def test_a_hundred_of_many_ages_are_kept_including_the_greatest() -> None:
    assert telemetry.thin_out([]) == []
    assert telemetry.thin_out(list(range(100))) == list(range(99, -1, -1))
    thin = telemetry.thin_out(list(range(1001)))
    assert len(thin) <= 100
    assert (thin[0], thin[-1]) == (1000, 10)


# Failures


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
    # Another delivery writes what is missing, and leaves alone what is there.
    again = process(record([order("2"), order("3")], "b"))
    assert counts(again) == (1, 1, 0, 0)


def test_a_message_with_transient_and_permanent_failures_is_reported(
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
        del lacking["attributes"]  # each of the two makes up for the other

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
    ids=["none", "empty", "no records", "no record", "one without an id", "one with the id null"],
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


@pytest.fixture
def writing_fails_for(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Orders whose writing raises an unexpected exception."""
    fatal: set[str] = set()

    def write(entries: list[Entry], deadline: Deadline) -> list[Outcome]:
        for entry in entries:
            if entry.key[0] in fatal:
                raise KeyError(f"secret {entry}")
        return really_write(entries, deadline)

    really_write = handler.WRITER.write
    monkeypatch.setattr(handler.WRITER, "write", write)
    return fatal


def test_an_unexpected_exception_fails_only_its_group(
    writing_fails_for: set[str], dynamodb: FakeDynamoDB, caplog: pytest.LogCaptureFixture
) -> None:
    writing_fails_for.add("1")

    invocation = process(*messages(3, x=LARGE))

    assert failures(invocation) == ["1"]
    assert invocation.metrics["Written"] == 2
    assert {key[0] for key in dynamodb.table} == {"0", "2"}
    (entry,) = caplog.records
    assert (entry.__dict__["error"], entry.message) == ("KeyError", "Unexpected exception")
    assert "secret" not in caplog.text + str(entry.__dict__)


def test_an_unexpected_exception_reports_each_message_of_its_group_once(
    writing_fails_for: set[str], dynamodb: FakeDynamoDB, sqs: FakeSqs
) -> None:
    writing_fails_for.add("0")
    malformed = record("{}", "malformed") | {"messageAttributes": None, "body": None}

    invocation = process(*messages(2), malformed, *messages(2))

    assert sorted(failures(invocation)) == ["0", "1", "malformed"]
    assert invocation.metrics["Written"] == 0
    assert (dynamodb.calls, sqs.sent) == ([], [])


def test_no_log_contains_an_order(
    dynamodb: FakeDynamoDB, sqs: FakeSqs, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    dynamodb.refuses = lambda item: "bad" in item
    sqs.troubles = [error("ThrottlingException")]

    invocation = process(
        record(order("secret", bad="secret"), "a"),
        record(order(qty="secret", item=""), "b"),
        record(order("secret"), "c"),
        record("secret", "d"),
    )

    logged = [entry.__dict__ for entry in caplog.records]
    assert [entry["message_id"] for entry in logged if "message_id" in entry] == ["a", "b", "d"]
    assert "secret" not in json.dumps(invocation.metrics) + str(logged)


# Time and memory

LARGE = "x" * (reader.MAX_GROUP_BYTES // 2)  # with it, a message is a group of its own


def messages(count: int, **attributes: Any) -> list[Any]:
    """Returns messages of one order each, with the ids 0, 1, 2, …"""
    ids = [str(number) for number in range(count)]
    return [record({"order_id": one, "item": "Kopi", **attributes}, one) for one in ids]


class Clock:
    """Time that passes only when a test spends it, and a context that tells it."""

    def __init__(self, seconds: float) -> None:
        self.left = seconds
        self.context = Context(lambda: round(self.left * 1000))

    def spend(self, seconds: float) -> None:
        self.left -= seconds


@pytest.fixture
def reading_takes_a_second(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock(10)

    def read(*arguments: Any) -> Message:
        clock.spend(1)
        return really_read(*arguments)

    really_read = reader.read
    monkeypatch.setattr(reader, "read", read)
    return clock


@pytest.mark.parametrize("size", ["small", "large"])
def test_time_is_checked_before_each_message(
    reading_takes_a_second: Clock, dynamodb: FakeDynamoDB, size: str
) -> None:
    clock = reading_takes_a_second
    records = messages(12, x=LARGE) if size == "large" else messages(12)

    invocation = process(*records, context=clock.context)

    # The last message is read with 3 s left.
    assert handler.MARGIN_SECONDS + reader.MIN_SECONDS == 3
    assert failures(invocation) == [str(number) for number in range(8, 12)]
    assert invocation.metrics["Written"] == len(dynamodb.table) == 8


@pytest.mark.parametrize(("seconds", "written"), [(2.999, 0), (3.0, 1)])
def test_no_message_is_read_with_too_little_time_left(
    dynamodb: FakeDynamoDB, sqs: FakeSqs, seconds: float, written: int
) -> None:
    records = [*messages(1), record("not JSON", "bad")]

    invocation = process(*records, context=Clock(seconds).context)

    assert failures(invocation) == ([] if written else ["0", "bad"])
    assert len(dynamodb.calls) == len(sqs.sent) == written


@pytest.mark.parametrize(("size", "needed"), [(1, 3), (2, 4.5), (4, 7.5)])
def test_a_larger_message_is_read_only_with_more_time_left(
    sqs: FakeSqs, size: int, needed: float
) -> None:
    """Of so many times 256 KiB; 1 MiB is the largest."""
    records = [record("x" * size * reader.MAX_GROUP_BYTES, "large"), record("x", "small")]

    assert failures(process(*records, context=Clock(needed - 0.001).context)) == (
        ["large"] if size > 1 else ["large", "small"]
    )
    assert failures(process(*records, context=Clock(needed).context)) == []


def test_a_group_is_written_before_the_next_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise all groups of a large batch would be in memory at once; see test_memory."""
    order_of_events: list[str] = []
    really_read, really_write = reader.read, handler.WRITER.write

    def read(message: Any, *more: Any) -> Message:
        order_of_events.append(f"read {message['messageId']}")
        return really_read(message, *more)

    def write(entries: list[Entry], deadline: Deadline) -> list[Outcome]:
        order_of_events.append(f"write {entries[0].key[0]}")
        return really_write(entries, deadline)

    monkeypatch.setattr(reader, "read", read)
    monkeypatch.setattr(handler.WRITER, "write", write)

    process(*messages(3, x=LARGE))

    assert order_of_events == ["read 0", "write 0", "read 1", "write 1", "read 2", "write 2"]
