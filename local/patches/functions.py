"""How a queue invokes a function, and how the calls of a function appear to other services."""

from __future__ import annotations

import json
import time
from contextvars import ContextVar
from typing import Any

from local.patches import around, internal, patch
from local.patches.hooks import role_may

JsonObject = dict[str, Any]

MAX_BATCH_BYTES = 6 * 1024 * 1024
MAX_MESSAGE_BYTES = 256 * 1024
MESSAGES_A_RECEIVE = 10

# Lambda's calls of SQS with the function's role.
QUEUE_ACTIONS = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
PERMISSIONS_ARE_KEPT_SECONDS = 1.0


@patch
def malformed_batch_responses_fail_the_batch() -> None:
    """AWS: a batch response with an unknown, empty or missing itemIdentifier fails the whole batch.

    So does invalid JSON; "Handling errors for an SQS event source in Lambda", AWS Lambda Developer
    Guide. Null, {} and an empty or null batchItemFailures mean success. The emulator ignores what
    it does not understand, and so deletes messages that the function has reported as failed.
    """
    mapping_in_work: ContextVar[JsonObject | None] = ContextVar("mapping_in_work", default=None)

    @around("services.lambda_svc", "_run_sqs_batch")
    def run(  # noqa: PLR0917 - as the emulator has it
        original: Any,
        esm: JsonObject,
        func_rec: JsonObject,
        event: JsonObject,
        batch: list[JsonObject],
        queue_url: str,
        queue_name: str,
    ) -> None:
        mapping_in_work.set(esm)
        original(esm, func_rec, event, batch, queue_url, queue_name)

    @around("services.lambda_svc", "_execute_function")
    def execute(original: Any, func: JsonObject, event: Any) -> JsonObject:
        result: JsonObject = original(func, event)
        mapping = mapping_in_work.get()
        if mapping is None or result.get("error"):
            return result
        if "ReportBatchItemFailures" not in mapping.get("FunctionResponseTypes", []):
            return result
        if _is_batch_response(result.get("body"), event["Records"]):
            # The emulator fails on null, which to AWS means that nothing has failed.
            has_failures = bool(_failures_of(result.get("body")))
            return result if has_failures else result | {"body": {"batchItemFailures": []}}
        body = {
            "errorType": "MalformedBatchResponse",
            "errorMessage": f"Not a batch response for these messages: {result.get('body')!r:.500}",
        }
        return result | {"error": True, "body": body}


def _is_batch_response(response: Any, records: list[JsonObject]) -> bool:
    if not isinstance(response, dict | None):
        return False
    failures = _failures_of(response)
    message_ids = {record["messageId"] for record in records}
    return isinstance(failures, list | None) and all(
        isinstance(failure, dict) and failure.get("itemIdentifier") in message_ids
        for failure in failures or []
    )


def _failures_of(response: JsonObject | None) -> Any:
    return (response or {}).get("batchItemFailures")


@patch
def mappings_need_the_permissions_of_the_role() -> None:
    """AWS: Lambda reads the queue with the function's role, which needs three actions of SQS.

    "Using Lambda with Amazon SQS", AWS Lambda Developer Guide. Without them the mapping cannot be
    created, and an existing one stops. The emulator reads the queue in its own name. (Without
    sqs:DeleteMessage, AWS keeps redelivering; here that stops the mapping, too.) Only if IAM is
    enforced.
    """
    if not internal("app", "AUTH"):
        return
    functions = internal("services.lambda_svc", "_get_func_record_for_ref")
    error = internal("services.lambda_svc", "error_response_json")
    may = role_may()

    def denied_action(role_arn: str, queue_arn: str) -> str | None:
        return next((one for one in QUEUE_ACTIONS if not may(role_arn, one, queue_arn)), None)

    @around("services.lambda_svc", "_create_esm")
    def create(original: Any, data: JsonObject) -> Any:
        queue_arn = data.get("EventSourceArn", "")
        _, config, _ = functions(data.get("FunctionName", ""))
        if ":sqs:" in queue_arn and config:
            denied = denied_action(config.get("Role", ""), queue_arn)
            if denied:
                action = denied.partition(":")[2]
                message = (
                    f"The provided execution role does not have permissions to call {action} on SQS"
                )
                return error("InvalidParameterValueException", message, 400)
        return original(data)

    kept: dict[str, tuple[float, str | None]] = {}

    @around("services.lambda_svc", "_sqs_esm_concurrency")
    def concurrency(
        original: Any, esm: JsonObject, func_rec: Any, config: Any, queue: Any = None
    ) -> int:
        checked, denied = kept.get(esm["UUID"], (0.0, None))
        if time.monotonic() - checked > PERMISSIONS_ARE_KEPT_SECONDS:
            denied = denied_action(config.get("Role", ""), esm["EventSourceArn"])
            kept[esm["UUID"]] = (time.monotonic(), denied)
        if denied:
            esm["LastProcessingResult"] = f"PROBLEM: the role of the function may not {denied}"
            return 0  # as if there were no message
        allowed: int = original(esm, func_rec, config, queue)
        return allowed


