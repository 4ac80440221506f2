"""What somebody can do who has taken over the code of a function: the function's work, no more.

The calls are made inside the function, with the credentials that code in it has, by a handler that
takes the place of the real one in $LATEST; the system keeps its version, to which the alias points.
The root of another, twin account makes the same calls on twins of all that they aim at, and there
they succeed: a call that never works would prove nothing.
"""

import contextlib
import functools
import json
import re
from collections.abc import Callable, Iterator
from string import Template
from typing import Any, NamedTuple

import botocore.exceptions
import pytest

from local.stack import Stack
from local.waiting import eventually
from tests.e2e.policies import ACCOUNT, REGION, role, role_without
from tests.support.archive import zipped

pytestmark = pytest.mark.stack

FUNCTIONS = ("ingest", "process")
TWIN_ACCOUNT = "111111111111"  # of which the emulator takes such an access key for the root

# Replaces the handler. Takes the literal of [(service, method, arguments), ...].
ATTACKER = """
import ast
import functools

import boto3
import botocore.exceptions

client = functools.cache(boto3.client)


def handle(event, context):
    return [attempt(*call) for call in ast.literal_eval(event)]


def attempt(service, method, arguments):
    try:
        getattr(client(service), method)(**arguments)
    except botocore.exceptions.ClientError as error:
        return error.response["Error"]
"""

Call = tuple[str, str, dict[str, Any]]  # service, method, arguments
Error = dict[str, str] | None  # code and message, or None if the call succeeded


class Attempt(NamedTuple):
    action: str  # what IAM would have to allow
    call: Call  # $name in an argument is one of the targets
    by: tuple[str, ...] = FUNCTIONS

    def at(self, targets: dict[str, Any]) -> Call:
        service, method, arguments = self.call
        return service, method, fill(arguments, targets)


def fill(value: Any, targets: dict[str, Any]) -> Any:
    """The value with the targets in the place of their names."""
    if isinstance(value, dict):
        return {fill(key, targets): fill(part, targets) for key, part in value.items()}
    if isinstance(value, list):
        return [fill(part, targets) for part in value]
    if not isinstance(value, str) or "$" not in value:
        return value
    whole = targets.get(value.removeprefix("$"))
    return Template(value).substitute(targets) if whole is None else whole


def sqs(action: str, queue: str, *by: str, **arguments: Any) -> Attempt:
    call = ("sqs", method_of(action), {"QueueUrl": f"${queue}_url", **arguments})
    return Attempt(f"sqs:{action}", call, by or FUNCTIONS)


def sqs_batch(action: str, queue: str, *by: str, **entry: Any) -> Attempt:
    entries = {"QueueUrl": f"${queue}_url", "Entries": [{"Id": "1", **entry}]}
    return Attempt(f"sqs:{action}", ("sqs", f"{method_of(action)}_batch", entries), by or FUNCTIONS)


def dynamodb(action: str, *by: str, table: str = "table", **arguments: Any) -> Attempt:
    call = ("dynamodb", method_of(action), {"TableName": f"${table}", **arguments})
    return Attempt(f"dynamodb:{action}", call, by or FUNCTIONS)


def partiql(action: str, statement: str, *by: str) -> Attempt:
    call = ("dynamodb", "execute_statement", {"Statement": statement})
    return Attempt(f"dynamodb:PartiQL{action}", call, by or FUNCTIONS)


def on_function(action: str, **arguments: Any) -> Attempt:
    call = ("lambda", method_of(action), {"FunctionName": "$function", **arguments})
    return Attempt(f"lambda:{action}", call)


def on_logs(action: str, group: str = "log_group", **arguments: Any) -> Attempt:
    return Attempt(
        f"logs:{action}", ("logs", method_of(action), {"logGroupName": f"${group}", **arguments})
    )


def any_of(service: str, action: str, **arguments: Any) -> Attempt:
    prefix = {"elbv2": "elasticloadbalancing"}.get(service, service)
    return Attempt(f"{prefix}:{action}", (service, method_of(action), arguments))


