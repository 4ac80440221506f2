"""local/patches/functions.py: how a queue invokes a function, and how a function calls AWS."""

import json
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.emulator import ACCOUNT, REGION, Emulator
from local.waiting import eventually
from tests.local.patches.checks import Checks, code_of
from tests.local.support import (
    RETURN_MESSAGE,
    deploy,
    enqueue,
    in_flight,
    last_result,
    map_queue,
    processed,
    queue_arn,
)
from tests.support.policies import allowing
from tests.support.stack import new_user
from tests.support.tables import create_table

check = Checks("functions")

(
    test_every_patch_has_a_check,
    test_the_check_passes_with_the_patch,
    test_the_check_fails_without_the_patch,
) = check.tests()


@check()
def malformed_batch_responses_fail_the_batch(emulator: Emulator) -> None:
    function_arn = deploy(emulator, "consume", RETURN_MESSAGE)

    def result_of(queue: str, response: Any) -> str:
        reporting = {"FunctionResponseTypes": ["ReportBatchItemFailures"]}
        mapping = map_queue(emulator, function_arn, queue, **reporting)
        enqueue(emulator, queue, json.dumps(response))
        return processed(emulator, mapping)

    malformed: list[Any] = [
        {"batchItemFailures": [{"itemIdentifier": "unknown"}]},
        {"batchItemFailures": [{"itemIdentifier": ""}]},
        {"batchItemFailures": [{"itemIdentifier": None}]},
        {"batchItemFailures": [{"messageId": "wrong key"}]},
        {"batchItemFailures": ["no object"]},
        {"batchItemFailures": {}},
        ["no object"],
        "no object",
    ]
    for number, response in enumerate(malformed):
        assert result_of(f"malformed{number}", response) == "FAILED", response
        assert in_flight(emulator, f"malformed{number}") == 1
    success: list[Any] = [None, {}, {"batchItemFailures": None}, {"batchItemFailures": []}]
    for number, reply in enumerate(success):
        assert result_of(f"success{number}", reply) == "OK - 1 records", reply


@check(auth=True)
def mappings_need_the_permissions_of_the_role(emulator: Emulator) -> None:
    iam, functions = emulator.client("iam"), emulator.client("lambda")
    source_arn = queue_arn("orders")
    needed = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
    function_arn = deploy(emulator, "consume", "def handle(event, context): print('called')")
    emulator.client("sqs").create_queue(QueueName="orders")

    def allow(actions: list[str]) -> None:
        policy = allowing(actions, source_arn)
        iam.put_role_policy(RoleName="consume", PolicyName="queue", PolicyDocument=policy)

    for missing in needed:
        allow([action for action in needed if action != missing])
        source = {"EventSourceArn": source_arn, "FunctionName": function_arn}
        refusal = code_of(functions.create_event_source_mapping, **source)
        assert refusal == "InvalidParameterValueException", missing

    allow(needed)
    mapping = map_queue(emulator, function_arn)
    enqueue(emulator, "orders", "first")
    assert processed(emulator, mapping) == "OK - 1 records"

    allow(needed[1:])
    problem = eventually(
        lambda: last_result(emulator, mapping),
        "the missing permission",
        10,
        until=lambda result: result.startswith("PROBLEM"),
    )
    assert "sqs:ReceiveMessage" in problem
    enqueue(emulator, "orders", "second")
    allow(needed)
    assert processed(emulator, mapping, before=problem) == "OK - 1 records"


@check()
def mappings_fill_batches_above_10(emulator: Emulator) -> None:
    function_arn = deploy(emulator, "consume", "def handle(event, context): print('called')")
    batches: dict[str, Any] = {"BatchSize": 100, "MaximumBatchingWindowInSeconds": 1}
    mapping = map_queue(emulator, function_arn, **batches, Enabled=False)
    enqueue(emulator, "orders", *["order"] * 25)

    emulator.client("lambda").update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)

    assert processed(emulator, mapping) == "OK - 25 records"


