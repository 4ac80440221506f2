"""What an attacker would try who has taken over the code of a function."""

import re
from string import Template
from typing import Any, NamedTuple

from local.archive import zipped
from tests.support.policies import allowing, trust

FUNCTIONS = ("ingest", "process")

# Replaces the handler. The event is the literal of [(service, method, arguments), ...].
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
    action: str  # that IAM would have to allow
    call: Call  # $name in an argument stands for a target
    by: tuple[str, ...] = FUNCTIONS

    def at(self, targets: dict[str, Any]) -> Call:
        service, method, arguments = self.call
        return service, method, fill(arguments, targets)


def fill(value: Any, targets: dict[str, Any]) -> Any:
    """Returns the value with every $name replaced by the target."""
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
    """Returns the boto3 method of an action: receive_message for ReceiveMessage."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", action).lower()


STORED = {"order_id": {"S": "stored"}, "item": {"S": "x"}}
ROW = STORED | {"qty": {"N": "1"}}
EVERYTHING = allowing("*")
EVERYBODY = trust(AWS="*")
CODE = zipped({"function.py": ATTACKER})

# In an order in which each of them can succeed on the twins.
ATTEMPTS = [
    # Queues: read, forge, tamper, share, destroy.
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
    # Tables: read, change, copy, share, destroy.
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
        "UpdateTimeToLive",
        TimeToLiveSpecification={"Enabled": True, "AttributeName": "accepted_at"},
    ),
    dynamodb("UpdateTable", DeletionProtectionEnabled=False),
    dynamodb("DeleteTable", table="other_table"),
    dynamodb("DeleteTable"),
    # Functions: read, run, change, create, disconnect.
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
    # Roles and users: impersonate, escalate.
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
    # The network: what Lambda may do with the role, and more.
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
    # Logs: read those of others, remove one's own traces.
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