def method_of(action: str) -> str:
    """receive_message of ReceiveMessage."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", action).lower()


def document(**statement: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


STORED = {"order_id": {"S": "stored"}, "item": {"S": "x"}}
ROW = STORED | {"qty": {"N": "1"}}
EVERYTHING = document(Action="*", Resource="*")
EVERYBODY = document(Action="sts:AssumeRole", Principal={"AWS": "*"})
CODE = zipped({"function.py": ATTACKER})

# In an order in which each can succeed on the twins.
ATTEMPTS = [
    # Queues: read, forge, spoil, open to others, destroy.
    *(
        attempt
        for queue in ("queue", "dead_letter", "other_queue")
        for attempt in [
            sqs("GetQueueAttributes", queue, AttributeNames=["All"]),
            sqs("ReceiveMessage", queue, WaitTimeSeconds=0),
            sqs(
                "ChangeMessageVisibility",
                queue,
                ReceiptHandle=f"${queue}_receipt",
                VisibilityTimeout=0,
            ),
            sqs_batch(
                "ChangeMessageVisibility",
                queue,
                ReceiptHandle=f"${queue}_receipt",
                VisibilityTimeout=0,
            ),
            sqs("DeleteMessage", queue, ReceiptHandle=f"${queue}_receipt"),
            sqs_batch("DeleteMessage", queue, ReceiptHandle=f"${queue}_receipt"),
            sqs("SetQueueAttributes", queue, Attributes={"Policy": ""}),
            sqs("AddPermission", queue, Label="x", AWSAccountIds=["$other_account"], Actions=["*"]),
            sqs("RemovePermission", queue, Label="x"),
            sqs("TagQueue", queue, Tags={"x": "x"}),
            sqs("PurgeQueue", queue),
        ]
    ),
    sqs("SendMessage", "queue", "process", MessageBody="x"),
    sqs("SendMessage", "dead_letter", "ingest", MessageBody="x"),
    sqs("SendMessage", "other_queue", MessageBody="x"),
    sqs_batch("SendMessage", "queue", "process", MessageBody="x"),
    sqs_batch("SendMessage", "dead_letter", "ingest", MessageBody="x"),
    sqs_batch("SendMessage", "other_queue", MessageBody="x"),
    any_of("sqs", "ListQueues"),
    any_of("sqs", "CreateQueue", QueueName="mine"),
    any_of("sqs", "StartMessageMoveTask", SourceArn="$dead_letter_arn"),
    # Tables: read, change, copy, open to others, destroy.
    dynamodb("GetItem", Key=STORED),
    dynamodb(
        "Query",
        KeyConditionExpression="order_id = :x",
        ExpressionAttributeValues={":x": {"S": "x"}},
    ),
    dynamodb("Scan"),
    partiql("Select", 'SELECT * FROM "$table"'),
    partiql("Select", 'SELECT * FROM "$other_table"'),
    partiql("Update", "UPDATE \"$table\" SET qty = 9 WHERE order_id = 'stored' AND item = 'x'"),
    partiql("Delete", "DELETE FROM \"$table\" WHERE order_id = 'stored' AND item = 'x'"),
    partiql("Insert", "INSERT INTO \"$table\" VALUE {'order_id': 'a', 'item': 'x'}", "ingest"),
    partiql("Insert", "INSERT INTO \"$other_table\" VALUE {'order_id': 'a', 'item': 'x'}"),
    dynamodb("PutItem", "ingest", Item=ROW),
    dynamodb("PutItem", table="other_table", Item=ROW),
    dynamodb("UpdateItem", Key=STORED),
    any_of("dynamodb", "BatchGetItem", RequestItems={"$table": {"Keys": [STORED]}}),
    any_of("dynamodb", "BatchWriteItem", RequestItems={"$table": [{"PutRequest": {"Item": ROW}}]}),
    Attempt(
        "dynamodb:GetItem",
        (
            "dynamodb",
            "transact_get_items",
            {"TransactItems": [{"Get": {"TableName": "$table", "Key": STORED}}]},
        ),
    ),
    Attempt(
        "dynamodb:DeleteItem",
        (
            "dynamodb",
            "transact_write_items",
            {"TransactItems": [{"Delete": {"TableName": "$table", "Key": STORED}}]},
        ),
    ),
    dynamodb("DeleteItem", Key=STORED),
    dynamodb("DescribeTable"),
    dynamodb("DescribeTable", table="other_table"),
    dynamodb("Scan", table="other_table"),
    any_of("dynamodb", "ListTables"),
    dynamodb("CreateBackup", BackupName="mine"),
    any_of("dynamodb", "ExportTableToPointInTime", TableArn="$table_arn", S3Bucket="$bucket"),
    any_of("dynamodb", "PutResourcePolicy", ResourceArn="$table_arn", Policy=EVERYTHING),
    dynamodb(
        "UpdateContinuousBackups",
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False},
    ),
    dynamodb(
        "UpdateTimeToLive", TimeToLiveSpecification={"Enabled": True, "AttributeName": "stamp"}
    ),
    dynamodb("UpdateTable", DeletionProtectionEnabled=False),
    dynamodb("DeleteTable", table="other_table"),
    dynamodb("DeleteTable"),
    # Functions: read, run, change, make, unplug.
    any_of("lambda", "ListFunctions"),
    on_function("GetFunction"),
    on_function("GetFunctionConfiguration"),
    Attempt("lambda:InvokeFunction", ("lambda", "invoke", {"FunctionName": "$function"})),
    on_function("UpdateFunctionCode", ZipFile=CODE),
    on_function("UpdateFunctionConfiguration", Environment={"Variables": {"TABLE_NAME": "mine"}}),
    on_function("PublishVersion"),
    on_function("CreateAlias", Name="mine", FunctionVersion="1"),
    on_function("GetAlias", Name="live"),
    on_function("UpdateAlias", Name="live", FunctionVersion="1"),
    on_function("DeleteAlias", Name="live"),
    on_function("AddPermission", StatementId="x", Action="lambda:InvokeFunction", Principal="*"),
    on_function("GetPolicy"),
    on_function("RemovePermission", StatementId="x"),
    on_function("CreateFunctionUrlConfig", AuthType="NONE"),
    on_function("PutFunctionConcurrency", ReservedConcurrentExecutions=0),
    any_of(
        "lambda",
        "CreateFunction",
        FunctionName="mine",
        Runtime="python3.13",
        Handler="function.handle",
        Role="$other_role_arn",
        Code={"ZipFile": CODE},
    ),
    any_of("lambda", "ListEventSourceMappings"),
    any_of(
        "lambda",
        "CreateEventSourceMapping",
        FunctionName="$function",
        EventSourceArn="$queue_arn",
        Enabled=False,
    ),
    any_of("lambda", "GetEventSourceMapping", UUID="$mapping"),
    any_of("lambda", "UpdateEventSourceMapping", UUID="$mapping", Enabled=False),
    any_of("lambda", "DeleteEventSourceMapping", UUID="$mapping"),
    on_function("DeleteFunction"),
    sqs("DeleteQueue", "other_queue"),
    sqs("DeleteQueue", "dead_letter"),
    sqs("DeleteQueue", "queue"),
    # Roles and users: become another, give oneself more.
    *(
        any_of("sts", "AssumeRole", RoleArn=f"${role}_arn", RoleSessionName="mine")
        for role in ("ingest_role", "process_role", "other_role")
    ),
    any_of("iam", "ListRoles"),
    any_of("iam", "GetAccountAuthorizationDetails"),
    any_of("iam", "CreateUser", UserName="mine"),
    any_of("iam", "CreateAccessKey", UserName="$user"),
    any_of("iam", "CreateRole", RoleName="mine", AssumeRolePolicyDocument=EVERYBODY),
    any_of(
        "iam",
        "AttachRolePolicy",
        RoleName="$process_role",
        PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess",
    ),
    any_of("iam", "UpdateAssumeRolePolicy", RoleName="$process_role", PolicyDocument=EVERYBODY),
    *(
        any_of(
            "iam",
            "PutRolePolicy",
            RoleName=f"${one}_role",
            PolicyName="least-privilege",
            PolicyDocument=EVERYTHING,
        )
        for one in FUNCTIONS
    ),
    any_of("iam", "GetRolePolicy", RoleName="$process_role", PolicyName="least-privilege"),
    any_of("iam", "DeleteRolePolicy", RoleName="$process_role", PolicyName="least-privilege"),
    # The network: what the role may do for Lambda, and more.
    any_of("ec2", "CreateNetworkInterface", SubnetId="$subnet"),
    any_of("ec2", "DescribeNetworkInterfaces"),
    any_of("ec2", "DescribeSubnets"),
    any_of(
        "ec2",
        "AssignPrivateIpAddresses",
        NetworkInterfaceId="$interface",
        SecondaryPrivateIpAddressCount=1,
    ),
    any_of(
        "ec2",
        "UnassignPrivateIpAddresses",
        NetworkInterfaceId="$interface",
        PrivateIpAddresses=["10.0.0.9"],
    ),
    any_of("ec2", "DeleteNetworkInterface", NetworkInterfaceId="$interface"),
    any_of("ec2", "DescribeVpcs"),
    any_of("ec2", "DescribeInstances"),
    any_of("ec2", "RunInstances", ImageId="ami-1", MinCount=1, MaxCount=1),
    any_of("ec2", "CreateSecurityGroup", GroupName="mine", Description="x"),
    any_of("elbv2", "DescribeLoadBalancers"),
    any_of("elbv2", "DescribeTargetGroups"),
    # Keys, secrets, files.
    any_of("kms", "ListKeys"),
    any_of("kms", "Decrypt", CiphertextBlob="$ciphertext"),
    any_of("kms", "GenerateDataKey", KeyId="$key", KeySpec="AES_256"),
    any_of(
        "kms",
        "CreateGrant",
        KeyId="$key",
        GranteePrincipal="$other_role_arn",
        Operations=["Decrypt"],
    ),
    any_of("kms", "PutKeyPolicy", KeyId="$key", PolicyName="default", Policy=EVERYTHING),
    any_of("kms", "ScheduleKeyDeletion", KeyId="$key"),
    any_of("ssm", "GetParameter", Name="$parameter", WithDecryption=True),
    any_of("secretsmanager", "GetSecretValue", SecretId="$secret"),
    any_of("secretsmanager", "ListSecrets"),
    Attempt("s3:ListAllMyBuckets", ("s3", "list_buckets", {})),
    any_of("s3", "PutObject", Bucket="$bucket", Key="x"),
    any_of("s3", "GetObject", Bucket="$bucket", Key="x"),
    # Logs: of others, and traces of oneself.
    any_of("logs", "DescribeLogGroups"),
    any_of("logs", "CreateLogGroup", logGroupName="mine"),
    on_logs("DescribeLogStreams"),
    on_logs("FilterLogEvents"),
    on_logs("FilterLogEvents", "other_log_group"),
    on_logs("CreateLogStream", "other_log_group", logStreamName="x"),
    on_logs(
        "PutLogEvents",
        "other_log_group",
        logStreamName="x",
        logEvents=[{"timestamp": 1_800_000_000_000, "message": "x"}],
    ),
    on_logs("PutRetentionPolicy", retentionInDays=1),
    on_logs("DeleteLogStream", logStreamName="x"),
    on_logs("DeleteLogGroup", "other_log_group"),
    on_logs("DeleteLogGroup"),
    Attempt(
        "cloudwatch:PutMetricData",
        (
            "cloudwatch",
            "put_metric_data",
            {"Namespace": "x", "MetricData": [{"MetricName": "x", "Value": 1}]},
        ),
    ),
]

# What the emulator does not know: it refuses the attacker, and has no answer for the twin.
UNKNOWN = {
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
}

DENIED = {"ec2": "UnauthorizedOperation"} | dict.fromkeys(
    ("elbv2", "iam", "s3", "sqs", "sts"), "AccessDenied"
)

AT_ONCE = 20  # attempts in an invocation, which ends after 10 s

Client = Callable[..., Any]
Run = Callable[[list[Call]], list[Error]]


def aims(account: str, endpoint_url: str, roles: dict[str, str]) -> dict[str, Any]:
    """What both accounts have by the same names, and the ARNs of the functions' roles."""
    aims = {"other_account": TWIN_ACCOUNT if account == ACCOUNT else ACCOUNT}
    for name, queue in {"queue": "e2e", "dead_letter": "e2e-dead-letter"}.items():
        aims[f"{name}_url"] = f"{endpoint_url}/{account}/{queue}"
        aims[f"{name}_arn"] = f"arn:aws:sqs:{REGION}:{account}:{queue}"
        aims[f"{name}_receipt"] = "any"
    return aims | {
        "table": "e2e",
        "table_arn": f"arn:aws:dynamodb:{REGION}:{account}:table/e2e",
        "function": "e2e-process",
        "log_group": "/aws/lambda/e2e-process",
        **{f"{function}_role": arn.rpartition("/")[2] for function, arn in roles.items()},
        **{f"{function}_role_arn": arn for function, arn in roles.items()},
    }