@check()
def mappings_wait_for_the_batching_window(emulator: Emulator) -> None:
    function_arn = deploy(emulator, "consume", "def handle(event, context): print('called')")
    mapping = map_queue(emulator, function_arn, BatchSize=2, MaximumBatchingWindowInSeconds=1)

    started = time.monotonic()
    enqueue(emulator, "orders", "alone")
    assert processed(emulator, mapping) == "OK - 1 records"
    assert time.monotonic() - started >= 1

    update = emulator.client("lambda").update_event_source_mapping
    update(UUID=mapping["UUID"], MaximumBatchingWindowInSeconds=300)
    enqueue(emulator, "orders", "in", "company")
    assert processed(emulator, mapping, before="OK - 1 records") == "OK - 2 records"


@check(auth=True)
def calls_of_functions_carry_the_function_arn(emulator: Emulator) -> None:
    iam, functions = emulator.client("iam"), emulator.client("lambda")
    url = emulator.client("sqs").create_queue(QueueName="orders")["QueueUrl"]
    sending = f"""
import boto3

def handle(event, context):
    print("called")
    try:
        boto3.client("sqs").send_message(QueueUrl={url!r}, MessageBody="order")
    except Exception as error:
        return str(error)
    return "sent"
"""
    function_arn = deploy(emulator, "send", sending)

    def answer_if_allowed_for(source: str) -> str:
        condition = {"ArnEquals": {"lambda:SourceFunctionArn": source}}
        policy = allowing(["sqs:SendMessage"], "*", Condition=condition)
        iam.put_role_policy(RoleName="send", PolicyName="queue", PolicyDocument=policy)
        return str(json.load(functions.invoke(FunctionName="send")["Payload"]))

    assert answer_if_allowed_for(function_arn) == "sent"
    assert "AccessDenied" in answer_if_allowed_for(f"{function_arn}-other")


@check(auth=True)
def partiql_statements_need_their_own_actions(emulator: Emulator) -> None:
    iam = emulator.client("iam")
    for table in ("orders", "others"):
        create_table(emulator.client("dynamodb"), table, {"id": "S"})
    writer = emulator.client("dynamodb", **new_user(emulator, "writer"))

    def allow(action: str) -> None:
        orders = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/orders"
        policy = allowing([action], orders)
        iam.put_user_policy(UserName="writer", PolicyName="table", PolicyDocument=policy)

    def insert(*tables: str) -> str | None:
        value = "VALUE {'id': ?}"
        statements = [
            {"Statement": f'INSERT INTO "{table}" {value}', "Parameters": [{"S": f"{number}"}]}
            for number, table in enumerate(tables)
        ]
        return code_of(writer.batch_execute_statement, Statements=statements)

    allow("dynamodb:PartiQLInsert")
    assert insert("orders", "orders") is None
    assert insert("orders", "others") == "AccessDeniedException"
    select = 'SELECT * FROM "orders"'
    assert code_of(writer.execute_statement, Statement=select) == "AccessDeniedException"
    allow("dynamodb:PartiQLSelect")
    assert insert("orders") == "AccessDeniedException"
    assert code_of(writer.execute_statement, Statement=select) is None
    allow("dynamodb:BatchExecuteStatement")
    assert insert("orders") == "AccessDeniedException"


@check(auth=True)
def lambda_actions_are_named_as_iam_has_them(emulator: Emulator) -> None:
    deploy(emulator, "named", "def handle(event, context): pass")
    functions = emulator.client("lambda", **new_user(emulator, "nobody"))
    mapping = {"UUID": str(uuid.uuid4())}

    def refusal(call: Callable[..., Any], **arguments: Any) -> str:
        with pytest.raises(ClientError, match="AccessDenied") as refused:
            call(**arguments)
        return str(refused.value)

    assert "lambda:InvokeFunction" in refusal(functions.invoke, FunctionName="named")
    for call, arguments, action in (
        (functions.update_event_source_mapping, mapping, "UpdateEventSourceMapping"),
        (functions.delete_event_source_mapping, mapping, "DeleteEventSourceMapping"),
        (functions.delete_alias, {"FunctionName": "named", "Name": "live"}, "DeleteAlias"),
    ):
        assert f"lambda:{action} " in refusal(call, **arguments) + " "
