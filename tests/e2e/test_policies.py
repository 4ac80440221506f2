"""Every action that a policy allows is needed by a named caller, and every denial denies.

On the policies as applied, and those with a customer's key as planned. What the emulator enforces
is seen at work in test_permissions.py and test_attacker.py; here all of it is simulated.
"""

import json
import os
from typing import Any, NamedTuple

import pytest

from local.emulator import ROOT
from local.stack import Stack
from local.terraform import Terraform, by_short_address
from tests.e2e.policies import (
    ACCOUNT,
    REGION,
    Call,
    Policy,
    allows,
    decision,
    documents,
    every_action,
    role,
    without,
)

pytestmark = pytest.mark.stack

STRANGERS_ACCOUNT = "999999999999"

# The policies, by the address of what has them.
ROLES = {name: f"{name}.aws_iam_role_policy.this" for name in ("ingest", "process")}
INGEST, PROCESS = ROLES.values()
TRUSTS = {name: f"{name}.aws_iam_role.this" for name in ("ingest", "process")}
FLOW_LOGS = "network.aws_iam_role_policy.flow_logs"
FLOW_LOGS_TRUST = "network.aws_iam_role.flow_logs"
QUEUE_POLICIES = ["queue.aws_sqs_queue.this", "queue.aws_sqs_queue.dead_letter"]
INVOKE = "load_balancer.aws_lambda_permission.this"
SQS_ENDPOINT = "vpc_endpoints.aws_vpc_endpoint_policy.sqs"
DYNAMODB_ENDPOINT = "vpc_endpoints.aws_vpc_endpoint_policy.dynamodb"
KEY_POLICY = "aws_kms_key.this"

# What they speak of.
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:e2e"
DEAD_LETTER = f"{QUEUE}-dead-letter"
TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/e2e"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
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
    """The environment, under whatever key it is: Lambda may hold no grant for a new role or key."""
    context = {"kms:EncryptionContext:aws:lambda:FunctionArn": f"{FUNCTION}-{function}"}
    return by_lambda(function, "kms:Decrypt", KEY)._replace(context=context)


class Need(NamedTuple):
    policy: str
    sid: str
    action: str  # as the policy has it
    call: Call
    who: str
    document: str  # of AWS, that says so


def grant(policy: str, sid: str, call: Call, who: str, document: str) -> Need:
    """The need of an action that the policy names in full."""
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
        logs("logs:CreateLogStream", f"{group}:log-stream:x", "Lambda, for an environment's log"),
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
        describe("ec2:DescribeSubnets", "Lambda, to look at the subnets"),
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
INSERT = by_code("process", "dynamodb:PartiQLInsert", TABLE)
PUT = by_code("process", "dynamodb:PutItem", TABLE)
BY_INGEST = "ingest, for each order"
BY_POISON = "process, for a message that no attempt can save"
BY_NEW = "process, for orders of new keys"
BY_OLD = "process, for an order whose key is stored"

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
    polling("sqs:ReceiveMessage", "Lambda, for each batch"),
    polling("sqs:DeleteMessage", "Lambda, after a batch"),
    polling("sqs:GetQueueAttributes", "Lambda, to scale the pollers"),
    grant(PROCESS, "SendToDeadLetterQueue", SEND_DEAD_LETTER, BY_POISON, SQS_ACTIONS),
    grant(PROCESS, "WriteItems", INSERT, BY_NEW, PARTIQL),
    grant(PROCESS, "WriteItems", PUT, BY_OLD, PUT_ITEM),
    # With a customer's key, and before and after: rights that came and went with kms_key would come
    # too late and go too soon for messages under the key. At work in test_examples.py.
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
    # What is not a function's role.
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
        for call, who in ((SEND, BY_INGEST), (SEND_DEAD_LETTER, BY_POISON))
    ),
    *(
        grant(DYNAMODB_ENDPOINT, "WriteToTables", call, who, ENDPOINT_POLICY)
        for call, who in ((INSERT, BY_NEW), (PUT, BY_OLD))
    ),
]


class Denial(NamedTuple):
    policy: str
    sid: str
    action: str  # as the policy has it
    call: Call
    otherwise: Call  # what it does not deny


def denials_to_code(function: str, sid: str, action: str, call: str, resource: str) -> Denial:
    """Denied to the function's code, and not to Lambda with the same role."""
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
        for principal in (role("e2e-ingest"), role("x", STRANGERS_ACCOUNT), "sqs.amazonaws.com")
        for action in ("SendMessage", "ReceiveMessage", "PurgeQueue", "SetQueueAttributes")
        for call in [Call(principal, f"sqs:{action}", queue)]
    ),
]


