"""The emulator of the local stack, and a proof of each of its patches.

Each patch has one check below, which passes with it and fails without it.
"""

import argparse
import base64
import concurrent.futures
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, TypeVar

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local import patches
from local.emulator import ROOT, Emulator, EmulatorError, _listening_socket
from tests.e2e.stack import new_user
from tests.support.archive import zipped

T = TypeVar("T")

ACCOUNT = "000000000000"
REGION = "us-east-1"

# A function that returns what the body of a request to /reply says, else the event that it got.
REPLAY = """
import json

def handle(event, context):
    print("called")
    if event["path"] == "/reply":
        return json.loads(event["body"])
    return {
        "statusCode": 200,
        "headers": {"content-type": "application/json"},
        "multiValueHeaders": {"content-type": ["application/json"]},
        "body": json.dumps(event),
    }
"""
# A function that returns what the body of its first message says.
RETURN_MESSAGE = """
import json

def handle(event, context):
    print("called")
    return json.loads(event["Records"][0]["body"])
"""

# The other modules have tests of their own in tests/local/patches.
MODULES = ("read_back", "load_balancer", "functions")
PATCHES = {
    name: function
    for name, function in patches.all_patches().items()
    if function.__module__.rpartition(".")[2] in MODULES
}

Check = Callable[[Emulator], None]
checks: dict[str, Check] = {}
needs_auth: set[str] = set()


def check(*, auth: bool = False) -> Callable[[Check], Check]:
    """Register the check of the patch that has the same name."""

    def register(function: Check) -> Check:
        checks[function.__name__] = function
        if auth:
            needs_auth.add(function.__name__)
        return function

    return register


@pytest.fixture(scope="module")
def emulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[bool, Emulator]]:
    """One that enforces IAM over TLS, and one that does not."""
    with (
        Emulator(tmp_path_factory.mktemp("plain")) as plain,
        Emulator(tmp_path_factory.mktemp("enforced"), auth=True, tls=True) as enforced,
    ):
        yield {False: plain, True: enforced}


def test_every_patch_has_a_check_and_says_what_it_is_for() -> None:
    assert list(checks) == list(PATCHES)
    for function in PATCHES.values():
        text = " ".join((function.__doc__ or "").split())
        assert text.startswith("AWS: ")
        assert "The emulator " in text


@pytest.mark.parametrize("name", PATCHES)
def test_with_the_patch_it_is_as_on_aws(emulators: dict[bool, Emulator], name: str) -> None:
    emulator = emulators[name in needs_auth]
    emulator.reset()

    checks[name](emulator)


@pytest.mark.parametrize("name", PATCHES)
def test_without_the_patch_the_check_fails(tmp_path: Path, name: str) -> None:
    auth = name in needs_auth
    with (
        Emulator(tmp_path, auth=auth, tls=auth, without=[name]) as emulator,
        pytest.raises(AssertionError),
    ):
        checks[name](emulator)


# What is read back


@check()
def lambda_target_groups_have_no_network(emulator: Emulator) -> None:
    elb = emulator.client("elbv2")
    elb.create_target_group(Name="orders", TargetType="lambda")

    (target_group,) = elb.describe_target_groups(Names=["orders"])["TargetGroups"]

    assert not {"Protocol", "Port", "VpcId"} & target_group.keys()
    assert target_group["HealthCheckEnabled"] is False


