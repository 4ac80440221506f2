"""A system of queues and a table in moto, which is enough for what needs no functions."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from async_ingest import receiving
from async_ingest.aws import Aws
from async_ingest.system import System
from tests.ops.queues import Queues

NAME = "orders"


@pytest.fixture
def queues(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Queues]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(receiving, "POLL_SECONDS", 0)
    with mock_aws():
        sqs = boto3.client("sqs", region_name="us-east-1")
        dead = sqs.create_queue(QueueName=f"{NAME}-dead-letter")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]
        policy = {"deadLetterTargetArn": arn["QueueArn"], "maxReceiveCount": 5}
        sqs.create_queue(QueueName=NAME, Attributes={"RedrivePolicy": json.dumps(policy)})
        yield Queues(System(NAME, Aws()), sqs)


@pytest.fixture
def table(queues: Queues) -> Any:
    """The table of the system, as the module makes it."""
    schema = [("order_id", "HASH"), ("item", "RANGE")]
    boto3.client("dynamodb", region_name="us-east-1").create_table(
        TableName=queues.system.name,
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in schema],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in schema],
        BillingMode="PAY_PER_REQUEST",
    )
    queues.system.known = {"table_name": queues.system.name}
    queues.system.accepted_at_name = "accepted_at"
    return boto3.resource("dynamodb", region_name="us-east-1").Table(queues.system.name)
