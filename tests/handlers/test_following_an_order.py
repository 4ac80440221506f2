"""One order can be followed through the log: from the request to the row, without its values."""

import contextlib
import io
import json
import time
from typing import Any

import pytest

from ingest import handler as ingest
from local.events import REQUEST_ID, TRACE_ID, Context, record, request
from process import handler
from shared import telemetry
from tests.support import child
from tests.support.fakes import FakeDynamoDB, FakeSqs, error
from tests.support.ingest import ORDER
from tests.support.process import order, process
from tests.support.runtime import invoke

pytestmark = pytest.mark.usefixtures("quick_calls")

SECOND = 10**6
NOW = 1_700_000_000 * SECOND


@pytest.fixture(autouse=True)
def _no_aws(sqs: FakeSqs, dynamodb: FakeDynamoDB) -> None:
    pass


@pytest.fixture
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telemetry, "now_microseconds", lambda: NOW)


def sent(body: Any, message_id: str = "1", accepted_at: int = NOW, **changes: Any) -> Any:
    text = body if isinstance(body, str) else json.dumps(body)
    own = record(text, message_id, accepted_at, **changes)
    own["attributes"]["SentTimestamp"] = str(NOW // 1000)
    return own


@pytest.mark.usefixtures("_clock")
def test_from_the_request_to_the_row(sqs: FakeSqs, dynamodb: FakeDynamoDB) -> None:
    headers = {"content-type": "application/json", "x-amzn-trace-id": TRACE_ID}
    accepted = invoke(ingest.handle, request(ORDER, headers=headers)).metrics
    (message,) = sqs.sent
    attributes = message["MessageAttributes"]
    stamp = int(attributes["accepted_at"]["StringValue"])
    written = process(sent(message["MessageBody"], accepted["message_id"], stamp)).metrics
    (row,) = dynamodb.table.values()

    assert (accepted["request_id"], accepted["trace_id"]) == (REQUEST_ID, TRACE_ID)
    assert accepted["accepted_at"] == stamp == int(row["accepted_at"]["N"])
    assert written["messages"] == [f"{accepted['message_id']} {stamp} written"]


@pytest.mark.usefixtures("_clock")
def test_a_message_that_sqs_did_not_confirm_can_be_found_too(sqs: FakeSqs) -> None:
    sqs.troubles.append(error("500"))
    metrics = invoke(ingest.handle, request(ORDER)).metrics

    assert (metrics["status"], metrics["accepted_at"]) == (503, NOW)


@pytest.mark.usefixtures("_clock")
def test_process_logs_what_became_of_each_message(dynamodb: FakeDynamoDB) -> None:
    process(sent(order("1"), "first", NOW - 5))
    malformed = {**sent(order("3"), "e"), "attributes": None}
    metrics = process(
        sent(order("2"), "a", NOW - 4),
        sent(order("1"), "b", NOW - 6),
        sent([order("1"), order("4")], "c", NOW - 7),
        sent("not JSON, secret", "d", NOW - 3),
        malformed,
    ).metrics

    assert sorted(metrics["messages"]) == [
        f"a {NOW - 4} written",
        f"b {NOW - 6} superseded",
        f"c {NOW - 7} written",
        f"d {NOW - 3} dead-lettered",
        "e - failed",
    ]
    assert "secret" not in json.dumps(metrics)


def test_a_large_batch_takes_further_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telemetry, "MAX_MESSAGES", 2)
    batch = {"Records": [sent(order(str(number)), str(number)) for number in range(5)]}
    with contextlib.redirect_stdout(io.StringIO()) as output:
        handler.handle(batch, Context())
    lines = [json.loads(line) for line in output.getvalue().splitlines()]

    assert [len(line["messages"]) for line in lines] == [2, 2, 1]
    assert ["_aws" in line for line in lines] == [True, False, False]
    assert {line["request_id"] for line in lines} == {REQUEST_ID}
    ids = [message.split()[0] for line in lines for message in line["messages"]]
    assert sorted(ids) == list("01234")


@pytest.mark.usefixtures("_clock")
@pytest.mark.parametrize(("target", "late"), [(0.5, 2), (1.0, 1), (2.0, 0)])
def test_late_orders_are_counted_by_their_age(
    monkeypatch: pytest.MonkeyPatch, target: float, late: int
) -> None:
    monkeypatch.setattr(handler, "FRESHNESS_TARGET", target)
    metrics = process(
        sent(order("1"), "a", NOW - 2 * SECOND),
        sent(order("2"), "b", NOW - SECOND),
        sent("not JSON", "c", NOW - 9 * SECOND),
    ).metrics

    assert (metrics["Late"], metrics["Written"]) == (late, 2)
    names = [one["Name"] for one in metrics["_aws"]["CloudWatchMetrics"][0]["Metrics"]]
    assert "Late" in names


def test_without_a_target_no_order_is_late() -> None:
    assert handler.FRESHNESS_TARGET is None
    assert "Late" not in process(sent(order())).metrics


@pytest.mark.parametrize("value", ["-1", "0", "soon"])
def test_an_invalid_target_stops_the_start(value: str) -> None:
    result = child.run("import process.handler", FRESHNESS_TARGET_SECONDS=value)

    assert result.returncode != 0
    assert "FRESHNESS_TARGET_SECONDS must be" in result.stderr.splitlines()[-1]


TWICE = """
from types import SimpleNamespace
from FUNCTION import handler
context = SimpleNamespace(aws_request_id="r", get_remaining_time_in_millis=lambda: 9000)
for _ in range(2):
    handler.handle({"Records": []}, context)
"""


@pytest.mark.parametrize("function", ["ingest", "process"])
def test_a_line_has_duration_and_cold_start(function: str) -> None:
    """At the system log level WARN, Lambda does not report them."""
    result = child.run(TWICE.replace("FUNCTION", function))
    lines = [json.loads(line) for line in result.stdout.splitlines()]

    assert [line["cold_start"] for line in lines] == [1, 0]
    assert all(0 <= line["duration_ms"] < 5000 for line in lines)


def test_the_duration_is_that_of_the_handler(sqs: FakeSqs, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter([10**9, 10**9 + 12_345_678])
    monkeypatch.setattr(time, "monotonic_ns", lambda: next(ticks))

    assert invoke(ingest.handle, {}).metrics["duration_ms"] == 12.3