@check()
def alarms_are_described_in_full(emulator: Emulator) -> None:
    emulator.client("cloudwatch").put_metric_alarm(
        AlarmName="<depth>",
        Namespace="AWS/SQS",
        MetricName="ApproximateNumberOfMessagesVisible",
        Dimensions=[{"Name": "QueueName", "Value": "orders"}],
        Statistic="Maximum",
        Period=60,
        EvaluationPeriods=3,
        Threshold=1.5,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
        AlarmActions=["arn:aws:sns:us-east-1:000000000000:operators"],
    )
    # The AWS provider speaks the query protocol; boto3 does not any more.
    query = {"Action": "DescribeAlarms", "Version": "2010-08-01", "AlarmNames.member.1": "<depth>"}
    credential = f"Credential=test/20260101/{REGION}/monitoring/aws4_request"
    request = urllib.request.Request(
        emulator.endpoint_url,
        urllib.parse.urlencode(query).encode(),
        {"Authorization": f"AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=0"},
    )
    with urllib.request.urlopen(request) as response:
        xml = response.read().decode()

    for member in (
        "<AlarmName>&lt;depth&gt;</AlarmName>",
        "<Threshold>1.5</Threshold>",
        "<TreatMissingData>notBreaching</TreatMissingData>",
        "<ActionsEnabled>true</ActionsEnabled>",
        "<Dimensions><member><Name>QueueName</Name><Value>orders</Value></member></Dimensions>",
        "<AlarmActions><member>arn:aws:sns:us-east-1:000000000000:operators</member></AlarmActions>",
    ):
        assert member in xml


@check()
def mappings_keep_their_metrics_config(emulator: Emulator) -> None:
    function_arn = deploy(emulator, "consume", RETURN_MESSAGE)
    config = {"Metrics": ["EventCount"]}

    mapping = map_queue(emulator, function_arn, MetricsConfig=config)

    assert mapping.get("MetricsConfig") == config
    read = emulator.client("lambda").get_event_source_mapping(UUID=mapping["UUID"])
    assert read.get("MetricsConfig") == config


@check()
def mappings_keep_their_pollers(emulator: Emulator) -> None:
    functions = emulator.client("lambda")
    function_arn = deploy(emulator, "consume", RETURN_MESSAGE)
    config = {"MinimumPollers": 2, "MaximumPollers": 10}

    mapping = {"UUID": map_queue(emulator, function_arn, ProvisionedPollerConfig=config)["UUID"]}

    assert functions.get_event_source_mapping(**mapping).get("ProvisionedPollerConfig") == config
    functions.update_event_source_mapping(**mapping, BatchSize=5)
    assert functions.get_event_source_mapping(**mapping)["ProvisionedPollerConfig"] == config
    more = config | {"MaximumPollers": 20}
    functions.update_event_source_mapping(**mapping, ProvisionedPollerConfig=more)
    assert functions.get_event_source_mapping(**mapping)["ProvisionedPollerConfig"] == more
    functions.update_event_source_mapping(**mapping, ProvisionedPollerConfig={})
    assert "ProvisionedPollerConfig" not in functions.get_event_source_mapping(**mapping)


