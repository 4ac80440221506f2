"""Who may use a customer managed KMS key, of which the emulator only remembers the name.

The key's own policy and those of the role apply, as the emulator evaluates them for KMS itself.
Permissions are checked on each call here; AWS caches data keys for some minutes. Keys that AWS
manages or owns are not checked.
"""

from __future__ import annotations

import json
from typing import Any

from local.patches import around, internal, patch
from local.patches.hooks import Call, caller_denied, customer_key_of_queue, deny_more, role_may

JsonObject = dict[str, Any]
Response = tuple[int, dict[str, str], bytes]

OF_SENDERS = ("kms:GenerateDataKey", "kms:Decrypt")
OF_RECEIVERS = ("kms:Decrypt",)
# Calls of DynamoDB that read or write items: only these use the table's key.
ON_ITEMS = ("Get", "Put", "Update", "Delete", "BatchGet", "BatchWrite", "ConditionCheck")


@patch
def encrypted_queues_need_the_key() -> None:
    """AWS: senders need kms:GenerateDataKey and kms:Decrypt, receivers kms:Decrypt.

    On the key of the queue; "Key management", Amazon SQS Developer Guide. Otherwise
    KMS.AccessDeniedException. The emulator checks nothing. Only if IAM is enforced.
    """
    if not internal("app", "AUTH"):
        return
    key_of = customer_key_of_queue()
    denied = caller_denied()
    error = internal("services.sqs", "_Err")
    caller = internal("core.iam_evaluator", "caller_arn")
    needed = {"sqs:SendMessage": OF_SENDERS, "sqs:ReceiveMessage": OF_RECEIVERS}
    internal("services.sqs", "_QUERY_COMPAT_CODES")["KmsAccessDenied"] = "KMS.AccessDeniedException"

    @around("services.sqs", "_get_q")
    def queue_for(original: Any, url: str, action: str | None = None) -> JsonObject:
        queue: JsonObject = original(url, action)
        key_arn = key_of(queue) if action in needed else None
        for key_action in needed[action] if action and key_arn else ():
            if denied(key_action, key_arn, _context_of_queue(queue)):
                text = f"User: {caller()} is not authorized to perform: {key_action} on {key_arn}"
                raise error("KmsAccessDenied", text, 400)
        return queue


@patch
def mappings_need_the_key_of_the_queue() -> None:
    """AWS: to poll an encrypted queue, Lambda needs the role's kms:Decrypt on the queue's key.

    "Using Lambda with Amazon SQS", AWS Lambda Developer Guide. Without it nothing is delivered. The
    emulator delivers. Only if IAM is enforced.
    """
    if not internal("app", "AUTH"):
        return
    key_of = customer_key_of_queue()
    may = role_may()

    @around("services.lambda_svc", "_sqs_esm_concurrency")
    def concurrency(
        original: Any, esm: JsonObject, func_rec: Any, config: Any, queue: Any = None
    ) -> int:
        key_arn = key_of(queue) if queue else None
        for action in OF_RECEIVERS if key_arn else ():
            if not may(config.get("Role", ""), action, str(key_arn), _context_of_queue(queue)):
                esm["LastProcessingResult"] = f"PROBLEM: the role of the function may not {action}"
                return 0  # as if there were no message
        allowed: int = original(esm, func_rec, config, queue)
        return allowed


def _context_of_queue(queue: JsonObject) -> dict[str, str]:
    arn = queue["attributes"]["QueueArn"]
    return {
        "kms:viaservice": f"sqs.{arn.split(':')[3]}.amazonaws.com",
        "kms:encryptioncontext:aws:sqs:arn": arn,
    }