class Refusal(NamedTuple):
    """A needed call, and one that differs from it in a way that makes all the difference."""

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
STRANGERS_FUNCTION = f"{FUNCTION}-ingest".replace(ACCOUNT, STRANGERS_ACCOUNT)
OTHER_ACCOUNT = {"aws:SourceAccount": STRANGERS_ACCOUNT}

REFUSALS = [
    # Queues and tables: only that one.
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
    # Keys: only through the service that has it, only in this region, only for this.
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
    *refusals(KEY_POLICY, SEND_KEY, {"principal": role("e2e-ingest", STRANGERS_ACCOUNT)}),
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
    # Who may be a role.
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
        {"context": {"aws:SourceArn": FLOW_LOG.replace(ACCOUNT, STRANGERS_ACCOUNT)}},
        {"context": {"aws:SourceArn": FLOW_LOG.replace(REGION, "eu-west-1")}},
        {"context": {"aws:SourceArn": ""}},
        {"context": {"aws:SourceAccount": ""}},
        {"principal": "lambda.amazonaws.com"},
        {"principal": role("e2e-process")},
    ),
    # What goes through the VPC endpoints.
    *refusals(
        SQS_ENDPOINT,
        SEND,
        {"principal": role("e2e-ingest", STRANGERS_ACCOUNT)},
        {"resource": f"{QUEUE}-another"},
        {"resource": QUEUE.replace(ACCOUNT, STRANGERS_ACCOUNT)},
        {"resource": QUEUE.replace(REGION, "eu-west-1")},
        *(
            {"action": f"sqs:{action}"}
            for action in ("ReceiveMessage", "DeleteMessage", "PurgeQueue", "SetQueueAttributes")
        ),
    ),
    *refusals(
        DYNAMODB_ENDPOINT,
        PUT,
        {"principal": role("e2e-process", STRANGERS_ACCOUNT)},
        {"resource": f"{TABLE}-another"},
        {"resource": TABLE.replace(ACCOUNT, STRANGERS_ACCOUNT)},
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
    # What a log is written to.
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

# An AWS service that may do something needs a condition on who it does it for. There is none but:
NO_SOURCE = {
    (KEY_POLICY, "EncryptLogs"): (
        "CloudWatch Logs names the log group in the encryption context instead: " + LOG_KEYS
    )
}


@pytest.fixture(scope="module")
def planned(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """examples/complete, and the root with keys and a table that are there already.

    What a plan makes itself has no ARN yet, and so no policy that names it. The names are those of
    the applied system.
    """
    work = tmp_path_factory.mktemp("policies")
    example = {"domain_name": "orders.example.com", "zone_id": "Z1", "access_logs_bucket": "logs"}
    existing = {"kms_key": {"arn": KEY}, "existing_table": {"name": "e2e", "arn": TABLE}}
    root = os.path.relpath(ROOT, work.resolve())  # Terraform copies what has an absolute path
    modules = {
        "complete": {"source": f"{root}/examples/complete", "name": "e2e", **example},
        "keyed": {"source": root, "name": "e2e", **existing},
    }
    configuration = {"provider": {"aws": {}}, "module": modules}
    (work / "main.tf.json").write_text(json.dumps(configuration))
    terraform = Terraform(work, work, stack.emulator.environment())
    terraform.init()
    return by_short_address(terraform.planned_resources())


@pytest.fixture(scope="module")
def applied(stack: Stack) -> dict[str, Policy]:
    """As if roles and target groups had no suffix that the provider, or AWS, makes up."""
    found = documents(by_short_address(stack.terraform.resources()))
    for address, document in found.items():
        text = json.dumps(document)
        for function in ROLES:
            text = text.replace(stack.role_of(f"e2e-{function}"), role(f"e2e-{function}"))
        found[address] = json.loads(text)
    policy = stack.lambda_.get_policy(FunctionName="e2e-ingest", Qualifier="live")["Policy"]
    [group] = stack.emulator.client("elbv2").describe_target_groups(Names=["e2e-ingest"])[
        "TargetGroups"
    ]
    found[INVOKE] = json.loads(policy.replace(group["TargetGroupArn"], TARGET_GROUP))
    return found


@pytest.fixture(scope="module")
def policies(applied: dict[str, Policy], planned: dict[str, dict[str, Any]]) -> dict[str, Policy]:
    """All that a system with a customer's key has."""
    found = documents(planned)
    return {**applied, KEY_POLICY: found[f"complete.{KEY_POLICY}"]}


def name_of(case: Need | Denial) -> str:
    return "-".join([case.policy.split(".")[0], case.sid, case.call.action.replace(":", "-")])


def test_every_action_allowed_has_a_need(policies: dict[str, Policy]) -> None:
    needed = {(need.policy, need.sid, need.action) for need in NEEDS}

    assert every_action(policies, "Allow") == needed


@pytest.mark.parametrize("need", NEEDS, ids=name_of)
def test_an_action_is_needed(policies: dict[str, Policy], need: Need) -> None:
    """Without it, the calls that need it are refused, and no others."""
    policy = policies[need.policy]
    assert allows(policy, need.call)

    rest = without(policy, need.sid, need.action)
    lost = [
        one
        for one in NEEDS
        if one.policy == need.policy and allows(policy, one.call) and not allows(rest, one.call)
    ]
    assert lost == [one for one in NEEDS if one[:3] == need[:3]]


def test_a_key_changes_no_role(
    applied: dict[str, Policy], planned: dict[str, dict[str, Any]]
) -> None:
    keyed = documents(planned)
    for name in ROLES.values():
        assert in_order(keyed[f"keyed.{name}"]["Statement"]) == in_order(applied[name]["Statement"])


def in_order(statements: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        one["Sid"]: {
            key: sorted(value) if isinstance(value, list) else value for key, value in one.items()
        }
        for one in statements
    }


def test_every_action_denied_has_a_case(policies: dict[str, Policy]) -> None:
    tried = {(denial.policy, denial.sid, denial.action) for denial in DENIALS}

    assert every_action(policies, "Deny") == tried


@pytest.mark.parametrize("denial", DENIALS, ids=name_of)
def test_a_denial_holds_against_any_permission(policies: dict[str, Policy], denial: Denial) -> None:
    """Such as a statement of process_policy_documents; and it denies nothing else."""
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    if "Principal" in policies[denial.policy]["Statement"][0]:
        everything |= {"Principal": "*"}

    def decided(policy: Policy, call: Call) -> str:
        return decision({**policy, "Statement": [*policy["Statement"], everything]}, call)

    policy = policies[denial.policy]
    assert decided(policy, denial.call) == "Deny"
    assert decided(policy, denial.otherwise) == "Allow"
    assert decided(without(policy, denial.sid, denial.action), denial.call) == "Allow"


@pytest.mark.parametrize(
    "refusal", REFUSALS, ids=lambda one: f"{one.policy.split('.')[0]}-{one.refused.action}"
)
def test_what_differs_from_a_need_is_refused(policies: dict[str, Policy], refusal: Refusal) -> None:
    assert allows(policies[refusal.policy], refusal.needed)
    assert not allows(policies[refusal.policy], refusal.refused)


def test_services_and_everybody_are_held_by_conditions(
    policies: dict[str, Policy], planned: dict[str, dict[str, Any]]
) -> None:
    """No AWS service acts for another account, and "*" is never everybody."""
    everywhere = policies | documents(planned)
    services, without_source = set(), set()
    for name, policy in everywhere.items():
        for statement in policy["Statement"]:
            principal = statement.get("Principal")
            if principal is None or statement["Effect"] == "Deny":
                continue
            required = {
                key.lower(): values
                for operator in ("StringEquals", "ArnEquals", "ArnLike")
                for key, values in statement.get("Condition", {}).get(operator, {}).items()
            }
            if principal in ("*", {"AWS": "*"}):
                assert required["aws:principalaccount"] == ACCOUNT
            elif "Service" not in principal:
                assert principal == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
            else:
                services.add(principal["Service"])
                sources = [required[key] for key in required if key.startswith("aws:source")]
                assert all(ACCOUNT in source for source in sources)
                if not sources:
                    without_source.add((name.removeprefix("complete."), statement["Sid"]))

    assert without_source == NO_SOURCE.keys()
    assert services == {
        "elasticloadbalancing.amazonaws.com",
        "lambda.amazonaws.com",
        f"logs.{REGION}.amazonaws.com",
        "vpc-flow-logs.amazonaws.com",
    }


def test_no_policy_is_overlooked(stack: Stack, planned: dict[str, dict[str, Any]]) -> None:
    """A resource of another kind that grants something is to be read by these tests as well."""
    for resources in (by_short_address(stack.terraform.resources()), planned):
        types = {address.split(".aws_")[-1].split(".")[0] for address in resources}
        assert {name for name in types if name.startswith("iam_")} == {
            "iam_role",
            "iam_role_policy",
        }
        assert {name for name in types if "permission" in name or "grant" in name} == {
            "lambda_permission"
        }
        attributes = {
            name
            for values in resources.values()
            for name, value in values.items()
            if "polic" in name and value
        }
        assert attributes <= {
            *("policy", "assume_role_policy"),
            "inline_policy",  # of a role: what its aws_iam_role_policy says
            *("redrive_policy", "redrive_allow_policy", "ssl_policy"),
        }
