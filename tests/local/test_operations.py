"""The commands of docs/operations.md, run on the emulator exactly as written there."""

import json
import re
import shlex
from pathlib import Path
from string import Template
from typing import Any

from local.emulator import ROOT, Emulator
from local.waiting import eventually
from tests.local.support import queue_arn

PAGE = (ROOT / "docs" / "operations.md").read_text()


def test_the_redrive_moves_all_dead_letters_back(tmp_path: Path) -> None:
    """Those that SQS has moved to the dead-letter queue, and those that process has sent there."""
    with Emulator(tmp_path, port=0) as emulator:
        sqs = emulator.client("sqs")
        variables = {"QUEUE_ARN": queue_arn("orders"), "DEAD_LETTER_QUEUE_ARN": queue_arn("dead")}
        dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
        policy = {"deadLetterTargetArn": queue_arn("dead"), "maxReceiveCount": 1}
        orders = sqs.create_queue(
            QueueName="orders", Attributes={"RedrivePolicy": json.dumps(policy)}
        )["QueueUrl"]
        sqs.send_message(QueueUrl=orders, MessageBody="failed too often")
        for _ in range(2):
            sqs.receive_message(QueueUrl=orders, VisibilityTimeout=0)
        reason = {"failure_reason": {"DataType": "String", "StringValue": "no key"}}
        sqs.send_message(QueueUrl=dead, MessageBody="refused", MessageAttributes=reason)

        def run(command: str) -> dict[str, Any]:
            [(method, arguments)] = commands(command, variables)
            return dict(getattr(sqs, method)(**arguments))

        run("start-message-move-task")
        [task] = eventually(
            lambda: run("list-message-move-tasks")["Results"],
            "the end of the redrive",
            until=lambda tasks: tasks[0]["Status"] != "RUNNING",
        )

        assert task["Status"] == "COMPLETED"
        moved = sqs.receive_message(QueueUrl=orders, MaxNumberOfMessages=10)["Messages"]
        assert {message["Body"] for message in moved} == {"failed too often", "refused"}


def commands(name: str, variables: dict[str, str]) -> list[tuple[str, dict[str, Any]]]:
    """Returns each `aws sqs NAME …` of the page as a boto3 method and its arguments."""
    found = re.findall(rf"^\$ aws sqs {name} (.*)$", PAGE, re.MULTILINE)
    return [(name.replace("-", "_"), arguments(Template(line), variables)) for line in found]


def arguments(line: Template, variables: dict[str, str]) -> dict[str, Any]:
    words = shlex.split(line.substitute(variables))
    options = dict(zip(words[::2], words[1::2], strict=True))
    return {
        "".join(part.capitalize() for part in option.removeprefix("--").split("-")): (
            int(value) if value.isdigit() else value
        )
        for option, value in options.items()
    }
