"""The commands on the applied system, as a person runs them."""

import json
import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local.emulator import HOST
from local.stack import Stack
from local.waiting import eventually
from tests.support import ops
from tests.support.stack import new_order

pytestmark = pytest.mark.stack

Run = Callable[..., Any]


@pytest.fixture
def run(stack: Stack, tmp_path: Path) -> Run:
    """Runs a command with --json; returns its document. The dead-letter queue is empty at first."""
    while stack.take_dead_letters():
        pass

    def run(*arguments: str, accept: tuple[int, ...] = (0,)) -> dict[str, Any]:
        named = ("--name", stack.outputs["table_name"])
        return ops.run_json(stack.emulator, tmp_path, *arguments, *named, accept=accept)

    return run


@pytest.fixture
def posting(stack: Stack) -> tuple[str, ...]:
    return ("--url", stack.url, "--header", f"Host: {HOST}:80")


def put(stack: Stack, order: dict[str, Any], reason: str = "") -> str:
    """Puts an order into the dead-letter queue. Returns the message's id."""
    attributes = {"accepted_at": ("Number", "1700000000000000")}
    if reason:
        attributes["failure_reason"] = ("String", reason)
    sent = stack.sqs.send_message(
        QueueUrl=stack.outputs["dead_letter_queue_url"],
        MessageBody=json.dumps(order),
        MessageAttributes={
            name: {"DataType": kind, "StringValue": value}
            for name, (kind, value) in attributes.items()
        },
        MessageGroupId="tenant-1",
    )
    return str(sent["MessageId"])


def test_a_redrive_says_what_became_of_each_order(stack: Stack, run: Run) -> None:
    fine, old, refused = new_order(), new_order(), {"order_id": uuid.uuid4().hex}
    assert stack.post(old).status == 202  # newer than what was dead-lettered
    stack.wait_for_row(old)
    for order in (fine, old, refused):
        put(stack, order, "wrong table")

    listed = run("dlq", "list")
    planned = run("dlq", "redrive", "--reason", "WRONG")
    done = run("dlq", "redrive", "--reason", "WRONG", "--yes", accept=(1,))

    assert listed["reasons"] == [{"reason": "wrong table", "count": 3}]
    assert planned["would_be_redriven"] == 3
    assert done["verdict"] == {"written": 1, "superseded": 1, "back_again": 1}
    assert stack.wait_for_row(fine)["accepted_at"] == {"N": "1700000000000000"}
    shown = run("dlq", "show", "--bodies")["dead_letters"]
    assert [one["attributes"]["replays"] for one in shown] == ["1"]
    assert [json.loads(one["body"]) for one in shown] == [refused]
    assert shown[0]["tenant"] == "tenant-1"
    run("dlq", "discard", "--key", f"order_id={refused['order_id']}", "--yes")
    assert run("dlq", "list")["dead_letters"] == 0


def test_all_go_by_the_move_task_of_aws(stack: Stack, run: Run) -> None:
    orders = [new_order() for _ in range(12)]
    for order in orders:
        put(stack, order)

    done = run("dlq", "redrive", "--yes")

    assert (done["by"], done["redriven"], done["verdict"]) == ("task", 12, {"written": 12})
    exported = [json.loads(line)["body"] for line in Path(done["file"]).read_text().splitlines()]
    assert {json.loads(body)["order_id"] for body in exported} == {o["order_id"] for o in orders}


def test_orders_are_sent_and_each_answer_is_accounted_for(
    stack: Stack, run: Run, posting: tuple[str, ...], tmp_path: Path
) -> None:
    path, first, second = tmp_path / "orders.jsonl", new_order(), new_order()
    path.write_text("\n".join(map(json.dumps, (first, {"order_id": "1"}, second))) + "\n")

    planned = run("send", str(path), *posting)
    sent = run("send", str(path), *posting, "--rate", "50", "--yes", accept=(1,))

    assert planned["would_be_sent"] == 3
    assert (sent["accepted"], sent["refused"], sent["unknown"]) == (2, 1, 0)
    assert [one["number"] for one in sent["problems"]] == [2]
    for order in (first, second):
        stack.wait_for_row(order)

    # Of a run that was interrupted before the last line, that line is left.
    ledger = path.with_name("orders.jsonl.answers.jsonl")
    kept = [line for line in ledger.read_text().splitlines() if json.loads(line)["number"] != 3]
    ledger.write_text("\n".join(kept) + '\n{"number": 3, "outco')
    again = run("send", str(path), *posting, "--yes", accept=(1,))
    assert (again["accepted"], again["refused"]) == (2, 1)
    assert len(ledger.read_text().splitlines()) == 3


def test_an_order_is_traced_to_the_log(stack: Stack, run: Run, posting: tuple[str, ...]) -> None:
    order, dead = new_order(), new_order()
    sent = run("send", json.dumps(order), *posting, "--yes")
    stack.wait_for_row(order)
    message_id = put(stack, dead, "no reason")

    found = eventually(
        lambda: run("trace", order["order_id"], order["item"]),
        "the line of ingest",
        until=lambda found: found["ingest"],
    )
    assert found["in_table"]
    assert sent["message_id"] in {line["message_id"] for line in found["ingest"]}
    found = run("trace", dead["order_id"], dead["item"])
    assert [one["message_id"] for one in found["dead_letters"]] == [message_id]
    missing = run("trace", "nowhere", "x", accept=(1,))
    assert not missing["found"]
    run("dlq", "discard", "--key", f"order_id={dead['order_id']}", "--yes")


def test_the_consumer_is_paused_and_resumed(stack: Stack, run: Run) -> None:
    assert run("pause")["would_be"] == "disabled"
    assert run("pause", "--yes")["input"] == "process_enabled = false"
    try:
        assert run("status")["mapping"] == "Disabled"
    finally:
        run("resume", "--yes")
    assert run("status")["mapping"] == "Enabled"


def test_an_alias_is_rolled_back(stack: Stack, run: Run) -> None:
    lambda_, function = stack.lambda_, f"{stack.outputs['table_name']}-ingest"
    named = {"FunctionName": function}
    first = lambda_.get_alias(**named, Name="live")["FunctionVersion"]
    timeout = lambda_.get_function_configuration(**named)["Timeout"]
    lambda_.update_function_configuration(**named, Timeout=timeout + 1)
    second = lambda_.publish_version(**named)["Version"]
    lambda_.update_alias(**named, Name="live", FunctionVersion=second)
    try:
        planned = run("rollback", "ingest")
        assert lambda_.get_alias(**named, Name="live")["FunctionVersion"] == second
        run("rollback", "ingest", "--yes")
        assert lambda_.get_alias(**named, Name="live")["FunctionVersion"] == first
    finally:
        lambda_.update_alias(**named, Name="live", FunctionVersion=first)
        lambda_.delete_function(**named, Qualifier=second)
        lambda_.update_function_configuration(**named, Timeout=timeout)
    assert (planned["to"], planned["newest"]) == (first, second)
    assert planned["differences"]["Timeout"] == [timeout + 1, timeout]


def test_the_system_is_that_of_terraform(stack: Stack, tmp_path: Path) -> None:
    environment = ops.environment_of(stack.emulator, tmp_path) | {
        "TF_DATA_DIR": str(stack.terraform.state_path.parent / "terraform"),
        "TF_CLI_ARGS_output": f"-state={stack.terraform.state_path}",
    }
    result = ops.run(
        stack.emulator,
        tmp_path,
        *("status", "--terraform", str(stack.terraform.directory)),
        environment=environment,
    )

    assert re.search(rf"System +{stack.outputs['table_name']} in us-east-1", result.stdout)
