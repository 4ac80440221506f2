"""Calls that the policies deny, and calls that they do not allow."""

from typing import Any, NamedTuple

from local.emulator import ACCOUNT, REGION
from tests.e2e.needs import (
    ARN,
    DEAD_LETTER,
    DYNAMODB_ENDPOINT,
    ENCRYPT,
    FLOW_LOG,
    FLOW_LOGS,
    FLOW_LOGS_ASSUME,
    FLOW_LOGS_TRUST,
    FUNCTION,
    INGEST,
    INSERT,
    INVOCATION,
    INVOKE,
    KEY,
    KEY_POLICY,
    LOG_GROUPS,
    NEEDS,
    OTHER_ACCOUNT_ID,
    PROCESS,
    PUT,
    QUEUE,
    QUEUE_POLICIES,
    READ_SECRET,
    ROLES,
    SECRET,
    SECRET_KEY,
    SECRETS_ENDPOINT,
    SEND,
    SEND_DEAD_LETTER,
    SEND_KEY,
    SQS_ENDPOINT,
    TABLE,
    TABLE_KEY,
    TARGET_GROUP,
    TRUSTS,
    by_code,
    by_lambda,
    decrypt_environment,
    through,
)
from tests.e2e.policies import Call, role


class Denial(NamedTuple):
    policy: str
    sid: str
    action: str  # as in the policy
    call: Call
    otherwise: Call  # that it does not deny


def denials_to_code(function: str, sid: str, action: str, call: str, resource: str) -> Denial:
    """Returns a call denied to the function's code, but not to Lambda with the same role."""
    code, service = by_code(function, call, resource), by_lambda(function, call, resource)
    return Denial(ROLES[function], sid, action, code, service)


DENIALS = [
    *(
        denials_to_code(function, "DenyNetworkInterfacesToCode", "ec2:*", action, f"{ARN}:x/x-1")
        for function in ROLES
        for action in [
            "ec2:AssignPrivateIpAddresses",
            "ec2:AuthorizeSecurityGroupEgress",
            "ec2:CreateNetworkInterface",
            "ec2:DeleteNetworkInterface",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSubnets",
            "ec2:ModifyNetworkInterfaceAttribute",
            "ec2:RunInstances",
            "ec2:UnassignPrivateIpAddresses",
        ]
    ),
    *(
        denials_to_code("process", "DenyPollingByCode", action, action, resource)
        for resource in (QUEUE, DEAD_LETTER, f"{QUEUE}-another")
        for action in [
            "sqs:ChangeMessageVisibility",
            "sqs:DeleteMessage",
            "sqs:GetQueueAttributes",
            "sqs:PurgeQueue",
            "sqs:ReceiveMessage",
        ]
    ),
    *(
        Denial(policy, "DenyWithoutTLS", "sqs:*", call._replace(tls=False), call)
        for policy, queue in zip(QUEUE_POLICIES, (QUEUE, DEAD_LETTER), strict=True)
        for principal in (role("e2e-ingest"), role("x", OTHER_ACCOUNT_ID), "sqs.amazonaws.com")
        for action in ("SendMessage", "ReceiveMessage", "PurgeQueue", "SetQueueAttributes")
        for call in [Call(principal, f"sqs:{action}", queue)]
    ),
]


class Refusal(NamedTuple):
    """A needed call, and one that differs from it and must be refused."""

    policy: str
    needed: Call
    refused: Call


def refusals(policy: str, needed: Call, *changes: dict[str, Any]) -> list[Refusal]:
    return [
        Refusal(
            policy,
            needed,
            needed._replace(**{**change, "context": {**needed.context, **change["context"]}})
            if "context" in change
            else needed._replace(**change),
        )
        for change in changes
    ]


OTHER_GROUP = LOG_GROUPS["/aws/lambda/e2e-ingest"].replace("e2e-", "other-")
OTHER_ACCOUNT = {"aws:SourceAccount": OTHER_ACCOUNT_ID}