def make_others(client: Client, account: str, undo: contextlib.ExitStack) -> dict[str, Any]:
    """Things beside the system: the work of others in the same account."""
    queue = client("sqs").create_queue(QueueName="others")["QueueUrl"]
    undo.callback(client("sqs").delete_queue, QueueUrl=queue)
    make_table(client, "others")
    undo.callback(client("dynamodb").delete_table, TableName="others")
    iam = client("iam")
    iam.create_role(RoleName="others", AssumeRolePolicyDocument=EVERYBODY)
    undo.callback(iam.delete_role, RoleName="others")
    iam.create_user(UserName="others")
    undo.callback(iam.delete_user, UserName="others")
    key = client("kms").create_key()["KeyMetadata"]["Arn"]
    undo.callback(client("kms").schedule_key_deletion, KeyId=key)
    ciphertext = client("kms").encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    client("ssm").put_parameter(Name="others", Value="x", Type="SecureString")
    undo.callback(client("ssm").delete_parameter, Name="others")
    client("secretsmanager").create_secret(Name="others", SecretString="x")
    undo.callback(
        client("secretsmanager").delete_secret, SecretId="others", ForceDeleteWithoutRecovery=True
    )
    bucket = f"others-{account}"
    client("s3").create_bucket(Bucket=bucket)
    undo.callback(client("s3").delete_bucket, Bucket=bucket)
    client("logs").create_log_group(logGroupName="others")
    undo.callback(client("logs").delete_log_group, logGroupName="others")
    subnet = client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
    interface = client("ec2").create_network_interface(SubnetId=subnet)["NetworkInterface"]
    undo.callback(
        client("ec2").delete_network_interface, NetworkInterfaceId=interface["NetworkInterfaceId"]
    )
    return {
        "other_queue_url": queue,
        "other_queue_receipt": "any",
        "other_table": "others",
        "other_role_arn": role("others", account),
        "user": "others",
        "key": key,
        "ciphertext": ciphertext,
        "parameter": "others",
        "secret": "others",
        "bucket": bucket,
        "other_log_group": "others",
        "subnet": subnet,
        "interface": interface["NetworkInterfaceId"],
    }


