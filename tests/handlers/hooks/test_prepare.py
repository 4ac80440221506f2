"""``prepare`` in process: before the newest is chosen, and never at the neighbours' expense."""

import json
import logging
from typing import Any

import pytest

from local.events import Context, attribute, record
from process import handler, reader
from shared.aws import Deadline
from tests.support.fakes import FakeDynamoDB, FakeSqs
from tests.support.hooks import Hooks
from tests.support.process import counts, failures, order, process
from tests.support.versions import NUMBER, set_versions

SECRET = "4711-secret"
ATTRIBUTE = "if 'bad' in order: "


def message(number: int, **attributes: Any) -> Any:
    body = order(str(number)) | attributes
    return record(body, str(number), accepted_at=number)


def test_what_it_returns_is_written(dynamodb: FakeDynamoDB, hooks: Hooks) -> None:
    source = "def prepare(order): return {**order, 'total': order['qty'] * order['price']}"
    hooks.use("prepare", source)

    invocation = process(record('{"order_id":"1","item":"Kopi","qty":3,"price":1.10}'))

    assert counts(invocation) == (1, 0, 0, 0)
    assert dynamodb.table["1", "Kopi"]["total"] == {"N": "3.30"}
    assert len(invocation.metrics["HookDuration"]) == 1


def test_the_newest_is_chosen_by_the_keys_that_it_returns(
    dynamodb: FakeDynamoDB, hooks: Hooks
) -> None:
    source = "def prepare(order): return {**order, 'order_id': order['order_id'].strip()}"
    hooks.use("prepare", source)

    invocation = process(message(1, order_id="7 "), message(2, order_id=" 7"))

    assert counts(invocation) == (1, 1, 0, 0)
    assert dynamodb.table["7", "Kopi"]["accepted_at"] == {"N": "2"}


def test_it_runs_at_each_delivery(dynamodb: FakeDynamoDB, hooks: Hooks) -> None:
    dynamodb.plan = lambda _: "InternalServerError"
    source = """
        calls = []
        def prepare(order):
            calls.append(1)
            return {**order, "calls": len(calls)}
    """
    hooks.use("prepare", source)
    assert failures(process(message(1))) == ["1"]
    dynamodb.plan = lambda _: "ok"

    process(message(1))

    assert dynamodb.table["1", "Kopi"]["calls"] == {"N": "2"}


def test_without_prepare_in_the_package_orders_are_written_as_sent(
    dynamodb: FakeDynamoDB, hooks: Hooks
) -> None:
    hooks.use("prepare", "def accept(order, request): return None")

    assert counts(process(message(1))) == (1, 0, 0, 0)


@pytest.mark.usefixtures("sqs")
@pytest.mark.parametrize(
    ("sent", "outcome"), [({"revision": 2}, (0, 0, 0, 1)), ({}, (1, 0, 0, 0))], ids=["new", "old"]
)
def test_it_must_not_remove_the_version_of_an_order_that_ingest_accepted(
    dynamodb: FakeDynamoDB,
    hooks: Hooks,
    monkeypatch: pytest.MonkeyPatch,
    sent: dict[str, Any],
    outcome: tuple[int, ...],
) -> None:
    """One from before the option has none, and is written all the same."""
    set_versions(monkeypatch, NUMBER, dynamodb)
    hooks.use("prepare", "def prepare(order): order.pop('revision', None); return order")
    accepted = message(1, **sent)
    accepted["messageAttributes"]["request_id"] = attribute("r")

    assert counts(process(accepted)) == outcome


