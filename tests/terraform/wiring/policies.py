"""The statements of each policy."""

from typing import Any

from tests.terraform.wiring.names import DEAD_LETTER, FUNCTIONS, QUEUE, SECRET, TABLE, Of


def statement(
    sid: str,
    actions: str,
    resources: Any,
    condition: tuple[str, str, Any] | None = None,
    principal: tuple[str, Any] | None = None,
    *,
    effect: str | None = None,
) -> dict[str, Any]:
    """Returns a statement as data.aws_iam_policy_document has it."""
    test = condition and {
        "test": condition[0],
        "variable": condition[1],
        "values": condition[2] if isinstance(condition[2], list) else [condition[2]],
    }
    return {
        "sid": sid or None,
        "effect": effect,
        "actions": actions.split(),
        "resources": resources if isinstance(resources, list) else [resources],
        "principals": [{"type": principal[0], "identifiers": [principal[1]]}] if principal else [],
        "condition": [test] if test else [],
    }


EVERYBODY = ("*", "*")
REGION_AND_ACCOUNT = "eu-central-1:123456789012"
ANY_KEY = "arn:aws:kms:eu-central-1:*:key/*"
CODE = ("Null", "lambda:SourceFunctionArn", "false")
BY_SQS = ("StringEquals", "kms:ViaService", "sqs.eu-central-1.amazonaws.com")
BY_DYNAMODB = ("StringLike", "kms:ViaService", "dynamodb.*.amazonaws.com")
POLLING = "sqs:ReceiveMessage sqs:DeleteMessage sqs:GetQueueAttributes"
INTERFACES = (
    "ec2:AssignPrivateIpAddresses ec2:CreateNetworkInterface ec2:DeleteNetworkInterface"
    " ec2:UnassignPrivateIpAddresses"
)
ORDERS_TABLE = f"arn:aws:dynamodb:{REGION_AND_ACCOUNT}:table/orders"
ORDERS = f"arn:aws:sqs:{REGION_AND_ACCOUNT}:orders"


def runtime(function: str, *, traced: bool) -> list[dict[str, Any]]:
    logs = f"arn:aws:logs:{REGION_AND_ACCOUNT}:log-group:/aws/lambda/{function}:*"
    traces = statement("WriteTraces", "xray:PutTraceSegments xray:PutTelemetryRecords", "*")
    interfaces = "arn:aws:ec2:eu-central-1:*:*/*"
    describe = "ec2:DescribeNetworkInterfaces ec2:DescribeSubnets"
    return [
        statement("WriteLogs", "logs:CreateLogStream logs:PutLogEvents", logs),
        *([traces] if traced else []),
        statement("ManageNetworkInterfaces", INTERFACES, interfaces),
        statement("DescribeNetworkInterfaces", describe, "*"),
        statement("DenyNetworkInterfacesToCode", "ec2:*", "*", CODE, effect="Deny"),
    ]


def environment(function: str) -> list[dict[str, Any]]:
    variable = "kms:EncryptionContext:aws:lambda:FunctionArn"
    whose = ("StringEquals", variable, f"arn:aws:lambda:{REGION_AND_ACCOUNT}:function:{function}")
    return [statement("DecryptEnvironment", "kms:Decrypt", ANY_KEY, whose)]


SENDING = ("sqs:SendMessage", [Of(f"{QUEUE}.arn"), Of(f"{DEAD_LETTER}.arn")])
WRITING = ("dynamodb:PartiQLInsert dynamodb:PutItem", [Of(f"{TABLE}.arn")])
OF_THE_ACCOUNT = ("StringEquals", "aws:PrincipalAccount", "123456789012")


def over_tls(queue: str) -> list[dict[str, Any]]:
    tls = ("Bool", "aws:SecureTransport", "false")
    return [statement("DenyWithoutTLS", "sqs:*", queue, tls, EVERYBODY, effect="Deny")]


def trust(service: str) -> dict[str, Any]:
    account = ("StringEquals", "aws:SourceAccount", "123456789012")
    principal = ("Service", f"{service}.amazonaws.com")
    return statement("", "sts:AssumeRole", [], account, principal)


BY_SECRETS_MANAGER = (
    "StringEquals",
    "kms:ViaService",
    "secretsmanager.eu-central-1.amazonaws.com",
)
OF_THE_SECRET = {
    "test": "StringEquals",
    "variable": "kms:EncryptionContext:SecretARN",
    "values": [SECRET],
}