REFUSALS = [
    # Queues and tables: only the system's own.
    *refusals(INGEST, SEND, {"resource": DEAD_LETTER}, {"resource": f"{QUEUE}-another"}),
    *refusals(PROCESS, SEND_DEAD_LETTER, {"resource": QUEUE}, {"resource": f"{QUEUE}-another"}),
    *refusals(PROCESS, INSERT, {"resource": f"{TABLE}-another"}),
    *refusals(PROCESS, PUT, {"resource": f"{TABLE}-another"}),
    *refusals(
        PROCESS,
        by_lambda("process", "sqs:ReceiveMessage", QUEUE),
        {"resource": DEAD_LETTER},
        {"resource": f"{QUEUE}-another"},
        {"action": "sqs:PurgeQueue"},
        {"action": "sqs:ChangeMessageVisibility"},
        {"action": "sqs:SendMessage"},
    ),
    *refusals(
        INGEST,
        READ_SECRET,
        {"resource": f"{SECRET[:-7]}-another-AbCdEf"},
        *(
            {"action": f"secretsmanager:{action}"}
            for action in ("PutSecretValue", "DescribeSecret", "DeleteSecret", "ListSecrets")
        ),
    ),
    *refusals(
        SECRETS_ENDPOINT,
        READ_SECRET,
        {"resource": f"{SECRET[:-7]}-another-AbCdEf"},
        {"action": "secretsmanager:PutSecretValue"},
        {"principal": role("e2e-ingest", OTHER_ACCOUNT_ID)},
    ),
    *refusals(
        INGEST,
        SECRET_KEY,
        {"context": {"kms:ViaService": ""}},
        {"context": through("ssm")},
        {"context": {"kms:EncryptionContext:SecretARN": ""}},
        {"context": {"kms:EncryptionContext:SecretARN": f"{SECRET[:-7]}-another-AbCdEf"}},
        {"action": "kms:Encrypt"},
    ),
    # Keys: only through one service, in this region, for these actions.
    *refusals(
        INGEST,
        SEND_KEY,
        {"context": {"kms:ViaService": ""}},
        {"context": through("dynamodb")},
        {"context": {"kms:ViaService": "sqs.eu-west-1.amazonaws.com"}},
        {"resource": KEY.replace(REGION, "eu-west-1")},
        *({"action": f"kms:{action}"} for action in ("CreateGrant", "Encrypt", "PutKeyPolicy")),
    ),
    *refusals(
        PROCESS,
        TABLE_KEY,
        {"context": {"kms:ViaService": ""}},
        {"context": through("s3")},
        {"resource": KEY.replace(REGION, "eu-west-1")},
        *(
            {"action": f"kms:{action}"}
            for action in ("CreateGrant", "GenerateDataKey", "ScheduleKeyDeletion")
        ),
    ),
    *(
        refusal
        for function in ROLES
        for refusal in refusals(
            ROLES[function],
            decrypt_environment(function),
            {"context": {"kms:EncryptionContext:aws:lambda:FunctionArn": f"{FUNCTION}-another"}},
            {"context": {"kms:EncryptionContext:aws:lambda:FunctionArn": ""}},
            {"resource": KEY.replace(REGION, "eu-west-1")},
            *({"action": f"kms:{action}"} for action in ("CreateGrant", "Encrypt")),
        )
    ),
    *refusals(
        KEY_POLICY,
        ENCRYPT,
        {"context": {"kms:EncryptionContext:aws:logs:arn": OTHER_GROUP}},
        {"context": {"kms:EncryptionContext:aws:logs:arn": ""}},
        {"action": "kms:PutKeyPolicy"},
        {"action": "kms:CreateGrant"},
        {"principal": "logs.eu-west-1.amazonaws.com"},
        {"principal": "lambda.amazonaws.com"},
    ),
    *refusals(KEY_POLICY, SEND_KEY, {"principal": role("e2e-ingest", OTHER_ACCOUNT_ID)}),
    # Who may invoke ingest.
    *refusals(
        INVOKE,
        INVOCATION,
        {"context": {"aws:SourceArn": TARGET_GROUP.replace("/0123", "/9999")}},
        {"context": {"aws:SourceArn": TARGET_GROUP.replace("e2e-ingest", "another")}},
        {"context": {"aws:SourceArn": ""}},
        {"context": {"aws:SourceAccount": ""}},
        {"context": OTHER_ACCOUNT},
        {"resource": f"{FUNCTION}-process:live"},
        {"action": "lambda:InvokeFunctionUrl"},
        {"action": "lambda:UpdateFunctionCode"},
        {"principal": "apigateway.amazonaws.com"},
        {"principal": role("anybody")},
    ),
    # Who may assume a role.
    *(
        refusal
        for need in NEEDS
        if need.policy in TRUSTS.values()
        for refusal in refusals(
            need.policy,
            need.call,
            {"context": OTHER_ACCOUNT},
            {"context": {"aws:SourceAccount": ""}},
            {"principal": "ec2.amazonaws.com"},
            {"principal": role("anybody")},
            {"principal": role("e2e-ingest")},
            {"action": "sts:TagSession"},
        )
    ),
    *refusals(
        FLOW_LOGS_TRUST,
        FLOW_LOGS_ASSUME,
        {"context": OTHER_ACCOUNT},
        {"context": {"aws:SourceArn": FLOW_LOG.replace(ACCOUNT, OTHER_ACCOUNT_ID)}},
        {"context": {"aws:SourceArn": FLOW_LOG.replace(REGION, "eu-west-1")}},
        {"context": {"aws:SourceArn": ""}},
        {"context": {"aws:SourceAccount": ""}},
        {"principal": "lambda.amazonaws.com"},
        {"principal": role("e2e-process")},
    ),
    # What passes the VPC endpoints.
    *refusals(
        SQS_ENDPOINT,
        SEND,
        {"principal": role("e2e-ingest", OTHER_ACCOUNT_ID)},
        {"resource": f"{QUEUE}-another"},
        {"resource": QUEUE.replace(ACCOUNT, OTHER_ACCOUNT_ID)},
        {"resource": QUEUE.replace(REGION, "eu-west-1")},
        *(
            {"action": f"sqs:{action}"}
            for action in ("ReceiveMessage", "DeleteMessage", "PurgeQueue", "SetQueueAttributes")
        ),
    ),
    *refusals(
        DYNAMODB_ENDPOINT,
        PUT,
        {"principal": role("e2e-process", OTHER_ACCOUNT_ID)},
        {"resource": f"{TABLE}-another"},
        {"resource": TABLE.replace(ACCOUNT, OTHER_ACCOUNT_ID)},
        {"resource": f"{TABLE}/index/any"},
        *(
            {"action": f"dynamodb:{action}"}
            for action in (
                "DeleteItem",
                "DeleteTable",
                "GetItem",
                "PartiQLSelect",
                "Query",
                "Scan",
                "UpdateItem",
            )
        ),
    ),
    # Which logs are written.
    *refusals(
        INGEST,
        by_code("ingest", "logs:PutLogEvents", f"{LOG_GROUPS['/aws/lambda/e2e-ingest']}:x"),
        {"resource": f"{LOG_GROUPS['/aws/lambda/e2e-process']}:x"},
        {"resource": f"{OTHER_GROUP}:x"},
        {"action": "logs:GetLogEvents"},
        {"action": "logs:DeleteLogStream"},
    ),
    *refusals(
        FLOW_LOGS,
        Call(role("x"), "logs:PutLogEvents", f"{LOG_GROUPS['/aws/vpc/e2e-flow-logs']}:x"),
        {"resource": f"{LOG_GROUPS['/aws/lambda/e2e-ingest']}:x"},
        {"action": "logs:GetLogEvents"},
        {"action": "logs:DeleteLogGroup"},
    ),
]
