"""DynamoDB engines to test against: AWS's DynamoDB Local, the emulator, and moto.

DynamoDB Local is what the others are measured by. The emulator checks keys, numbers, sizes and
depth, as tests/local/recorded shows. moto 5.2 cannot do a PartiQL INSERT with parameters, and is
left out wherever one is made.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import moto
import pytest

from local.emulator import Emulator
from shared import aws
from tests.support import java

REGION = "us-east-1"


class Engine(NamedTuple):
    name: str
    client: Any

    def create_table(self, name: str, **keys: str) -> None:
        """Creates an empty table; ``keys`` are names and types, the partition key first."""
        with contextlib.suppress(self.client.exceptions.ResourceNotFoundException):
            self.client.delete_table(TableName=name)
        self.client.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": key, "AttributeType": kind} for key, kind in keys.items()
            ],
            KeySchema=[
                {"AttributeName": key, "KeyType": role}
                for key, role in zip(keys, ("HASH", "RANGE"), strict=False)
            ],
        )

    def functions_client(self, implementation: str = "builtin") -> aws.Client:
        """The functions' own client. moto stands in for botocore only."""
        if self.name == "moto":
            implementation = "botocore"
        return functions_client(self.client.meta.endpoint_url, implementation=implementation)

    def items(self, table: str) -> list[dict[str, Any]]:
        pages = self.client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
        return [item for page in pages for item in page["Items"]]


def client(endpoint_url: str | None, service: str = "dynamodb") -> Any:
    """A boto3 client, as an operator has it, pointed at an engine."""
    return boto3.client(
        service,
        region_name=REGION,
        endpoint_url=endpoint_url,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def functions_client(
    endpoint_url: str, service: str = "dynamodb", implementation: str = "builtin"
) -> aws.Client:
    """The functions' own client, pointed at an engine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", endpoint_url)
        patch.setenv("CLIENT_IMPLEMENTATION", implementation)
        return aws.client(service, REGION, 10)


@contextlib.contextmanager
def dynamodb_local() -> Iterator[Engine]:
    """Skips where Java or Maven are missing, and fails there in CI."""

    def arguments(port: int, jars: Path) -> list[str]:
        return [
            f"-Djava.library.path={jars}",
            "com.amazonaws.services.dynamodbv2.local.main.ServerRunner",
            "-inMemory",
            "-disableTelemetry",
            *("-port", str(port)),
        ]

    with java.server("dynamodb-local", arguments) as url:
        yield Engine("dynamodb-local", client(url))


@contextlib.contextmanager
def emulator(directory: Path) -> Iterator[Engine]:
    with Emulator(directory) as running:
        yield Engine("emulator", client(running.endpoint_url))


@contextlib.contextmanager
def in_moto() -> Iterator[Engine]:
    with moto.mock_aws():
        yield Engine("moto", client(None))