def make_twins(client: Client, targets: dict[str, Any]) -> dict[str, Any]:
    """The system's own things, in an account without them."""
    made = {}
    client("sqs").create_queue(QueueName="e2e-dead-letter")
    redrive = {"deadLetterTargetArn": targets["dead_letter_arn"], "maxReceiveCount": 5}
    client("sqs").create_queue(QueueName="e2e", Attributes={"RedrivePolicy": json.dumps(redrive)})
    for queue in ("queue", "dead_letter", "other_queue"):
        url = targets[f"{queue}_url"]
        client("sqs").send_message(QueueUrl=url, MessageBody="x")
        [message] = client("sqs").receive_message(QueueUrl=url)["Messages"]
        made[f"{queue}_receipt"] = message["ReceiptHandle"]
    make_table(client, "e2e")
    client("dynamodb").put_item(TableName="e2e", Item=ROW)
    log = {"logGroupName": targets["log_group"]}
    client("logs").create_log_group(**log)
    client("logs").create_log_stream(**log, logStreamName="x")
    for function in FUNCTIONS:
        name = {"RoleName": f"e2e-{function}"}
        client("iam").create_role(**name, AssumeRolePolicyDocument=EVERYBODY)
        client("iam").put_role_policy(
            **name, PolicyName="least-privilege", PolicyDocument=EVERYTHING
        )
    client("lambda").create_function(
        FunctionName="e2e-process",
        Runtime="python3.13",
        Handler="function.handle",
        Role=role("e2e-process", TWIN_ACCOUNT),
        Code={"ZipFile": CODE},
        Publish=True,
    )
    client("lambda").create_alias(FunctionName="e2e-process", Name="live", FunctionVersion="1")
    mapping = client("lambda").create_event_source_mapping(
        FunctionName="e2e-process", EventSourceArn=targets["dead_letter_arn"], Enabled=False
    )
    return made | {"mapping": mapping["UUID"]}


