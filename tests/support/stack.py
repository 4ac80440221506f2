"""What tests do to the applied system beyond what its clients and operators do."""

import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from local.emulator import ROOT, Emulator
from local.screen import Screen
from local.stack import EXAMPLE, Stack
from local.terraform import Terraform

# An order that no attempt can store: it lacks a key.
PERMANENT_FAILURE = '{"order_id": "permanent-failure"}'


def apply_minimal(emulator: Emulator, work: Path, name: str) -> Stack:
    """Applies a copy of examples/minimal under a name of its own, without deletion protection.

    Beside a root module lie the packages that it makes, so two cannot be applied there at a time.
    """
    directory = work / EXAMPLE.name
    directory.mkdir()
    source = os.path.relpath(ROOT, directory.resolve())  # Terraform would copy an absolute path
    for file in EXAMPLE.glob("*.tf"):
        (directory / file.name).write_text(file.read_text().replace('"../.."', f'"{source}"'))
    variables = {"name": name, "deletion_protection": "false"}
    terraform = Terraform(directory, work, emulator.environment(), variables)
    terraform.init()
    terraform.apply()
    return Stack(emulator, terraform)


@contextmanager
def temporary_stack(name: str, screen: Screen, **options: Any) -> Iterator[Stack]:
    """Applies examples/minimal to a new emulator, with IAM enforced and TLS on."""
    with (
        TemporaryDirectory() as directory,
        Emulator(Path(directory) / "emulator", auth=True, tls=True, **options) as emulator,
    ):
        with screen.stage("apply examples/minimal, IAM enforced and TLS on"):
            stack = apply_minimal(emulator, Path(directory), name)
        yield stack


def new_user(emulator: Emulator, name: str) -> dict[str, str]:
    """Creates a user without any permission. Returns its credentials, as boto3 takes them."""
    iam = emulator.client("iam")
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {
        "aws_access_key_id": key["AccessKeyId"],
        "aws_secret_access_key": key["SecretAccessKey"],
    }


def new_order(**attributes: Any) -> dict[str, Any]:
    """Returns an order with a key that no other has."""
    return {"order_id": uuid.uuid4().hex, "item": "Kopi Susu", "qty": 2, **attributes}


def reported_failures(stack: Stack, function: str, since: float) -> int:
    """Counts invocations of process that reported one failed message, since epoch seconds."""
    return sum('"Failed":1' in line for line in stack.log_lines(function, since))


def mapping_problem(stack: Stack) -> str:
    """Returns why Lambda cannot poll the queue, or ""."""
    result = stack.mapping_result()
    return result if "PROBLEM" in result else ""


@contextmanager
def without_invoke_permission(stack: Stack, function: str) -> Iterator[None]:
    """Takes away the load balancer's permission to invoke a function."""
    alias = {"FunctionName": function, "Qualifier": "live"}
    [statement] = json.loads(stack.lambda_.get_policy(**alias)["Policy"])["Statement"]
    stack.lambda_.remove_permission(**alias, StatementId=statement["Sid"])
    try:
        yield
    finally:
        stack.lambda_.add_permission(
            **alias,
            StatementId=statement["Sid"],
            Action=statement["Action"],
            Principal=statement["Principal"]["Service"],
            SourceArn=statement["Condition"]["ArnLike"]["AWS:SourceArn"],
            SourceAccount=statement["Condition"]["StringEquals"]["AWS:SourceAccount"],
        )


@contextmanager
def quick_retries(stack: Stack, seconds: int = 1, deliveries: int = 1000) -> Iterator[None]:
    """Redelivers failed messages sooner, and more often, than the applied queue does.

    Args:
        stack: Its queue is reconfigured.
        seconds: The visibility timeout.
        deliveries: The maximum receive count; 1,000 is the most that SQS takes.
    """
    url = stack.outputs["queue_url"]
    before = stack.sqs.get_queue_attributes(
        QueueUrl=url, AttributeNames=["VisibilityTimeout", "RedrivePolicy"]
    )["Attributes"]
    policy = json.loads(before["RedrivePolicy"]) | {"maxReceiveCount": deliveries}
    stack.sqs.set_queue_attributes(
        QueueUrl=url,
        Attributes={"VisibilityTimeout": str(seconds), "RedrivePolicy": json.dumps(policy)},
    )
    try:
        yield
    finally:
        stack.sqs.set_queue_attributes(QueueUrl=url, Attributes=before)