@check()
def vpc_endpoints_keep_policy_dns_and_groups(emulator: Emulator) -> None:
    ec2 = emulator.client("ec2")
    vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    groups = [
        ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc_id)["GroupId"]
        for name in ("first", "second")
    ]
    policy = json.dumps({"Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}]})
    created = ec2.create_vpc_endpoint(
        VpcId=vpc_id,
        ServiceName=f"com.amazonaws.{REGION}.sqs",
        VpcEndpointType="Interface",
        PolicyDocument=policy,
        PrivateDnsEnabled=True,
        SecurityGroupIds=groups[:1],
    )["VpcEndpoint"]

    def read() -> dict[str, Any]:
        ids = [created["VpcEndpointId"]]
        (endpoint,) = ec2.describe_vpc_endpoints(VpcEndpointIds=ids)["VpcEndpoints"]
        assert isinstance(endpoint, dict)
        return endpoint

    for endpoint in (created, read()):
        assert endpoint.get("PolicyDocument") == policy
        assert endpoint["PrivateDnsEnabled"] is True
        assert [group["GroupId"] for group in endpoint["Groups"]] == groups[:1]

    ec2.modify_vpc_endpoint(
        VpcEndpointId=created["VpcEndpointId"],
        PrivateDnsEnabled=False,
        AddSecurityGroupIds=groups[1:],
        RemoveSecurityGroupIds=groups[:1],
    )
    assert read()["PrivateDnsEnabled"] is False
    assert [group["GroupId"] for group in read()["Groups"]] == groups[1:]

    ec2.modify_vpc_endpoint(VpcEndpointId=created["VpcEndpointId"], ResetPolicy=True)
    (statement,) = json.loads(read()["PolicyDocument"])["Statement"]
    assert statement == {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}


@check()
def flow_logs_keep_role_interval_and_format(emulator: Emulator) -> None:
    ec2 = emulator.client("ec2")
    vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    role = f"arn:aws:iam::{ACCOUNT}:role/flow-logs"
    tags = [{"Key": "team", "Value": "orders"}]
    common = {
        "ResourceIds": [vpc_id],
        "ResourceType": "VPC",
        "TrafficType": "ALL",
        "LogGroupName": "flow",
        "DeliverLogsPermissionArn": role,
    }
    ec2.create_flow_logs(**common)
    ec2.create_flow_logs(
        **common,
        MaxAggregationInterval=60,
        LogFormat="${srcaddr} ${dstaddr}",
        TagSpecifications=[{"ResourceType": "vpc-flow-log", "Tags": tags}],
    )

    by_default, chosen = ec2.describe_flow_logs()["FlowLogs"]

    assert by_default.get("MaxAggregationInterval") == 600
    assert by_default["LogFormat"].startswith("${version} ${account-id}")
    assert chosen["DeliverLogsPermissionArn"] == role
    assert chosen["MaxAggregationInterval"] == 60
    assert chosen["LogFormat"] == "${srcaddr} ${dstaddr}"
    assert chosen["Tags"] == tags


@check()
def security_group_rules_keep_prefix_lists(emulator: Emulator) -> None:
    ec2 = emulator.client("ec2")
    vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    group = ec2.create_security_group(GroupName="g", Description="g", VpcId=vpc_id)["GroupId"]
    prefix_list = {"PrefixListId": "pl-02cd2c6b", "Description": "DynamoDB"}
    permission = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}

    (authorized,) = ec2.authorize_security_group_egress(
        GroupId=group, IpPermissions=[permission | {"PrefixListIds": [prefix_list]}]
    )["SecurityGroupRules"]

    (read,) = ec2.describe_security_group_rules(
        SecurityGroupRuleIds=[authorized["SecurityGroupRuleId"]]
    )["SecurityGroupRules"]
    for rule in (authorized, read):
        assert rule.get("PrefixListId") == "pl-02cd2c6b"
        assert rule.get("Description") == "DynamoDB"
        assert "CidrIpv4" not in rule


@check()
def log_groups_change_their_key(emulator: Emulator) -> None:
    logs = emulator.client("logs")
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1"
    group = {"logGroupName": "/aws/lambda/orders"}
    logs.create_log_group(**group)

    def read() -> str | None:
        (found,) = logs.describe_log_groups(logGroupNamePrefix="/aws")["logGroups"]
        return dict(found).get("kmsKeyId")

    assert code_of(logs.associate_kms_key, **group, kmsKeyId=key) is None
    assert read() == key
    logs.disassociate_kms_key(**group)
    assert read() is None
    missing = {"logGroupName": "/missing", "kmsKeyId": key}
    assert code_of(logs.associate_kms_key, **missing) == "ResourceNotFoundException"


# How a load balancer calls a function


@check()
def load_balancer_needs_the_lambda_permission(emulator: Emulator) -> None:
    functions, elb = emulator.client("lambda"), emulator.client("elbv2")
    function_arn = deploy(emulator, "ingest", REPLAY)
    alias = {"FunctionName": "ingest", "Name": "live", "FunctionVersion": "$LATEST"}
    alias_arn = functions.create_alias(**alias)["AliasArn"]
    unqualified: dict[str, str] = {}
    qualified = {"Qualifier": "live"}
    other = balance(emulator, "other").target_group_arn

    for name, target, right, wrong in (
        ("unqualified", function_arn, unqualified, qualified),
        ("qualified", alias_arn, qualified, unqualified),
    ):
        balancer = balance(emulator, name)
        register = {"TargetGroupArn": balancer.target_group_arn, "Targets": [{"Id": target}]}
        assert code_of(elb.register_targets, **register) == "AccessDenied"

        permit(emulator, f"other-target-group-{name}", other, **right)
        permit(emulator, f"other-qualifier-{name}", balancer.target_group_arn, **wrong)
        assert code_of(elb.register_targets, **register) == "AccessDenied"

        permit(emulator, "right", balancer.target_group_arn, **right)
        elb.register_targets(**register)
        assert balancer.send().status == 200

        functions.remove_permission(FunctionName="ingest", StatementId="right", **right)
        assert balancer.send().status == 502


@check()
def load_balancer_limits_bodies_to_1_mb(emulator: Emulator) -> None:
    balancer = balance(emulator, "orders", REPLAY)
    plain = {"content-type": "text/plain"}

    assert balancer.send(body=b"x" * 1_048_577, headers=plain).status == 413
    # The request passes, but the reply that holds it does not.
    assert balancer.send(body=b"x" * 1_048_576, headers=plain).status == 502
    assert balancer.send(body=b"x" * 1_000_000, headers=plain).status == 200


@check()
def load_balancer_refuses_malformed_replies(emulator: Emulator) -> None:
    balancer = balance(emulator, "orders", REPLAY)

    def status_of(reply: Any) -> int:
        return balancer.send("/reply", json.dumps(reply).encode()).status

    malformed: list[Any] = [
        None,
        "accepted",
        [],
        {"body": "no status"},
        {"statusCode": "200"},
        {"statusCode": 99},
        {"statusCode": 200, "body": {"not": "a string"}},
        {"statusCode": 200, "headers": {"x-count": 1}},
        {"statusCode": 200, "headers": ["x"]},
        {"statusCode": 200, "body": "not base64!", "isBase64Encoded": True},
    ]
    for reply in malformed:
        assert status_of(reply) == 502, reply
    assert status_of({"statusCode": 204}) == 204
    assert status_of({"statusCode": 200, "body": None, "headers": None}) == 200
    # An invocation that does not come from a load balancer may return anything.
    event = json.dumps({"path": "/reply", "body": "[]", "requestContext": {"elb": {}}})
    direct = emulator.client("lambda").invoke(FunctionName="orders", Payload=event)
    assert json.load(direct["Payload"]) == []


@check()
def load_balancer_says_nothing_of_failures(emulator: Emulator) -> None:
    balancer = balance(emulator, "orders", "def handle(event, context): raise ValueError('secret')")

    answer = balancer.send()

    assert answer.status == 502
    assert answer.headers["content-type"] == "text/html"
    assert b"secret" not in answer.body


@check()
def load_balancer_encodes_bodies_by_content_type(emulator: Emulator) -> None:
    balancer = balance(emulator, "orders", REPLAY)

    def is_base64(content_type: str, **headers: str) -> bool:
        headers |= {"content-type": content_type}
        event = balancer.send(body='{"item": "☕"}'.encode(), headers=headers).event
        encoded = bool(event["isBase64Encoded"])
        body = base64.b64decode(event["body"]).decode() if encoded else event["body"]
        assert body == '{"item": "☕"}'
        return encoded

    assert not is_base64("application/json")
    assert not is_base64("Application/JSON; charset=utf-8")
    assert not is_base64("application/javascript")
    assert not is_base64("application/xml")
    assert not is_base64("text/csv")
    assert is_base64("application/problem+json")
    assert is_base64("application/x-www-form-urlencoded")
    assert is_base64("application/json", **{"content-encoding": "gzip"})
    assert is_base64("")
    assert balancer.send(method="GET").event["isBase64Encoded"] is False


@check()
def load_balancer_separates_the_multi_value_mode(emulator: Emulator) -> None:
    single = balance(emulator, "single", REPLAY)
    multi = balance(emulator, "multi", REPLAY, multi_value=True)
    in_single = json.dumps({"statusCode": 200, "headers": {"x-form": "single"}}).encode()
    in_multi = json.dumps({"statusCode": 200, "multiValueHeaders": {"x-form": ["multi"]}}).encode()

    event = single.send("/?a=1&a=2").event
    assert not {"multiValueHeaders", "multiValueQueryStringParameters"} & event.keys()
    assert event["queryStringParameters"] == {"a": "2"}
    assert single.send("/reply", in_single).headers["x-form"] == "single"
    assert "x-form" not in single.send("/reply", in_multi).headers

    event = multi.send("/?a=1&a=2").event
    assert not {"headers", "queryStringParameters"} & event.keys()
    assert event["multiValueQueryStringParameters"] == {"a": ["1", "2"]}
    assert event["multiValueHeaders"]["content-type"] == ["application/json"]
    assert multi.send("/reply", in_multi).headers["x-form"] == "multi"
    assert "x-form" not in multi.send("/reply", in_single).headers


@check()
def load_balancer_leaves_queries_encoded(emulator: Emulator) -> None:
    path = "/?item%20name=Kopi+Susu%21"

    single = balance(emulator, "single", REPLAY).send(path).event
    multi = balance(emulator, "multi", REPLAY, multi_value=True).send(path).event

    assert single["queryStringParameters"] == {"item%20name": "Kopi+Susu%21"}
    assert multi["multiValueQueryStringParameters"] == {"item%20name": ["Kopi+Susu%21"]}


# How a queue invokes a function, and how a function calls AWS


@check()
def malformed_batch_responses_fail_the_batch(emulator: Emulator) -> None:
    function_arn = deploy(emulator, "consume", RETURN_MESSAGE)

    def result_of(queue: str, response: Any) -> str:
        reporting = {"FunctionResponseTypes": ["ReportBatchItemFailures"]}
        mapping = map_queue(emulator, function_arn, queue, **reporting)
        send(emulator, queue, json.dumps(response))
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
    queue_arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:orders"
    needed = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
    function_arn = deploy(emulator, "consume", "def handle(event, context): print('called')")
    emulator.client("sqs").create_queue(QueueName="orders")

    def allow(actions: list[str]) -> None:
        policy = allowing(actions, queue_arn)
        iam.put_role_policy(RoleName="consume", PolicyName="queue", PolicyDocument=policy)

    for missing in needed:
        allow([action for action in needed if action != missing])
        source = {"EventSourceArn": queue_arn, "FunctionName": function_arn}
        refusal = code_of(functions.create_event_source_mapping, **source)
        assert refusal == "InvalidParameterValueException", missing

    allow(needed)
    mapping = map_queue(emulator, function_arn)
    send(emulator, "orders", "first")
    assert processed(emulator, mapping) == "OK - 1 records"

    allow(needed[1:])
    problem = poll(lambda: last_result(emulator, mapping), lambda r: r.startswith("PROBLEM"))
    assert "sqs:ReceiveMessage" in problem
    send(emulator, "orders", "second")
    allow(needed)
    assert processed(emulator, mapping, before=problem) == "OK - 1 records"


@check()
def mappings_fill_batches_above_10(emulator: Emulator) -> None:
    function_arn = deploy(emulator, "consume", "def handle(event, context): print('called')")
    batches: dict[str, Any] = {"BatchSize": 100, "MaximumBatchingWindowInSeconds": 1}
    mapping = map_queue(emulator, function_arn, **batches, Enabled=False)
    send(emulator, "orders", *["order"] * 25)

    emulator.client("lambda").update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)

    assert processed(emulator, mapping) == "OK - 25 records"


