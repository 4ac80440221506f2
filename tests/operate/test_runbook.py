"""Every command of docs/operations.md, run on the applied system as it is written there."""

import re
import shlex
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.emulator import HOST, ROOT
from local.stack import Stack
from local.waiting import eventually
from tests.support import aws_cli, ops
from tests.support.stack import new_order

pytestmark = pytest.mark.stack

PAGE = (ROOT / "docs" / "operations.md").read_text()
# In the console blocks, and within sentences.
OURS = re.findall(r"(?:^ *\$ |`)async-ingest ([^`\n]+)", PAGE, re.MULTILINE)
THEIRS = [line for line in aws_cli.commands_in(PAGE) if "--" in line]
POSTING = ("doctor", "send")
SNIPPET = re.findall(r"```python\n(.*?)^ *```", PAGE, re.DOTALL | re.MULTILINE)
COPY = "orders-restored"


@pytest.fixture
def two_versions(stack: Stack) -> Iterator[None]:
    """Publishes a version of each function, so that there is one to roll back to."""
    lambda_, published = stack.lambda_, []
    for part in ("ingest", "process"):
        named = {"FunctionName": f"{stack.outputs['table_name']}-{part}"}
        first = lambda_.get_alias(**named, Name="live")["FunctionVersion"]
        timeout = lambda_.get_function_configuration(**named)["Timeout"]
        lambda_.update_function_configuration(**named, Timeout=timeout - 1)
        second = lambda_.publish_version(**named)["Version"]
        lambda_.update_alias(**named, Name="live", FunctionVersion=second)
        published.append((named, first, second, timeout))
    try:
        yield
    finally:
        for named, first, second, timeout in published:
            lambda_.update_alias(**named, Name="live", FunctionVersion=first)
            lambda_.delete_function(**named, Qualifier=second)
            lambda_.update_function_configuration(**named, Timeout=timeout)


@pytest.mark.nightly  # it takes more than a minute
def test_each_command_of_async_ingest(stack: Stack, tmp_path: Path, two_versions: None) -> None:
    """None of them is refused; 1 says that something is wrong, as when nothing is found."""
    environment = ops.environment_of(stack.emulator, tmp_path)
    environment["ASYNC_INGEST_NAME"] = stack.outputs["table_name"]
    posting = ("--url", stack.url, "--header", f"Host: {HOST}:80")
    assert len(OURS) >= 20

    for line in OURS:
        arguments = shlex.split(line)
        more = posting if arguments[0] in POSTING else ()
        ops.run(
            stack.emulator,
            tmp_path,
            *arguments,
            *more,
            accept=(0, 1),
            environment=environment,
        )
    assert (
        stack.lambda_.get_event_source_mapping(UUID=stack.outputs["event_source_mapping_id"])[
            "State"
        ]
        == "Enabled"
    )


def test_each_command_of_the_aws_cli(stack: Stack) -> None:
    """Those of redrives are in tests/local/test_operations.py."""
    key = stack.emulator.client("kms").create_key()["KeyMetadata"]["KeyId"]
    name = stack.outputs["table_name"]
    for line in THEIRS:
        if "message-move-task" in line:
            continue
        named = line.replace("orders-process", f"{name}-process").replace(
            "--source-table-name orders", f"--source-table-name {name}"
        )
        assert not _fault(stack, named, {"KEY_ARN": key}), line


def _fault(stack: Stack, command: str, variables: dict[str, str]) -> str:
    """Returns what is wrong with a command, unless it is the emulator that lacks it."""
    try:
        aws_cli.run(stack.emulator.client, command, variables)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        return "" if code in ("UnknownOperationException", "InvalidAction") else str(error)
    return ""


def test_a_restored_table_is_copied_without_losing_what_came_since(stack: Stack) -> None:
    snippet = textwrap.dedent(SNIPPET[0])
    dynamodb, table = stack.dynamodb, stack.outputs["table_name"]
    deleted, damaged, newer = (new_order() for _ in range(3))
    for order in (deleted, damaged, newer):
        assert stack.post(order).status == 202
    rows = [stack.wait_for_row(order) for order in (deleted, damaged, newer)]
    described = dynamodb.describe_table(TableName=table)["Table"]
    dynamodb.create_table(
        TableName=COPY,
        KeySchema=described["KeySchema"],
        AttributeDefinitions=described["AttributeDefinitions"],
        BillingMode="PAY_PER_REQUEST",
    )
    try:
        eventually(
            lambda: dynamodb.describe_table(TableName=COPY)["Table"]["TableStatus"],
            "the copy",
            until=lambda status: status == "ACTIVE",
        )
        for row in rows:
            dynamodb.put_item(TableName=COPY, Item=row)
        dynamodb.delete_item(TableName=table, Key=_key(deleted))
        dynamodb.put_item(TableName=table, Item=rows[1] | {"qty": {"N": "0"}})
        assert stack.post(newer | {"qty": 9}).status == 202
        eventually(lambda: stack.row(newer), "9", until=lambda row: row["qty"] == {"N": "9"})

        exec(  # noqa: S102 - what the page says is what is tested
            snippet.replace("import boto3\n", "").replace('"orders"', f'"{table}"'),
            {"boto3": SimpleNamespace(client=stack.emulator.client)},
        )

        assert stack.row(deleted) == rows[0]
        assert stack.row(damaged) == rows[1]
        kept = stack.row(newer)
        assert kept is not None
        assert kept["qty"] == {"N": "9"}
    finally:
        dynamodb.delete_table(TableName=COPY)


def _key(order: dict[str, Any]) -> dict[str, Any]:
    return {name: {"S": order[name]} for name in ("order_id", "item")}
