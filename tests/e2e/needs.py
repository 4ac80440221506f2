"""Every action that the policies allow: the call that needs it, its caller, and AWS's document."""

from typing import NamedTuple

from local.emulator import ACCOUNT, REGION
from tests.e2e.policies import Call, role

OTHER_ACCOUNT_ID = "999999999999"

# Policies, by address.
ROLES = {name: f"{name}.aws_iam_role_policy.this" for name in ("ingest", "process")}
INGEST, PROCESS = ROLES.values()
TRUSTS = {name: f"{name}.aws_iam_role.this" for name in ("ingest", "process")}
FLOW_LOGS = "network.aws_iam_role_policy.flow_logs"
FLOW_LOGS_TRUST = "network.aws_iam_role.flow_logs"
QUEUE_POLICIES = ["queue.aws_sqs_queue.this", "queue.aws_sqs_queue.dead_letter"]
INVOKE = "load_balancer.aws_lambda_permission.this"
SQS_ENDPOINT = 'vpc_endpoints.aws_vpc_endpoint_policy.interface["sqs"]'
DYNAMODB_ENDPOINT = "vpc_endpoints.aws_vpc_endpoint_policy.dynamodb"
SECRETS_ENDPOINT = 'vpc_endpoints.aws_vpc_endpoint_policy.interface["secrets_manager"]'
KEY_POLICY = "aws_kms_key.this"

# Resources, by ARN.
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:e2e"
DEAD_LETTER = f"{QUEUE}-dead-letter"
TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/e2e"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:clients-AbCdEf"
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:e2e"
TARGET_GROUP = (
    f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/e2e-ingest/0123456789abcdef"
)
FLOW_LOG = f"arn:aws:ec2:{REGION}:{ACCOUNT}:vpc-flow-log/fl-1"
ARN = f"arn:aws:ec2:{REGION}:{ACCOUNT}"
ALL_LOG_GROUPS = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group"
LOG_GROUPS = {
    name: f"{ALL_LOG_GROUPS}:{name}"
    for name in ("/aws/lambda/e2e-ingest", "/aws/lambda/e2e-process", "/aws/vpc/e2e-flow-logs")
}


def by_code(function: str, action: str, resource: str = "*", **context: str) -> Call:
    """A call that carries the function's ARN: by its code, or by Lambda for logs and traces."""
    source = {"lambda:SourceFunctionArn": f"{FUNCTION}-{function}"}
    return Call(role(f"e2e-{function}"), action, resource, source | context)


def by_lambda(function: str, action: str, resource: str = "*") -> Call:
    """A call of the Lambda service with the function's role."""
    return Call(role(f"e2e-{function}"), action, resource)


def by_service(service: str, action: str, resource: str = "*", **context: str) -> Call:
    return Call(f"{service}.amazonaws.com", action, resource, context)


def through(service: str) -> dict[str, str]:
    return {"kms:ViaService": f"{service}.{REGION}.amazonaws.com"}


def decrypt_environment(function: str) -> Call:
    """The decryption of the environment: Lambda may have no grant for a new role or key."""
    context = {"kms:EncryptionContext:aws:lambda:FunctionArn": f"{FUNCTION}-{function}"}
    return by_lambda(function, "kms:Decrypt", KEY)._replace(context=context)


class Need(NamedTuple):
    policy: str
    sid: str
    action: str  # as in the policy
    call: Call
    who: str
    document: str  # of AWS, as evidence


def grant(policy: str, sid: str, call: Call, who: str, document: str) -> Need:
    """Returns the need of an action that the policy names without a wildcard."""
    return Need(policy, sid, call.action, call, who, document)


LAMBDA = "AWS Lambda Developer Guide"
SQS = "Amazon SQS Developer Guide"
DYNAMODB = "Amazon DynamoDB Developer Guide"
LOGS = f'"Sending Lambda function logs to CloudWatch Logs", {LAMBDA}'
TRACES = f'"Visualize Lambda function invocations using AWS X-Ray", {LAMBDA}'
VPC = f'"Giving Lambda functions access to resources in an Amazon VPC", {LAMBDA}'
POLLING = f'"Creating and configuring an Amazon SQS event source mapping", {LAMBDA}'
EXECUTION_ROLE = f'"Defining Lambda function permissions with an execution role", {LAMBDA}'
SQS_ACTIONS = f'"Amazon SQS API permissions: Actions and resource reference", {SQS}'
SQS_KEYS = f'"Amazon SQS Key management", {SQS}'
PARTIQL = f'"IAM security policies with PartiQL for DynamoDB", {DYNAMODB}'
PUT_ITEM = f'"DynamoDB API permissions: Actions, resources, and conditions reference", {DYNAMODB}'
DYNAMODB_KEYS = f'"DynamoDB encryption at rest usage notes", {DYNAMODB}'
SECRET_ACTIONS = (
    '"Permissions policy examples for AWS Secrets Manager", AWS Secrets Manager User Guide'
)
SECRET_KEYS = (
    '"Secret encryption and decryption in AWS Secrets Manager", AWS Secrets Manager User Guide'
)
FLOW_LOG_ROLE = '"IAM role for publishing flow logs to CloudWatch Logs", Amazon VPC User Guide'
ENVIRONMENT = f'"Securing Lambda environment variables", {LAMBDA}'
ENDPOINT_POLICY = '"Control access to VPC endpoints using endpoint policies", AWS PrivateLink Guide'
TARGETS = '"Use Lambda functions as targets of an Application Load Balancer", ELB User Guide'
LOG_KEYS = (
    '"Encrypt log data in CloudWatch Logs using AWS Key Management Service", '
    "Amazon CloudWatch Logs User Guide"
)
KEY_POLICIES = '"Default key policy", AWS Key Management Service Developer Guide'


