"""DynamoDB engines to test against: AWS's DynamoDB Local, the emulator, and moto.

DynamoDB Local is what the others are measured by. The emulator checks keys, numbers, sizes and
depth, as tests/local/recorded shows. moto 5.2 cannot do a PartiQL INSERT with parameters, and is
left out wherever one is made.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import moto
import pytest

from local.emulator import ROOT, Emulator
from shared import aws

JARS = ROOT / ".cache" / "dynamodb-local"
POM = ROOT / "tools" / "dynamodb-local" / "pom.xml"
REGION = "us-east-1"
START_SECONDS = 60


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
    _fetch_jars()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        _program("java"),
        "-Xmx512m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        f"-Djava.library.path={JARS}",
        "-cp",
        f"{JARS}/*",
        "com.amazonaws.services.dynamodbv2.local.main.ServerRunner",
        "-inMemory",
        "-disableTelemetry",
        *("-port", str(port)),
    ]
    log = JARS / f"{port}.log"
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"DynamoDB Local did not start:\n{log.read_text()}")
            time.sleep(0.02)
        yield Engine("dynamodb-local", client(f"http://127.0.0.1:{port}"))
    finally:
        process.kill()
        process.wait()
        log.unlink()


@contextlib.contextmanager
def emulator(directory: Path) -> Iterator[Engine]:
    with Emulator(directory) as running:
        yield Engine("emulator", client(running.endpoint_url))


@contextlib.contextmanager
def in_moto() -> Iterator[Engine]:
    with moto.mock_aws():
        yield Engine("moto", client(None))


def _fetch_jars() -> None:
    complete = JARS / "complete"
    if complete.exists() and complete.read_text() == POM.read_text():
        return
    shutil.rmtree(JARS, ignore_errors=True)
    goal = ["dependency:copy-dependencies", f"-DoutputDirectory={JARS}", "-DincludeScope=runtime"]
    fetched = subprocess.run(
        [_program("mvn"), "--batch-mode", "--quiet", "--file", POM, *goal],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if fetched.returncode:
        _missing(f"Maven could not fetch DynamoDB Local:\n{fetched.stdout}")
    complete.write_text(POM.read_text())


def _program(name: str) -> str:
    return shutil.which(name) or _missing(
        f"{name} is missing, so nothing is compared with DynamoDB Local. Install Java >= 17 and "
        "Maven (Debian: apt-get install default-jre-headless maven) to have it compared."
    )


def _missing(reason: str) -> str:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