def make_table(client: Client, name: str) -> None:
    keys = {"order_id": "HASH", "item": "RANGE"}
    client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys.items()],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        BillingMode="PAY_PER_REQUEST",
    )


@pytest.fixture(scope="module")
def targets(stack: Stack) -> Iterator[dict[str, Any]]:
    with contextlib.ExitStack() as undo:
        others = make_others(stack.emulator.client, ACCOUNT, undo)
        mapping = {"mapping": stack.outputs["event_source_mapping_id"]}
        roles = {function: stack.role_of(f"e2e-{function}") for function in FUNCTIONS}
        yield aims(ACCOUNT, stack.emulator.endpoint_url, roles) | others | mapping


@pytest.fixture(scope="module")
def code(stack: Stack) -> Iterator[dict[str, Run]]:
    """Runs calls in the function, by its name."""
    with contextlib.ExitStack() as undo:
        yield {function: undo.enter_context(taken_over(stack, function)) for function in FUNCTIONS}


@contextlib.contextmanager
def taken_over(stack: Stack, function: str) -> Iterator[Run]:
    name = f"e2e-{function}"
    [resource] = [
        values
        for values in stack.terraform.resources().values()
        if values.get("function_name") == name and "filename" in values
    ]
    original = (stack.terraform.directory / resource["filename"]).read_bytes()

    def run(calls: list[Call]) -> list[Error]:
        answer = stack.lambda_.invoke(FunctionName=name, Payload=json.dumps(repr(calls)))
        result = json.load(answer["Payload"])
        assert "FunctionError" not in answer, result
        return list(result)

    stack.lambda_.update_function_code(
        FunctionName=name, ZipFile=zipped({f"{function}/handler.py": ATTACKER})
    )
    try:
        yield run
    finally:
        restored = stack.lambda_.update_function_code(FunctionName=name, ZipFile=original)
        assert restored["CodeSha256"] == resource["code_sha256"]