REFUSALS = {
    "refused": ("raise Refused(f'has {order[\"bad\"]}', 'bad')", f'order 0: "bad" has {SECRET}'),
    "a key removed": ("del order['item']", 'order 0: "item" is missing: it is a key, after '),
    "too large": ("order['x'] = 'x' * 410_000", "order 0: is an item of 41"),
    "reserved": ("order['accepted_at'] = 1", 'order 0: "accepted_at" is reserved'),
    "not ASCII": ("raise Refused('größer\\n\\0')", "order 0: gr\\xf6\\xdfer"),
    "long": ("raise Refused('é' * 999)", "order 0: " + "\\xe9" * 61 + "\\xe"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_is_dead_lettered_and_its_neighbours_are_written(
    dynamodb: FakeDynamoDB,
    sqs: FakeSqs,
    hooks: Hooks,
    name: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    change, reason = REFUSALS[name]
    source = (
        "from async_ingest_hooks import Refused\n"
        f"def prepare(order):\n    {ATTRIBUTE}{change}\n    return order\n"
    )
    hooks.use("prepare", source)

    invocation = process(message(1), message(2, bad=SECRET), message(3))

    assert counts(invocation) == (2, 0, 0, 1)
    (dead,) = sqs.sent
    attributes = dead["MessageAttributes"]
    assert attributes["failure_reason"]["StringValue"].startswith(reason)
    assert attributes["failure_reason"]["StringValue"].isascii()
    assert json.loads(dead["MessageBody"])["bad"] == SECRET
    (entry,) = caplog.records
    assert SECRET not in str(entry.__dict__)
    assert "order 0" in entry.__dict__["reason"]


FAILURES = {
    "exception": ("raise ValueError(order)", "ValueError"),
    "exit": ("raise SystemExit(order)", "SystemExit"),
    "None": ("return None", "NotAnOrder"),
    "a loop": ("any(False for _ in iter(int, 1))", "HookTimeout"),
    "recursion": ("return prepare(order)", "RecursionError"),
    "memory": ("raise MemoryError", "MemoryError"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_is_transient_and_its_neighbours_are_written(
    dynamodb: FakeDynamoDB,
    sqs: FakeSqs,
    hooks: Hooks,
    name: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    change, error = FAILURES[name]
    source = f"def prepare(order):\n    {ATTRIBUTE}{change}\n    return order\n"
    hook = hooks.use("prepare", source, timeout_seconds=0.1)

    invocation = process(message(1), message(2, bad=SECRET), message(3))

    assert (counts(invocation), failures(invocation)) == ((2, 0, 1, 0), ["2"])
    assert not sqs.sent
    (entry,) = caplog.records
    assert entry.levelno == logging.ERROR
    logged = entry.__dict__
    assert (logged["message_id"], logged["hook"], logged["error"]) == ("2", str(hook), error)
    assert SECRET not in caplog.text + str(logged)


def test_a_package_that_cannot_be_imported_makes_every_message_wait(
    dynamodb: FakeDynamoDB, sqs: FakeSqs, hooks: Hooks, caplog: pytest.LogCaptureFixture
) -> None:
    hook = hooks.use("prepare", "import nowhere")

    invocation = process(message(1), message(2))

    assert counts(invocation) == (0, 0, 2, 0)
    assert not sqs.sent
    assert {entry.__dict__["hook"] for entry in caplog.records} == {str(hook)}
    assert "HookDuration" not in invocation.metrics


def test_slow_hooks_leave_a_group_half_of_the_time(
    dynamodb: FakeDynamoDB, hooks: Hooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 10 s, 1.5 are for the report: 4.25 for hooks of 1 s, and as much for the writes."""
    seconds_left = [10.0]
    hook = hooks.use("prepare", "def prepare(order): return order", timeout_seconds=2)
    really_run, left = hook.run, []

    def run(document: Any, schema: Any, seconds: float) -> Any:
        result = really_run(document, schema, seconds)
        seconds_left[0] -= 1
        return result

    def write(entries: Any, deadline: Any) -> Any:
        left.append(deadline.remaining())
        return really_write(entries, deadline)

    really_write = handler.WRITER.write
    monkeypatch.setattr(hook, "run", run)
    monkeypatch.setattr(handler.WRITER, "write", write)

    context = Context(lambda: round(seconds_left[0] * 1000))
    invocation = process(*[message(number) for number in range(1, 9)], context=context)

    assert invocation.metrics["Written"] == len(dynamodb.table) == 5
    assert failures(invocation) == ["6", "7", "8"]
    assert left == [3.5]


def test_hooks_off_cost_a_group_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert handler.HOOK is None
    read: list[Any] = []
    monkeypatch.setattr(reader, "read", lambda *arguments: read.append(arguments))

    reader.read_group([message(1)], handler.SCHEMA, Deadline(lambda: 9))

    assert read[0][2] is None
