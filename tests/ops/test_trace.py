"""`trace`: the log of an order from acceptance to now, and what of it was not read."""

import json
import time
from typing import Any

import boto3
import pytest

from async_ingest import trace as traces
from async_ingest.main import main
from tests.ops.queues import Queues

DAY = 86400
DELIVERIES = 480  # of a day of failures, by default
ACCEPTED = int(time.time()) - 2 * DAY  # seconds
STAMP = ACCEPTED * 10**6
ORDER = {"order_id": "1", "item": "Kopi"}
KEY = ("1", "Kopi")
FILTER = "provide-client-params.cloudwatch-logs.FilterLogEvents"


@pytest.fixture
def logs(queues: Queues, table: Any) -> Any:
    """The logs of both functions, with the line of ingest, of an order that has its row."""
    table.put_item(Item=ORDER | {"accepted_at": STAMP})
    client = boto3.client("logs", region_name="us-east-1")
    for function in queues.system.functions:
        client.create_log_group(logGroupName=f"/aws/lambda/{function}")
        client.create_log_stream(logGroupName=f"/aws/lambda/{function}", logStreamName="1")
    line = {"status": 202, "accepted_at": STAMP, "message_id": "m-1"}
    _write(client, queues.system.ingest_function, {ACCEPTED: line})
    return client


def _write(logs: Any, function: str, lines: dict[int, dict[str, Any]]) -> None:
    logs.put_log_events(
        logGroupName=f"/aws/lambda/{function}",
        logStreamName="1",
        logEvents=[
            {"timestamp": at * 1000, "message": json.dumps(line)} for at, line in lines.items()
        ],
    )


def test_all_deliveries_of_a_day_are_found_and_the_last_one_after_a_redrive(
    queues: Queues, logs: Any
) -> None:
    failed = {
        ACCEPTED + 180 * number: {"messages": [f"m-1 {STAMP} failed", "m-2 5 written"]}
        for number in range(DELIVERIES)
    }
    # A redriven message has a new id.
    redriven = {ACCEPTED + 2 * DAY - 60: {"messages": [f"m-9 {STAMP} written"]}}
    _write(logs, queues.system.process_function, failed | redriven)

    found = traces.find(queues.system, KEY)

    assert [line["message_id"] for line in found.ingest] == ["m-1"]
    assert [line["messages"] for line in found.process] == [
        *[[f"m-1 {STAMP} failed"]] * DELIVERIES,
        [f"m-9 {STAMP} written"],
    ]
    assert found.left_out == []


def test_the_deliveries_of_a_dead_letter_are_found_beside_a_newer_row(
    queues: Queues, logs: Any
) -> None:
    older = STAMP - DAY * 10**6
    queues.put(json.dumps(ORDER), attributes={"accepted_at": older})
    lines = {
        ACCEPTED - DAY + 1: {"messages": [f"m-0 {older} failed"]},
        ACCEPTED + 1: {"messages": [f"m-1 {STAMP} written"]},
    }
    _write(logs, queues.system.process_function, lines)

    found = traces.find(queues.system, KEY)

    assert [line["messages"] for line in found.process] == [
        [f"m-0 {older} failed"],
        [f"m-1 {STAMP} written"],
    ]


@pytest.mark.parametrize("arguments", [[], ["--json"]], ids=["text", "json"])
def test_what_was_not_read_of_the_log_is_said(
    queues: Queues,
    logs: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
) -> None:
    failed = {ACCEPTED + n: {"messages": [f"m-1 {STAMP} failed"]} for n in range(25)}
    _write(logs, queues.system.process_function, failed)
    system = queues.system
    system.aws.client("logs").meta.events.register(
        FILTER, lambda params, **_: params | {"limit": 10}
    )
    monkeypatch.setattr(traces, "MAX_PAGES", 2)
    monkeypatch.setattr("async_ingest.system.find", lambda *_: system)

    assert main(["trace", *KEY, *arguments]) == 0

    printed = capsys.readouterr().out
    said = "lines of orders-process with m-1, after 2 pages of its log"
    if arguments:
        document = json.loads(printed)
        assert any(said in one for one in document["left_out"])
        assert len(document["process"]) == 20
    else:
        assert f"left out: {said}" in printed