@pytest.fixture(scope="module")
def outcomes(targets: dict[str, Any], code: dict[str, Run]) -> dict[tuple[str, int], Error]:
    """Of each attempt, by the function and the attempt's place in the table."""
    found: dict[tuple[str, int], Error] = {}
    for function in FUNCTIONS:
        places = [place for place, attempt in enumerate(ATTEMPTS) if function in attempt.by]
        for start in range(0, len(places), AT_ONCE):
            some = places[start : start + AT_ONCE]
            errors = code[function]([ATTEMPTS[place].at(targets) for place in some])
            found |= {(function, place): error for place, error in zip(some, errors, strict=True)}
    return found


@pytest.fixture(scope="module")
def twin_outcomes(stack: Stack) -> list[Error]:
    """Of each attempt, by the root of the twin account."""

    @functools.cache
    def client(service: str) -> Any:
        return stack.emulator.client(service, aws_access_key_id=TWIN_ACCOUNT)

    def attempt(service: str, method: str, arguments: dict[str, Any]) -> Error:
        try:
            getattr(client(service), method)(**arguments)
        except botocore.exceptions.ClientError as error:
            return dict(error.response["Error"])
        return None

    roles = {function: role(f"e2e-{function}", TWIN_ACCOUNT) for function in FUNCTIONS}
    targets = aims(TWIN_ACCOUNT, stack.emulator.endpoint_url, roles)
    targets |= make_others(client, TWIN_ACCOUNT, contextlib.ExitStack())
    targets |= make_twins(client, targets)
    return [attempt(*one.at(targets)) for one in ATTEMPTS]