@patch
def mappings_fill_batches_above_10() -> None:
    """AWS: a batch has up to 10,000 messages or 6 MB, collected by many receives.

    "Configuring scaling behavior for SQS event source mappings" and "Create and configure an Amazon
    SQS event source mapping", AWS Lambda Developer Guide. The emulator stops at the 10 messages of
    one receive.
    """

    @around("services.sqs", "_receive_messages_for_esm")
    def receive(original: Any, queue_url: str, max_number: int) -> list[JsonObject]:
        batch: list[JsonObject] = []
        room = MAX_BATCH_BYTES
        while len(batch) < max_number and room >= MAX_MESSAGE_BYTES:
            at_once = min(MESSAGES_A_RECEIVE, room // MAX_MESSAGE_BYTES, max_number - len(batch))
            received = original(queue_url, at_once)
            if not received:
                break
            batch += received
            room -= sum(len(message["body"].encode()) for message in received)
        return batch


@patch
def mappings_wait_for_the_batching_window() -> None:
    """AWS: Lambda waits until the batch is full or the batching window is over.

    "MaximumBatchingWindowInSeconds" in "CreateEventSourceMapping", AWS Lambda API Reference. The
    emulator delivers at once. Here the window begins when the first waiting message is seen, and
    messages become invisible at its end rather than one by one.
    """
    waiting_since: dict[str, float] = {}

    @around("services.lambda_svc", "_sqs_esm_concurrency")
    def concurrency(
        original: Any, esm: JsonObject, func_rec: Any, config: Any, queue: Any = None
    ) -> int:
        allowed: int = original(esm, func_rec, config, queue)
        window = esm.get("MaximumBatchingWindowInSeconds") or 0
        if not window or not queue:
            return allowed
        now = time.time()
        waiting = sum(message.get("visible_at", 0) <= now for message in list(queue["messages"]))
        since = waiting_since.setdefault(esm["UUID"], now)
        if waiting and (waiting >= esm["BatchSize"] or now - since >= window):
            del waiting_since[esm["UUID"]]
            return allowed
        if not waiting:
            del waiting_since[esm["UUID"]]
        return 0  # no batch yet


@patch
def calls_of_functions_carry_the_function_arn() -> None:
    """AWS: a call by a function's code has lambda:SourceFunctionArn; Lambda's own calls do not.

    "Using source function ARN to control function access behavior", AWS Lambda Developer Guide. So
    a policy can deny to the code what only Lambda needs. The emulator never sets the key.
    """
    sessions = internal("services.sts", "_sessions")

    @around("core.lambda_runtime", "execution_credentials")
    def credentials(original: Any, config: JsonObject) -> dict[str, str]:
        environment: dict[str, str] = original(config)
        session = sessions.get(environment["AWS_ACCESS_KEY_ID"])
        if session is not None:
            # arn:aws:lambda:region:account:function:name[:version]
            session["SourceFunctionArn"] = ":".join(config["FunctionArn"].split(":")[:7])
        return environment

    @around("core.iam_evaluator", "_principal_keys")
    def principal_keys(original: Any, credential: Any) -> JsonObject:
        keys: JsonObject = original(credential)
        session = sessions.get(credential.access_key_id) or {}
        if "SourceFunctionArn" in session:
            keys["lambda:sourcefunctionarn"] = session["SourceFunctionArn"]
        return keys


@patch
def partiql_statements_need_their_own_actions() -> None:
    """AWS: each PartiQL statement needs dynamodb:PartiQLInsert, -Update, -Delete or -Select.

    On the table that it names; "IAM security policies with PartiQL for DynamoDB", Amazon DynamoDB
    Developer Guide. The emulator requires an action named like the API call, which IAM does not
    have, on every resource. (In a batch, AWS refuses a statement; here the whole call is refused.)
    """
    parse = internal("services.dynamodb", "_parse_partiql")
    table_arn = internal("core.iam_actions", "_dynamodb_table_arn")

    @around("core.iam_actions", "dynamodb_transaction_checks")
    def checks(
        original: Any, iam_action: str, body: bytes, region: str, account_id: str
    ) -> list[tuple[str, str]]:
        members = {
            "dynamodb:ExecuteStatement": None,
            "dynamodb:BatchExecuteStatement": "Statements",
            "dynamodb:ExecuteTransaction": "TransactStatements",
        }
        if iam_action not in members:
            others: list[tuple[str, str]] = original(iam_action, body, region, account_id)
            return others
        needed = []
        try:
            request = json.loads(body)
            member = members[iam_action]
            for one in request[member] if member else [request]:
                statement = parse(one["Statement"], one.get("Parameters", []))
                action = f"dynamodb:PartiQL{statement['op'].capitalize()}"
                needed.append((action, table_arn(statement["table"], region, account_id)))
        except (ValueError, LookupError, TypeError):
            return []  # not understood: for the account's root only
        return needed


@patch
def lambda_actions_are_named_as_iam_has_them() -> None:
    """AWS: each call of the Lambda API needs the action of its name, Invoke lambda:InvokeFunction.

    "Actions, resources, and condition keys for AWS Lambda", Service Authorization Reference. The
    emulator lets anybody change and delete event source mappings, and requires ListAliases for any
    change of an alias.
    """
    internal("core.iam_actions", "_BOTOCORE_SERVICE_MAP")["lambda"] = ["lambda"]
    operation = internal("core.iam_actions", "_match_rest_action")
    names = {"Invoke": "InvokeFunction", "InvokeWithResponseStream": "InvokeFunction"}

    @around("core.iam_actions", "_lambda_action")
    def action(original: Any, method: str, path: str) -> str | None:
        found: str | None = operation("lambda", method, path) or original(method, path)
        return names.get(found or "", found)
