"""A batch always settles: time is looked at, and trouble stays where it belongs."""

from typing import Any

import pytest

from local.events import Context, record
from process import handler, reader
from process.messages import Entry, Message, Outcome
from shared.aws import Deadline
from tests.support.fakes import FakeDynamoDB, FakeSqs
from tests.support.runtime import Invocation, invoke

LARGE = "x" * (reader.MAX_GROUP_BYTES // 2)  # with it, a message is a group of its own


@pytest.fixture(autouse=True)
def _no_aws(sqs: FakeSqs, dynamodb: FakeDynamoDB) -> None:
    """Every test has both."""


def orders(count: int, **attributes: Any) -> list[Any]:
    """Messages of an order each, whose ids are 0, 1, 2, …"""
    ids = [str(number) for number in range(count)]
    return [record({"order_id": one, "item": "Kopi", **attributes}, one) for one in ids]


def process(records: list[Any], context: Context | None = None) -> tuple[Invocation, list[str]]:
    """The invocation, and the ids that it reports."""
    invocation = invoke(handler.handle, {"Records": records}, context)
    failures = invocation.answer["batchItemFailures"]
    return invocation, [failure["itemIdentifier"] for failure in failures]


# Time


class Clock:
    """Time that only passes when something is done; it can be a context's."""

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
def test_time_is_looked_at_between_messages(
    reading_takes_a_second: Clock, dynamodb: FakeDynamoDB, size: str
) -> None:
    """Of one group, and of several."""
    clock = reading_takes_a_second
    records = orders(12, x=LARGE) if size == "large" else orders(12)

    invocation, failed = process(records, clock.context)

    # The last one is begun with 3 s left.
    assert handler.MARGIN_SECONDS + reader.MIN_SECONDS == 3
    assert failed == [str(number) for number in range(8, 12)]
    assert invocation.metrics["Written"] == len(dynamodb.table) == 8


@pytest.mark.parametrize(("seconds", "written"), [(2.999, 0), (3.0, 1)])
def test_no_message_is_begun_in_too_little_time(
    dynamodb: FakeDynamoDB, sqs: FakeSqs, seconds: float, written: int
) -> None:
    failed = process([*orders(1), record("not JSON", "bad")], Clock(seconds).context)[1]

    assert failed == ([] if written else ["0", "bad"])
    assert len(dynamodb.calls) == len(sqs.sent) == written


# Trouble


@pytest.fixture
def writing_fails_for(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Whenever one of these orders is written, there is an exception that nobody has expected."""
    fatal: set[str] = set()

    def write(entries: list[Entry], deadline: Deadline) -> list[Outcome]:
        for entry in entries:
            if entry.key[0] in fatal:
                raise KeyError(f"secret {entry}")
        return really_write(entries, deadline)

    really_write = handler.WRITER.write
    monkeypatch.setattr(handler.WRITER, "write", write)
    return fatal


def test_an_unexpected_exception_leaves_other_groups_alone(
    writing_fails_for: set[str], dynamodb: FakeDynamoDB, caplog: pytest.LogCaptureFixture
) -> None:
    writing_fails_for.add("1")

    invocation, failed = process(orders(3, x=LARGE))

    assert failed == ["1"]
    assert invocation.metrics["Written"] == 2
    assert {key[0] for key in dynamodb.table} == {"0", "2"}
    (entry,) = caplog.records
    assert (entry.__dict__["error"], entry.message) == ("KeyError", "Unexpected exception")
    assert "secret" not in caplog.text + str(entry.__dict__)


def test_of_its_own_group_it_reports_each_message_once(
    writing_fails_for: set[str], dynamodb: FakeDynamoDB, sqs: FakeSqs
) -> None:
    writing_fails_for.add("0")
    malformed = record("{}", "malformed") | {"messageAttributes": None, "body": None}

    invocation, failed = process([*orders(2), malformed, *orders(2)])

    assert sorted(failed) == ["0", "1", "malformed"]
    assert invocation.metrics["Written"] == 0
    assert (dynamodb.calls, sqs.sent) == ([], [])


@pytest.mark.parametrize("changes", [{"attributes": None}, {"attributes": {}}, {"attributes": []}])
def test_a_permanent_failure_that_cannot_be_copied_is_reported_alone(
    sqs: FakeSqs, changes: dict[str, Any]
) -> None:
    strange = record("not JSON", "strange") | changes | {"messageAttributes": None}

    invocation, failed = process([strange, *orders(2)])

    assert failed == ["strange"]
    assert invocation.metrics["Written"] == 2
    assert sqs.sent == []


def test_a_group_is_written_before_the_next_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or the groups of a large batch would be in memory together; see test_memory."""
    order_of_events: list[str] = []
    really_read, really_write = reader.read, handler.WRITER.write

    def read(message: Any, schema: Any) -> Message:
        order_of_events.append(f"read {message['messageId']}")
        return really_read(message, schema)

    def write(entries: list[Entry], deadline: Deadline) -> list[Outcome]:
        order_of_events.append(f"write {entries[0].key[0]}")
        return really_write(entries, deadline)

    monkeypatch.setattr(reader, "read", read)
    monkeypatch.setattr(handler.WRITER, "write", write)

    process(orders(3, x=LARGE))

    assert order_of_events == ["read 0", "write 0", "read 1", "write 1", "read 2", "write 2"]
