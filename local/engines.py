"""Servers that stand in for AWS's services: DynamoDB Local and ElasticMQ, which run on Java.

AWS's own DynamoDB Local is the reference for all other stand-ins. Maven fetches the servers as
tools/<name>/pom.xml says.
"""

import contextlib
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import boto3

from local.emulator import REGION, ROOT
from local.waiting import eventually

START_SECONDS = 120


class MissingProgramError(RuntimeError):
    """Java or Maven is missing; the message says how to install it."""


class Engine(NamedTuple):
    """A DynamoDB engine, with a client of its operator."""

    name: str
    client: Any

    @property
    def endpoint_url(self) -> str:
        return str(self.client.meta.endpoint_url)

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

    def items(self, table: str) -> list[dict[str, Any]]:
        pages = self.client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
        return [item for page in pages for item in page["Items"]]


def client(endpoint_url: str | None, service: str = "dynamodb") -> Any:
    """Returns a boto3 client for a stand-in; None is for moto, which patches boto3."""
    return boto3.client(
        service,
        region_name=REGION,
        endpoint_url=endpoint_url,
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - no secret
    )


@contextlib.contextmanager
def dynamodb_local() -> Iterator[Engine]:
    """Runs DynamoDB Local.

    Raises:
        MissingProgramError: Java or Maven is missing.
    """

    def arguments(port: int, jars: Path) -> list[str]:
        return [
            f"-Djava.library.path={jars}",
            "com.amazonaws.services.dynamodbv2.local.main.ServerRunner",
            "-inMemory",
            "-disableTelemetry",
            *("-port", str(port)),
        ]

    with _server("dynamodb-local", arguments) as url:
        yield Engine("dynamodb-local", client(url))


@contextlib.contextmanager
def elasticmq() -> Iterator[str]:
    """Runs ElasticMQ, an SQS that ignores signatures, and gives its URL.

    Raises:
        MissingProgramError: Java or Maven is missing.
    """

    def arguments(port: int, _: Path) -> list[str]:
        return [
            "-Drest-sqs.bind-hostname=127.0.0.1",
            f"-Drest-sqs.bind-port={port}",
            f"-Dnode-address.port={port}",
            "-Drest-stats.enabled=false",
            "org.elasticmq.server.Main",
        ]

    with _server("elasticmq", arguments) as url:
        yield url


@contextlib.contextmanager
def _server(name: str, arguments: Callable[[int, Path], list[str]]) -> Iterator[str]:
    """Runs a Java server on a free port, and gives its URL.

    Args:
        name: Its folder in tools.
        arguments: Returns Java's arguments for a port and the folder of the jars.
    """
    jars = _fetched(name)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{jars}/*"]
    log = jars / f"{port}.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [_program("java"), *options, *arguments(port, jars)],
            stdout=output,
            stderr=subprocess.STDOUT,
        )

    def is_listening() -> bool:
        if process.poll() is not None:
            raise RuntimeError(f"{name} did not start:\n{log.read_text()}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        return False

    try:
        eventually(is_listening, f"a connection to {name}", START_SECONDS)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()
        log.unlink()


def _fetched(name: str) -> Path:
    """Returns the folder of a server's jars, fetched unless they are up to date."""
    jars = ROOT / ".cache" / name
    pom = ROOT / "tools" / name / "pom.xml"
    complete = jars / "complete"
    if complete.exists() and complete.read_text() == pom.read_text():
        return jars
    shutil.rmtree(jars, ignore_errors=True)
    goal = ["dependency:copy-dependencies", f"-DoutputDirectory={jars}", "-DincludeScope=runtime"]
    fetched = subprocess.run(
        [_program("mvn"), "--batch-mode", "--quiet", "--file", pom, *goal],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if fetched.returncode:
        raise MissingProgramError(f"Maven could not fetch {name}:\n{fetched.stdout}")
    complete.write_text(pom.read_text())
    return jars


def _program(name: str) -> str:
    program = shutil.which(name)
    if not program:
        raise MissingProgramError(
            f"{name} is missing. Install Java >= 17 and Maven to compare with servers in Java "
            "(Debian: apt-get install default-jre-headless maven)."
        )
    return program
