"""The commands of the output next_steps do on the running system what the text says.

The line for curl is run as it is, but for the address, which is the emulator's. Those for the AWS
CLI are made by boto3, from the same definitions of services, operations and parameters.
"""

import json
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name

from local.emulator import HOST
from local.stack import Stack
from local.waiting import eventually
from tests.support import ops
from tests.support.stack import PERMANENT_FAILURE

pytestmark = pytest.mark.stack


@pytest.fixture
def commands(stack: Stack) -> list[list[str]]:
    text = stack.outputs["next_steps"]
    return [shlex.split(line) for line in text.splitlines() if line.startswith("  ")]


def run(stack: Stack, command: list[str]) -> Any:
    """Makes the call of a command of the AWS CLI, with flags after service and operation."""
    _, service, operation, *flags = command
    client = stack.emulator.client(service)
    method = operation.replace("-", "_")
    model = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[method])
    members = {xform_name(name, "-"): name for name in model.input_shape.members}
    parameters: dict[str, Any] = {}
    while flags:
        name = flags.pop(0).removeprefix("--")
        if name == "region":
            assert flags.pop(0) == client.meta.region_name
        elif name.startswith("no-"):
            parameters[members[name.removeprefix("no-")]] = False
        else:
            kind = model.input_shape.members[members[name]].type_name
            read: Any = {"map": json.loads, "integer": int, "list": lambda text: [text]}.get(
                kind, str
            )
            parameters[members[name]] = read(flags.pop(0))
    return getattr(client, method)(**parameters)


def test_an_order_is_sent_and_its_row_is_seen(stack: Stack, commands: list[list[str]]) -> None:
    send, see, *_ = commands
    assert send[2] == stack.outputs["endpoint_url"]
    trusted = ["--cacert", str(stack.emulator.ca_bundle), "--silent", "--show-error"]
    # The port of the header Host selects the listener.
    send = [*send[:2], stack.url, *send[3:], "-H", f"Host: {HOST}:80", *trusted]

    answer = subprocess.run(send, capture_output=True, text=True, check=True).stdout

    assert answer.split()[1] == "202"  # HTTP/2 202, or HTTP/1.1 202 Accepted
    assert json.loads(answer.splitlines()[-1])["orders"] == 1
    row = eventually(lambda: run(stack, see).get("Item"), "the row")
    order = json.loads(send[send.index("-d") + 1])
    assert order == {"order_id": "123", "item": "Kopi Susu", "qty": 2}
    assert {name: next(iter(value.values())) for name, value in row.items()}.items() >= {
        "order_id": "123",
        "item": "Kopi Susu",
        "qty": "2",
    }.items()


def test_doctor_and_status_find_the_system(
    stack: Stack, commands: list[list[str]], tmp_path: Path
) -> None:
    """From here the load balancer has another address, so no order is sent."""
    doctor, status = (command[1:] for command in commands if command[0] == "async-ingest")

    checked = ops.run_json(stack.emulator, tmp_path, *doctor, "--no-send")
    assert checked["first_failed"] is None, checked

    shown = ops.run_json(stack.emulator, tmp_path, *status)
    name = stack.outputs["load_balancer_name"]  # and the prefix of all others
    assert shown["versions"].keys() == {f"{name}-ingest", f"{name}-process"}


def test_the_logs_are_where_it_says(stack: Stack, commands: list[list[str]]) -> None:
    logs = stack.emulator.client("logs")
    tails = [command for command in commands if command[1:3] == ["logs", "tail"]]

    assert len(tails) == 2
    for _, _, _, group, *_ in tails:
        [found] = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
        assert found["logGroupName"] == group


def test_a_dead_letter_is_seen_and_delivered_again(stack: Stack, commands: list[list[str]]) -> None:
    look, move = (
        next(one for one in commands if one[2] == operation)
        for operation in ("receive-message", "start-message-move-task")
    )
    stack.sqs.send_message(QueueUrl=stack.outputs["queue_url"], MessageBody=PERMANENT_FAILURE)

    [dead] = eventually(lambda: run(stack, look).get("Messages"), "the dead letter")

    assert dead["MessageAttributes"]["failure_reason"]["StringValue"]
    url = stack.outputs["dead_letter_queue_url"]
    stack.sqs.change_message_visibility(
        QueueUrl=url, ReceiptHandle=dead["ReceiptHandle"], VisibilityTimeout=0
    )
    assert run(stack, move)["TaskHandle"]
    tasks = {"SourceArn": move[move.index("--source-arn") + 1], "MaxResults": 1}
    eventually(
        lambda: stack.sqs.list_message_move_tasks(**tasks)["Results"][0]["Status"],
        "the end of the redrive",
        until=lambda status: status == "COMPLETED",
    )
    # It fails again, and its new copy still names the first message.
    [again] = eventually(
        lambda: [one for one in stack.take_dead_letters() if one["MessageId"] != dead["MessageId"]],
        "the dead letter again",
    )
    first, second = (
        one["MessageAttributes"]["original_message_id"]["StringValue"] for one in (dead, again)
    )
    assert first == second


def test_process_is_paused(stack: Stack, commands: list[list[str]]) -> None:
    mapping = {"UUID": stack.outputs["event_source_mapping_id"]}

    with stack.paused_mapping():  # to resume it in any case
        stack.lambda_.update_event_source_mapping(**mapping, Enabled=True)
        run(stack, commands[-1])
        assert stack.lambda_.get_event_source_mapping(**mapping)["State"] in (
            "Disabling",
            "Disabled",
        )