def needs_of_every_function(function: str) -> list[Need]:
    policy = ROLES[function]
    group = LOG_GROUPS[f"/aws/lambda/e2e-{function}"]

    def logs(action: str, resource: str, who: str) -> Need:
        return grant(policy, "WriteLogs", by_code(function, action, resource), who, LOGS)

    def traces(action: str, who: str) -> Need:
        return grant(policy, "WriteTraces", by_code(function, action), who, TRACES)

    def network(action: str, what: str, who: str) -> Need:
        call = by_lambda(function, action, f"{ARN}:{what}/x-1")
        return grant(policy, "ManageNetworkInterfaces", call, who, VPC)

    def describe(action: str, who: str) -> Need:
        call = by_lambda(function, action)
        return grant(policy, "DescribeNetworkInterfaces", call, who, VPC)

    lambda_service = [
        logs(
            "logs:CreateLogStream", f"{group}:log-stream:x", "Lambda, for the log of an environment"
        ),
        logs("logs:PutLogEvents", f"{group}:log-stream:x", "Lambda, for what the function prints"),
        traces("xray:PutTraceSegments", "Lambda, for a sampled invocation"),
        traces("xray:PutTelemetryRecords", "the X-Ray daemon in the environment"),
        *(
            network("ec2:CreateNetworkInterface", what, "Lambda, to reach the VPC")
            for what in ("network-interface", "subnet", "security-group")
        ),
        network("ec2:DeleteNetworkInterface", "network-interface", "Lambda, to leave the VPC"),
        network("ec2:AssignPrivateIpAddresses", "network-interface", "Lambda, for addresses"),
        network("ec2:UnassignPrivateIpAddresses", "network-interface", "Lambda, for addresses"),
        describe("ec2:DescribeNetworkInterfaces", "Lambda, to wait for an interface"),
        describe("ec2:DescribeSubnets", "Lambda, to inspect the subnets"),
    ]
    environment = decrypt_environment(function)
    decrypt = grant(
        policy, "DecryptEnvironment", environment, "Lambda, without a grant", ENVIRONMENT
    )
    assume = by_service("lambda", "sts:AssumeRole", **{"aws:SourceAccount": ACCOUNT})
    trust = grant(TRUSTS[function], "", assume, "Lambda, to run it", EXECUTION_ROLE)
    return [*lambda_service, decrypt, trust]


SEND = by_code("ingest", "sqs:SendMessage", QUEUE)
SEND_DEAD_LETTER = by_code("process", "sqs:SendMessage", DEAD_LETTER)
READ_SECRET = by_code("ingest", "secretsmanager:GetSecretValue", SECRET)
OF_THE_SECRET = {"kms:EncryptionContext:SecretARN": SECRET}
SECRET_KEY = by_code("ingest", "kms:Decrypt", KEY, **through("secretsmanager"), **OF_THE_SECRET)
INSERT = by_code("process", "dynamodb:PartiQLInsert", TABLE)
PUT = by_code("process", "dynamodb:PutItem", TABLE)
BY_INGEST = "ingest, for each order"
BY_SIGNED = "ingest, to check signatures"
BY_DEAD_LETTERING = "process, for a permanent failure"
BY_NEW = "process, for orders of new keys"
BY_OLD = "process, for an order with a stored key"

INVOCATION = by_service(
    "elasticloadbalancing",
    "lambda:InvokeFunction",
    f"{FUNCTION}-ingest:live",
    **{"aws:SourceArn": TARGET_GROUP, "aws:SourceAccount": ACCOUNT},
)
FLOW_LOGS_ASSUME = by_service(
    "vpc-flow-logs",
    "sts:AssumeRole",
    **{"aws:SourceAccount": ACCOUNT, "aws:SourceArn": FLOW_LOG},
)


def encryption(action: str, log_group: str) -> Call:
    return by_service(
        f"logs.{REGION}", action, **{"kms:EncryptionContext:aws:logs:arn": LOG_GROUPS[log_group]}
    )


ENCRYPT = encryption("kms:GenerateDataKey", "/aws/lambda/e2e-ingest")
SEND_KEY = by_code("ingest", "kms:GenerateDataKey", KEY, **through("sqs"))
TABLE_KEY = by_code("process", "kms:Decrypt", KEY, **through("dynamodb"))