def name_of(attempt: Attempt) -> str:
    return "-".join([attempt.action, *re.findall(r"\$(\w+)", str(attempt.call))[:1]])


@pytest.mark.parametrize(
    ("function", "index"),
    [
        pytest.param(function, index, id=f"{function}-{name_of(attempt)}")
        for function in FUNCTIONS
        for index, attempt in enumerate(ATTEMPTS)
        if function in attempt.by
    ],
)
def test_code_is_refused(outcomes: dict[tuple[str, int], Error], function: str, index: int) -> None:
    attempt = ATTEMPTS[index]
    error = outcomes[function, index]

    assert error is not None, "it was allowed"
    assert error["Code"] == DENIED.get(attempt.call[0], "AccessDeniedException")
    assert f"not authorized to perform: {attempt.action}" in error["Message"]


@pytest.mark.parametrize("index", range(len(ATTEMPTS)), ids=[name_of(one) for one in ATTEMPTS])
def test_the_same_call_succeeds_with_permission(twin_outcomes: list[Error], index: int) -> None:
    error = twin_outcomes[index]

    if ATTEMPTS[index].action in UNKNOWN:
        assert error is not None
        assert error["Code"] == "InvalidAction"
    else:
        assert error is None


def test_code_does_the_work_of_its_function(stack: Stack, code: dict[str, Run]) -> None:
    """With the same credentials: an order enqueued, rows written, messages dead-lettered."""
    queue, dead_letter = (stack.outputs[f"{one}_url"] for one in ("queue", "dead_letter_queue"))
    table = stack.outputs["table_name"]
    insert = f"INSERT INTO \"{table}\" VALUE {{'order_id': 'inserted', 'item': 'x'}}"

    sent = ("sqs", "send_message", {"QueueUrl": queue, "MessageBody": "no order"})
    assert code["ingest"]([sent]) == [None]
    assert (
        code["process"](
            [
                ("dynamodb", "put_item", {"TableName": table, "Item": ROW}),
                ("dynamodb", "batch_execute_statement", {"Statements": [{"Statement": insert}]}),
                ("sqs", "send_message", {"QueueUrl": dead_letter, "MessageBody": "by process"}),
            ]
        )
        == [None] * 3
    )

    dead: list[str] = []

    def both() -> bool:
        dead.extend(message["Body"] for message in stack.take_dead_letters())
        return len(dead) >= 2

    eventually(both, "what was no order, and what process sent")
    assert sorted(dead) == ["by process", "no order"]
    for order_id in ("stored", "inserted"):
        assert stack.row({"order_id": order_id, "item": "x"})
        key = {"order_id": {"S": order_id}, "item": {"S": "x"}}
        stack.dynamodb.delete_item(TableName=table, Key=key)


@contextlib.contextmanager
def outside_the_vpc(stack: Stack, function: str) -> Iterator[None]:
    """Where neither endpoints nor their policies are in the way."""
    name = {"FunctionName": f"e2e-{function}"}
    names = ("SubnetIds", "SecurityGroupIds")
    network = stack.lambda_.get_function_configuration(**name)["VpcConfig"]
    stack.lambda_.update_function_configuration(**name, VpcConfig={one: [] for one in names})
    try:
        yield
    finally:
        inside = {one: network[one] for one in names}
        stack.lambda_.update_function_configuration(**name, VpcConfig=inside)