@check()
def mappings_wait_for_the_batching_window(emulator: Emulator) -> None:
    function_arn = deploy(emulator, "consume", "def handle(event, context): print('called')")
    mapping = map_queue(emulator, function_arn, BatchSize=2, MaximumBatchingWindowInSeconds=1)

    started = time.monotonic()
    send(emulator, "orders", "alone")
    assert processed(emulator, mapping) == "OK - 1 records"
    assert time.monotonic() - started >= 1

    update = emulator.client("lambda").update_event_source_mapping
    update(UUID=mapping["UUID"], MaximumBatchingWindowInSeconds=300)
    send(emulator, "orders", "in", "company")
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
        emulator.client("dynamodb").create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        )
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


# The emulator itself


def test_a_patch_for_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "version", lambda _: "1.6.0")

    with pytest.raises(patches.PatchError, match=r"ministack 1\.5\.33, and 1\.6\.0 is installed"):
        patches.apply()


@pytest.mark.parametrize(
    ("module", "name", "message"),
    [
        ("services.nothing", "_tg_xml", "cannot be imported"),
        ("services.alb", "_nothing", "has no _nothing"),
        ("services.alb", "_NOTHING[Key]", "has no table _NOTHING"),
        ("services.alb", "_ACTION_MAP[Nothing]", r"has no _ACTION_MAP\[Nothing\]"),
        ("services.alb", "_lb_attr", r"takes \['lb_arn', 'key', 'default'\], not \['tg'\]"),
    ],
)
def test_a_patch_whose_target_has_moved_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, module: str, name: str, message: str
) -> None:
    def change() -> None:
        @patches.around(module, name)
        def replacement(original: Any, tg: Any) -> None: ...

    monkeypatch.setattr(patches, "all_patches", lambda: {"moved": change})

    with pytest.raises(patches.PatchError, match=f"The patch moved does not fit.*{message}"):
        patches.apply()