# Run: policy: statements.
POLICIES: dict[str, dict[str, list[dict[str, Any]]]] = {
    "defaults": {
        f"{one}.data.aws_iam_policy_document.runtime": runtime(f"async-ingest-{one}", traced=True)
        for one in FUNCTIONS
    },
    "one_existing_role": {
        "data.aws_iam_policy_document.secret": [
            statement("ReadSecret", "secretsmanager:GetSecretValue", SECRET),
            (decrypt := statement("DecryptSecret", "kms:Decrypt", ANY_KEY, BY_SECRETS_MANAGER))
            | {"condition": [*decrypt["condition"], OF_THE_SECRET]},
        ],
        'vpc_endpoints.data.aws_iam_policy_document.interface["secrets_manager"]': [
            statement(
                "ReadSecrets", "secretsmanager:GetSecretValue", SECRET, OF_THE_ACCOUNT, ("AWS", "*")
            ),
        ],
    },
    "given": {
        **{
            f"{one}.data.aws_iam_policy_document.runtime": runtime(f"orders-{one}", traced=False)
            for one in FUNCTIONS
        },
        **{
            f"{one}.data.aws_iam_policy_document.environment": environment(f"orders-{one}")
            for one in FUNCTIONS
        },
        **{f"{one}.data.aws_iam_policy_document.trust": [trust("lambda")] for one in FUNCTIONS},
        "network.data.aws_iam_policy_document.flow_logs_trust": [
            {
                **trust("vpc-flow-logs"),
                "condition": [
                    *trust("vpc-flow-logs")["condition"],
                    {
                        "test": "ArnLike",
                        "variable": "aws:SourceArn",
                        "values": [f"arn:aws:ec2:{REGION_AND_ACCOUNT}:vpc-flow-log/*"],
                    },
                ],
            }
        ],
        "network.data.aws_iam_policy_document.flow_logs": [
            statement(
                "WriteFlowLogs",
                "logs:CreateLogStream logs:PutLogEvents logs:DescribeLogStreams",
                f"arn:aws:logs:{REGION_AND_ACCOUNT}:log-group:mock:*",
            ),
            statement(
                "DescribeLogGroups",
                "logs:DescribeLogGroups",
                f"arn:aws:logs:{REGION_AND_ACCOUNT}:log-group:*",
            ),
        ],
        "queue.data.aws_iam_policy_document.producer": [
            statement("SendToQueue", "sqs:SendMessage", ORDERS),
            statement("EncryptForQueue", "kms:GenerateDataKey kms:Decrypt", ANY_KEY, BY_SQS),
        ],
        "queue.data.aws_iam_policy_document.consumer": [
            statement("PollQueue", POLLING, ORDERS),
            statement(
                "DenyPollingByCode",
                f"{POLLING} sqs:ChangeMessageVisibility sqs:PurgeQueue",
                "*",
                CODE,
                effect="Deny",
            ),
            statement("SendToDeadLetterQueue", "sqs:SendMessage", f"{ORDERS}-dead-letter"),
            statement("DecryptFromQueue", "kms:GenerateDataKey kms:Decrypt", ANY_KEY, BY_SQS),
        ],
        'queue.data.aws_iam_policy_document.tls_only["source"]': over_tls(ORDERS),
        'queue.data.aws_iam_policy_document.tls_only["dead_letter"]': over_tls(
            f"{ORDERS}-dead-letter"
        ),
        "table.data.aws_iam_policy_document.writer": [
            statement("WriteItems", "dynamodb:PartiQLInsert dynamodb:PutItem", ORDERS_TABLE),
            statement("DecryptTable", "kms:Decrypt kms:DescribeKey", ANY_KEY, BY_DYNAMODB),
        ],
        'vpc_endpoints.data.aws_iam_policy_document.interface["sqs"]': [
            statement("SendToQueues", *SENDING, OF_THE_ACCOUNT, ("AWS", "*")),
        ],
        "vpc_endpoints.data.aws_iam_policy_document.dynamodb": [
            statement("WriteToTables", *WRITING, OF_THE_ACCOUNT, EVERYBODY),
        ],
        "data.aws_iam_policy_document.kms_key": [
            statement(
                "LetIAMDecide",
                "kms:*",
                "*",
                principal=("AWS", "arn:aws:iam::123456789012:root"),
            ),
            statement(
                "EncryptLogs",
                "kms:Encrypt kms:Decrypt kms:ReEncrypt* kms:GenerateDataKey*",
                "*",
                (
                    "ArnEquals",
                    "kms:EncryptionContext:aws:logs:arn",
                    [
                        f"arn:aws:logs:{REGION_AND_ACCOUNT}:log-group:{name}"
                        for name in (
                            "/aws/lambda/orders-ingest",
                            "/aws/lambda/orders-process",
                            "/aws/vpc/orders-flow-logs",
                        )
                    ],
                ),
                ("Service", "logs.eu-central-1.amazonaws.com"),
            ),
        ],
    },
}