def polling(action: str, who: str) -> Need:
    return grant(PROCESS, "PollQueue", by_lambda("process", action, QUEUE), who, POLLING)


def flow_logs(action: str) -> Need:
    resource = f"{LOG_GROUPS['/aws/vpc/e2e-flow-logs']}:log-stream:eni-1"
    call = Call(role("e2e-flow-logs"), action, resource)
    return grant(FLOW_LOGS, "WriteFlowLogs", call, "VPC flow logs", FLOW_LOG_ROLE)


NEEDS = [
    *needs_of_every_function("ingest"),
    *needs_of_every_function("process"),
    grant(INGEST, "SendToQueue", SEND, BY_INGEST, SQS_ACTIONS),
    grant(INGEST, "ReadSecret", READ_SECRET, BY_SIGNED, SECRET_ACTIONS),
    grant(INGEST, "DecryptSecret", SECRET_KEY, "Secrets Manager, for ingest", SECRET_KEYS),
    polling("sqs:ReceiveMessage", "Lambda, for each batch"),
    polling("sqs:DeleteMessage", "Lambda, after a batch"),
    polling("sqs:GetQueueAttributes", "Lambda, to scale the pollers"),
    grant(PROCESS, "SendToDeadLetterQueue", SEND_DEAD_LETTER, BY_DEAD_LETTERING, SQS_ACTIONS),
    grant(PROCESS, "WriteItems", INSERT, BY_NEW, PARTIQL),
    grant(PROCESS, "WriteItems", PUT, BY_OLD, PUT_ITEM),
    # For a customer managed key, and granted without one too: permissions that came and went with
    # kms_key would come too late and go too soon for messages under it. See test_examples.py.
    grant(INGEST, "EncryptForQueue", SEND_KEY, "SQS, for a message of ingest", SQS_KEYS),
    grant(
        INGEST,
        "EncryptForQueue",
        by_code("ingest", "kms:Decrypt", KEY, **through("sqs")),
        "SQS, to verify the data key before it encrypts",
        SQS_KEYS,
    ),
    grant(
        PROCESS,
        "DecryptFromQueue",
        Call(role("e2e-process"), "kms:Decrypt", KEY, through("sqs")),
        "SQS, for a batch that Lambda receives",
        SQS_KEYS,
    ),
    grant(
        PROCESS,
        "DecryptFromQueue",
        by_code("process", "kms:GenerateDataKey", KEY, **through("sqs")),
        "SQS, for a message that process dead-letters",
        SQS_KEYS,
    ),
    grant(PROCESS, "DecryptTable", TABLE_KEY, "DynamoDB, for the table's key", DYNAMODB_KEYS),
    grant(
        PROCESS,
        "DecryptTable",
        by_code("process", "kms:DescribeKey", KEY, **through("dynamodb")),
        "DynamoDB, to see that the key exists",
        DYNAMODB_KEYS,
    ),
    Need(KEY_POLICY, "LetIAMDecide", "kms:*", SEND_KEY, "the policies above", KEY_POLICIES),
    Need(KEY_POLICY, "LetIAMDecide", "kms:*", TABLE_KEY, "the policies above", KEY_POLICIES),
    *(
        Need(KEY_POLICY, "EncryptLogs", pattern, encryption(action, group), "logs", LOG_KEYS)
        for group in LOG_GROUPS
        for pattern, action in [
            ("kms:Encrypt", "kms:Encrypt"),
            ("kms:Decrypt", "kms:Decrypt"),
            ("kms:ReEncrypt*", "kms:ReEncryptFrom"),
            ("kms:ReEncrypt*", "kms:ReEncryptTo"),
            ("kms:GenerateDataKey*", "kms:GenerateDataKey"),
        ]
    ),
    # Policies other than those of the functions' roles.
    flow_logs("logs:CreateLogStream"),
    flow_logs("logs:PutLogEvents"),
    flow_logs("logs:DescribeLogStreams"),
    grant(
        FLOW_LOGS,
        "DescribeLogGroups",
        Call(role("e2e-flow-logs"), "logs:DescribeLogGroups", f"{ALL_LOG_GROUPS}::log-stream:"),
        "VPC flow logs",
        FLOW_LOG_ROLE,
    ),
    grant(FLOW_LOGS_TRUST, "", FLOW_LOGS_ASSUME, "VPC flow logs", FLOW_LOG_ROLE),
    grant(INVOKE, "load-balancer", INVOCATION, "the load balancer", TARGETS),
    *(
        grant(SQS_ENDPOINT, "SendToQueues", call, who, ENDPOINT_POLICY)
        for call, who in ((SEND, BY_INGEST), (SEND_DEAD_LETTER, BY_DEAD_LETTERING))
    ),
    grant(SECRETS_ENDPOINT, "ReadSecrets", READ_SECRET, BY_SIGNED, ENDPOINT_POLICY),
    *(
        grant(DYNAMODB_ENDPOINT, "WriteToTables", call, who, ENDPOINT_POLICY)
        for call, who in ((INSERT, BY_NEW), (PUT, BY_OLD))
    ),
]