def test_the_endpoints_keep_code_from_the_queue_as_well(
    stack: Stack, code: dict[str, Run], targets: dict[str, Any]
) -> None:
    """Without the denials: the endpoint's policy refuses to poll, and nothing leads to EC2."""
    queue = {"QueueUrl": stack.outputs["queue_url"]}
    interface: list[Call] = [("ec2", "create_network_interface", {"SubnetId": targets["subnet"]})]
    with role_without(stack, "e2e-process", "DenyPollingByCode"):
        [error] = code["process"]([("sqs", "receive_message", queue)])
    assert error is not None
    assert error["Code"] == "AccessDenied"
    with role_without(stack, "e2e-process", "DenyNetworkInterfacesToCode"):
        [error] = code["process"](interface)
    assert error is not None
    assert error["Code"] == "ServiceUnavailable"


def test_the_endpoints_let_nothing_else_through_with_a_role_that_may_do_everything(
    stack: Stack, code: dict[str, Run]
) -> None:
    """A role of this account comes through, for a system may change its roles; to these queues."""
    mine = ("sqs", "send_message", {"QueueUrl": stack.outputs["queue_url"], "MessageBody": "x"})
    other = stack.sqs.create_queue(QueueName="another-queue")["QueueUrl"]
    theirs = ("sqs", "send_message", {"QueueUrl": other, "MessageBody": "x"})
    try:
        with another_role(stack, "ingest"), stack.paused_mapping():
            assert code["ingest"]([mine]) == [None]
            [error] = code["ingest"]([theirs])
            assert len(stack.take(stack.outputs["queue_url"])) == 1
    finally:
        stack.sqs.delete_queue(QueueUrl=other)
    assert error is not None
    assert error["Code"] == "AccessDenied"


@contextlib.contextmanager
def another_role(stack: Stack, function: str) -> Iterator[None]:
    """The function's $LATEST has a role that may do everything, and is new, meanwhile."""
    name = {"FunctionName": f"e2e-{function}"}
    before = stack.lambda_.get_function_configuration(**name)
    # Without it the emulator keeps an environment that has the role before.
    anew = name | {"Timeout": before["Timeout"]}
    stack.iam.create_role(RoleName="new", AssumeRolePolicyDocument=EVERYBODY)
    policy = {"RoleName": "new", "PolicyName": "everything"}
    stack.iam.put_role_policy(**policy, PolicyDocument=EVERYTHING)
    stack.lambda_.update_function_configuration(**anew, Role=role("new"))
    try:
        yield
    finally:
        stack.lambda_.update_function_configuration(**anew, Role=before["Role"])
        stack.iam.delete_role_policy(**policy)
        stack.iam.delete_role(RoleName="new")


def test_only_the_denial_keeps_code_from_the_queue(stack: Stack, code: dict[str, Run]) -> None:
    """And so it is the function's ARN that makes the difference to Lambda, which does poll."""
    queue = {"QueueUrl": stack.outputs["queue_url"]}
    calls: list[Call] = [
        ("sqs", "get_queue_attributes", queue),
        ("sqs", "receive_message", {**queue, "WaitTimeSeconds": 0}),
    ]
    with (
        outside_the_vpc(stack, "process"),
        role_without(stack, "e2e-process", "DenyPollingByCode"),
    ):
        assert code["process"](calls) == [None, None]
    assert None not in code["process"](calls)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_only_the_denial_keeps_code_from_interfaces(
    stack: Stack, code: dict[str, Run], targets: dict[str, Any], function: str
) -> None:
    calls: list[Call] = [
        ("ec2", "describe_subnets", {}),
        ("ec2", "create_network_interface", {"SubnetId": targets["subnet"]}),
        ("ec2", "describe_network_interfaces", {}),
    ]
    with (
        outside_the_vpc(stack, function),
        role_without(stack, f"e2e-{function}", "DenyNetworkInterfacesToCode"),
    ):
        assert code[function](calls) == [None] * 3
    assert None not in code[function](calls)

    ec2 = stack.emulator.client("ec2")
    for interface in ec2.describe_network_interfaces()["NetworkInterfaces"]:
        if interface["NetworkInterfaceId"] != targets["interface"]:
            ec2.delete_network_interface(NetworkInterfaceId=interface["NetworkInterfaceId"])