def test_an_unknown_patch_cannot_be_left_out(tmp_path: Path) -> None:
    with pytest.raises(EmulatorError, match="No patch is called nothing"):
        Emulator(tmp_path, without=["nothing"]).start()


def test_a_taken_port_is_avoided(tmp_path: Path) -> None:
    with (
        Emulator(tmp_path / "first", port=0) as first,
        Emulator(tmp_path / "second", port=first.port) as second,
    ):
        assert second.port != first.port
        second.client("sqs").create_queue(QueueName="second")
        assert not first.client("sqs").list_queues().get("QueueUrls")


def test_two_that_look_for_a_port_at_once_do_not_share_it() -> None:
    options = argparse.Namespace(port=0, or_any_port=True)
    with _listening_socket(options) as first:
        options.port = first.getsockname()[1]
        with _listening_socket(options) as second:
            assert second.getsockname()[1] != options.port


def test_one_directory_has_one_emulator(tmp_path: Path) -> None:
    with (
        Emulator(tmp_path, port=0),
        pytest.raises(EmulatorError, match="already running with"),
    ):
        Emulator(tmp_path, port=0).start()


def test_only_loopback_is_listened_on(emulators: dict[bool, Emulator]) -> None:
    table = Path("/proc/net/tcp")
    if not table.exists():
        pytest.skip("needs /proc")
    rows = [line.split() for line in table.read_text().splitlines()[1:]]
    listening = {row[1] for row in rows if row[3] == "0A"}
    for emulator in emulators.values():
        port = f":{emulator.port:04X}"
        assert {one for one in listening if one.endswith(port)} == {f"0100007F{port}"}


