"""The redrive of docs/operations.md by AWS's means; tests/operate runs all other commands."""

import json
from pathlib import Path
from typing import Any

from local.emulator import ROOT, Emulator
from local.waiting import eventually
from tests.local.support import queue_arn
from tests.support import aws_cli

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
            [line] = [one for one in aws_cli.commands_in(PAGE) if command in one and "$" in one]
            return dict(aws_cli.run(emulator.client, line, variables))

        run("start-message-move-task")
        [task] = eventually(
            lambda: run("list-message-move-tasks")["Results"],
            "the end of the redrive",
            until=lambda tasks: tasks[0]["Status"] != "RUNNING",
        )

        assert task["Status"] == "COMPLETED"
        moved = sqs.receive_message(QueueUrl=orders, MaxNumberOfMessages=10)["Messages"]
        assert {message["Body"] for message in moved} == {"failed too often", "refused"}