@patch
def encrypted_tables_need_the_key() -> None:
    """AWS: reading or writing items needs kms:Decrypt on the table's key, through DynamoDB.

    "How DynamoDB uses AWS KMS", Amazon DynamoDB Developer Guide: DynamoDB opens the table key in
    the caller's name. The emulator checks nothing. Only if IAM is enforced.
    """
    if not internal("app", "AUTH"):
        return
    tables = internal("services.dynamodb", "_tables")
    resolve = internal("services.kms", "_resolve_key")

    def is_on_items(action: str) -> bool:
        name = action.partition(":")[2]
        return name.startswith("PartiQL") or name in {
            "Query",
            "Scan",
            *(f"{verb}Item" for verb in ON_ITEMS),
        }

    def require_the_key(call: Call) -> Any:
        if call.service != "dynamodb" or not is_on_items(call.action):
            return None
        table = tables.get(call.resource_arn.partition(":table/")[2].partition("/")[0]) or {}
        key = resolve((table.get("SSEDescription") or {}).get("KMSMasterKeyArn"))
        if not key:
            return None
        context = {"kms:viaservice": f"dynamodb.{call.region}.amazonaws.com"}
        enforce = internal("core.iam_evaluator", "enforce")
        return enforce(call.access_key_id, "kms:Decrypt", "kms", call.region, key["Arn"], context)

    deny_more(require_the_key)


@patch
def log_groups_need_a_key_that_lets_logs_use_it() -> None:
    """AWS: the key of a log group must let CloudWatch Logs use it for that log group.

    "Encrypt log data in CloudWatch Logs using AWS Key Management Service", Amazon CloudWatch Logs
    User Guide. Otherwise CreateLogGroup and AssociateKmsKey are refused. The emulator accepts any
    key. Only if IAM is enforced.
    """
    if not internal("app", "AUTH"):
        return
    context_of = internal("core.iam_evaluator", "EvalContext")
    evaluate = internal("core.iam_evaluator", "evaluate_resource_policy")
    resolve = internal("services.kms", "_resolve_key")
    arn_of = internal("services.cloudwatch_logs", "_make_group_arn_no_star")
    error = internal("services.cloudwatch_logs", "error_response_json")

    def may_use(key: JsonObject | None, action: str, group_arn: str) -> bool:
        if key is None:
            return False
        _, _, _, region, account, *_ = group_arn.split(":")
        request = context_of(
            principal_arn="",
            principal_type="Service",
            principal_account=account,
            action=action,
            resource_arn=key["Arn"],
            region=region,
            service_context={"kms:encryptioncontext:aws:logs:arn": group_arn},
        )
        logs = f"logs.{region}.amazonaws.com"
        return bool(evaluate(key.get("Policy"), request, logs).decision == "Allow")

    @around("services.cloudwatch_logs", "handle_request")
    async def handle(  # noqa: PLR0917 - as the emulator has it
        original: Any,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query_params: Any,
    ) -> Response:
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        data = json.loads(body or b"{}") if action in {"CreateLogGroup", "AssociateKmsKey"} else {}
        if key_id := data.get("kmsKeyId"):
            group_arn, key = arn_of(data["logGroupName"]), resolve(key_id)
            if not all(may_use(key, one, group_arn) for one in OF_SENDERS):
                text = (
                    "The specified KMS key does not exist or is not allowed to be used with "
                    f"Arn '{group_arn}'"
                )
                return error("AccessDeniedException", text, 400)  # type: ignore[no-any-return]
        response: Response = await original(method, path, headers, body, query_params)
        return response


@patch
def encrypted_secrets_need_the_key() -> None:
    """AWS: reading a secret needs kms:Decrypt on its key, through Secrets Manager.

    "Secret encryption and decryption in AWS Secrets Manager", AWS Secrets Manager User Guide: with
    the secret's ARN in the encryption context. The emulator checks nothing. Only if IAM is
    enforced.
    """
    if not internal("app", "AUTH"):
        return
    find = internal("services.secretsmanager", "_resolve")
    resolve = internal("services.kms", "_resolve_key")

    def require_the_key(call: Call) -> Any:
        if call.action != "secretsmanager:GetSecretValue":
            return None
        _, secret = find(call.resource_arn)
        key = resolve(secret.get("KmsKeyId")) if secret else None
        if not key:
            return None
        context = {
            "kms:viaservice": f"secretsmanager.{call.region}.amazonaws.com",
            "kms:encryptioncontext:secretarn": secret["ARN"],
        }
        enforce = internal("core.iam_evaluator", "enforce")
        return enforce(call.access_key_id, "kms:Decrypt", "kms", call.region, key["Arn"], context)

    deny_more(require_the_key)