@pytest.mark.parametrize("tls", [False, True])
def test_nothing_is_left_after_stop(tmp_path: Path, tls: bool) -> None:
    emulator = Emulator(tmp_path, port=0, tls=tls).start()
    deploy(emulator, "hang", "import time\ndef handle(event, context):\n    time.sleep(60)")
    group, once = emulator.pid, Config(retries={"total_max_attempts": 1})
    functions = emulator.client("lambda", config=once)

    with concurrent.futures.ThreadPoolExecutor() as pool:
        invocation = pool.submit(functions.invoke, FunctionName="hang")
        poll(lambda: processes_of(group), lambda found: len(found) == 2)
        emulator.stop()
        assert invocation.exception() is not None

    assert processes_of(group) == set()
    assert not (tmp_path / "tmp").exists()
    assert Emulator.attach(tmp_path) is None


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_when_the_parent_ends(tmp_path: Path, end: signal.Signals) -> None:
    program = (
        "import pathlib, time; from local.emulator import Emulator\n"
        f"with Emulator(pathlib.Path({str(tmp_path)!r}), port=0) as emulator:\n"
        "    print(emulator.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as parent:
        assert parent.stdout
        group = int(parent.stdout.readline())
        assert processes_of(group) == {group}
        parent.send_signal(end)

    assert poll(lambda: processes_of(group), lambda found: not found) == set()


def test_a_detached_emulator_is_found_again(tmp_path: Path) -> None:
    assert Emulator.attach(tmp_path) is None
    program = (
        "import pathlib; from local.emulator import Emulator\n"
        f"Emulator(pathlib.Path({str(tmp_path)!r}), port=0, tls=True, detached=True).start()"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)

    found = Emulator.attach(tmp_path)

    assert found is not None
    assert found.endpoint_url.startswith("https://127.0.0.1:")
    found.client("sqs").create_queue(QueueName="orders")
    group = found.pid
    found.stop()
    assert processes_of(group) == set()
    assert Emulator.attach(tmp_path) is None


def test_a_stale_file_is_no_emulator(tmp_path: Path) -> None:
    # The process exists, but it is another program by now: it does not hold the lock.
    stale = {"pid": os.getpid(), "port": 1, "auth": False, "tls": False, "region": REGION}
    (tmp_path / "emulator.json").write_text(json.dumps(stale))

    assert Emulator.attach(tmp_path) is None
    with Emulator(tmp_path, port=0) as emulator:
        assert emulator.pid != os.getpid()


def test_state_is_kept_if_wanted(tmp_path: Path) -> None:
    with Emulator(tmp_path, port=0, keep_state=True) as emulator:
        emulator.client("sqs").create_queue(QueueName="orders")
    with Emulator(tmp_path, port=0, keep_state=True) as emulator:
        assert emulator.client("sqs").get_queue_url(QueueName="orders")


def test_the_environment_leads_nowhere_else(
    emulators: dict[bool, Emulator], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_CA_BUNDLE", "AWS_ENDPOINT_URL_SQS"):
        monkeypatch.setenv(name, "elsewhere")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid")
    monkeypatch.setenv("NO_PROXY", "internal.invalid")

    plain, enforced = (emulators[auth].environment() for auth in (False, True))

    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_SQS"} & plain.keys()
    assert "AWS_CA_BUNDLE" not in plain
    assert enforced["AWS_CA_BUNDLE"].endswith("authority.pem")
    assert plain["HTTPS_PROXY"] == "http://proxy.invalid"  # terraform init may need it
    assert plain["NO_PROXY"] == "internal.invalid,127.0.0.1,localhost"
    # And a client of this process is not led astray by its environment either.
    emulators[True].client("sqs").list_queues()


# Helpers


@dataclass
class Answer:
    status: int
    headers: Any
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        """The event that the function got, if it is REPLAY."""
        event = json.loads(self.body)
        assert isinstance(event, dict)
        return event


@dataclass
class Balancer:
    """A load balancer with one target group, for a function."""

    url: str
    target_group_arn: str

    def send(
        self,
        path: str = "/",
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        method: str = "POST",
    ) -> Answer:
        headers = {"content-type": "application/json"} if headers is None else headers
        request = urllib.request.Request(self.url + path, body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return Answer(response.status, response.headers, response.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.headers, error.read())


def balance(
    emulator: Emulator, name: str, code: str | None = None, *, multi_value: bool = False
) -> Balancer:
    """Make a load balancer, and behind it a function of the same name if there is code."""
    elb = emulator.client("elbv2")
    group = elb.create_target_group(Name=name, TargetType="lambda")["TargetGroups"][0]
    group_arn = group["TargetGroupArn"]
    if multi_value:
        attribute = {"Key": "lambda.multi_value_headers.enabled", "Value": "true"}
        elb.modify_target_group_attributes(TargetGroupArn=group_arn, Attributes=[attribute])
    if code:
        function_arn = deploy(emulator, name, code)
        permit(emulator, "load-balancer", group_arn, FunctionName=name)
        elb.register_targets(TargetGroupArn=group_arn, Targets=[{"Id": function_arn}])
    balancer = elb.create_load_balancer(Name=name, Subnets=["subnet-1", "subnet-2"])
    elb.create_listener(
        LoadBalancerArn=balancer["LoadBalancers"][0]["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group_arn}],
    )
    return Balancer(emulator.alb_url(name), group_arn)


def permit(emulator: Emulator, sid: str, target_group_arn: str, **options: str) -> None:
    """Let load balancers invoke a function, `ingest` by default, for one target group."""
    emulator.client("lambda").add_permission(
        **{"FunctionName": "ingest"} | options,
        StatementId=sid,
        Action="lambda:InvokeFunction",
        Principal="elasticloadbalancing.amazonaws.com",
        SourceArn=target_group_arn,
        SourceAccount=ACCOUNT,
    )


def allowing(actions: list[str], resource: str, **more: Any) -> str:
    statement = {"Effect": "Allow", "Action": actions, "Resource": resource} | more
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def deploy(emulator: Emulator, name: str, code: str) -> str:
    """Make a function with a role of the same name; returns its ARN."""
    service = {"Service": "lambda.amazonaws.com"}
    trust = {"Effect": "Allow", "Principal": service, "Action": "sts:AssumeRole"}
    role = emulator.client("iam").create_role(
        RoleName=name,
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )
    function = emulator.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.13",
        Handler="function.handle",
        Role=role["Role"]["Arn"],
        Code={"ZipFile": zipped({"function.py": code})},
        Timeout=30,
    )
    return str(function["FunctionArn"])


def map_queue(
    emulator: Emulator, function_arn: str, queue: str = "orders", **options: Any
) -> dict[str, Any]:
    """Make the queue, if it is not there, and its event source mapping."""
    emulator.client("sqs").create_queue(QueueName=queue)
    mapping = emulator.client("lambda").create_event_source_mapping(
        EventSourceArn=f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}",
        FunctionName=function_arn,
        **options,
    )
    assert isinstance(mapping, dict)
    return mapping


def send(emulator: Emulator, queue: str, *bodies: str) -> None:
    sqs = emulator.client("sqs")
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    for body in bodies:
        sqs.send_message(QueueUrl=url, MessageBody=body)


def in_flight(emulator: Emulator, queue: str) -> int:
    sqs = emulator.client("sqs")
    attributes = sqs.get_queue_attributes(
        QueueUrl=sqs.get_queue_url(QueueName=queue)["QueueUrl"], AttributeNames=["All"]
    )["Attributes"]
    return int(attributes["ApproximateNumberOfMessagesNotVisible"])


def last_result(emulator: Emulator, mapping: dict[str, Any]) -> str:
    """What the mapping says about its latest batch."""
    read = emulator.client("lambda").get_event_source_mapping(UUID=mapping["UUID"])
    return str(read["LastProcessingResult"])


def processed(
    emulator: Emulator, mapping: dict[str, Any], before: str = "No records processed"
) -> str:
    """What the mapping says about the first batch after it said `before`."""
    return poll(lambda: last_result(emulator, mapping), lambda result: result != before)


def code_of(call: Callable[..., Any], **arguments: Any) -> str | None:
    """The error code with which a call is refused, or None."""
    try:
        call(**arguments)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return None


def processes_of(group: int) -> set[int]:
    """The processes of a process group, without those that have ended."""
    table = subprocess.run(
        ["ps", "-A", "-o", "pid=,pgid=,stat="], check=True, capture_output=True, text=True
    ).stdout
    rows = (line.split() for line in table.splitlines())
    return {int(pid) for pid, pgid, state in rows if int(pgid) == group and state[0] != "Z"}


def poll(read: Callable[[], T], is_right: Callable[[T], bool], seconds: float = 10) -> T:
    """Read until it is right; fails if it does not become so in time."""
    deadline = time.monotonic() + seconds
    while not is_right(value := read()):
        assert time.monotonic() < deadline, f"still {value!r}"
        time.sleep(0.01)
    return value
