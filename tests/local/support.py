"""Resources of the emulator that the checks of patches and the recorded answers are made on."""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from local.archive import zipped
from local.emulator import ACCOUNT, REGION, Emulator
from local.http_client import JSON, Answer, send
from local.waiting import eventually
from tests.support.policies import trust

# Returns the body of a request to /reply as its own reply, and the event of any other request.
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
# Returns the body of its first message.
RETURN_MESSAGE = """
import json

def handle(event, context):
    print("called")
    return json.loads(event["Records"][0]["body"])
"""


@contextmanager
def trace_header(client: Any, value: str) -> Iterator[None]:
    """Adds an X-Amzn-Trace-Id to the client's calls of SQS, as the SDK does inside a function."""

    def add(request: Any, **_: Any) -> None:
        request.headers["X-Amzn-Trace-Id"] = value

    client.meta.events.register("before-send.sqs.*", add)
    try:
        yield
    finally:
        client.meta.events.unregister("before-send.sqs.*", add)


@dataclass
class Balancer:
    """A load balancer with one target group, for a function."""

    url: str
    target_group_arn: str

    def send(
        self,
        path: str = "/",
        body: bytes = b"",
        headers: Mapping[str, str] = JSON,
        method: str = "POST",
    ) -> Answer:
        return send(self.url + path, body, method=method, headers=headers, timeout=10)


def balance(
    emulator: Emulator, name: str, code: str | None = None, *, multi_value: bool = False
) -> Balancer:
    """Creates a load balancer and, if there is code, a function of the same name behind it."""
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
    """Lets load balancers invoke a function, `ingest` by default, for one target group."""
    emulator.client("lambda").add_permission(
        **{"FunctionName": "ingest"} | options,
        StatementId=sid,
        Action="lambda:InvokeFunction",
        Principal="elasticloadbalancing.amazonaws.com",
        SourceArn=target_group_arn,
        SourceAccount=ACCOUNT,
    )


def deploy(emulator: Emulator, name: str, code: str) -> str:
    """Creates a function with a role of the same name. Returns its ARN."""
    role = emulator.client("iam").create_role(
        RoleName=name,
        AssumeRolePolicyDocument=trust(Service="lambda.amazonaws.com"),
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
    """Creates a queue, unless it exists, and an event source mapping of it."""
    emulator.client("sqs").create_queue(QueueName=queue)
    mapping = emulator.client("lambda").create_event_source_mapping(
        EventSourceArn=queue_arn(queue),
        FunctionName=function_arn,
        **options,
    )
    assert isinstance(mapping, dict)
    return mapping


def queue_arn(queue: str) -> str:
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}"


def enqueue(emulator: Emulator, queue: str, *bodies: str) -> None:
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
    """Returns what the mapping reports about its latest batch."""
    read = emulator.client("lambda").get_event_source_mapping(UUID=mapping["UUID"])
    return str(read["LastProcessingResult"])


def processed(
    emulator: Emulator, mapping: dict[str, Any], before: str = "No records processed"
) -> str:
    """Waits for the next batch after the mapping reported `before`. Returns its result."""
    return eventually(
        lambda: last_result(emulator, mapping),
        "the result of a batch",
        10,
        until=lambda result: result != before,
    )


def processes_of(group: int) -> set[int]:
    """Returns the processes of a group, without zombies."""
    table = subprocess.run(
        ["ps", "-A", "-o", "pid=,pgid=,stat="], check=True, capture_output=True, text=True
    ).stdout
    rows = (line.split() for line in table.splitlines())
    return {int(pid) for pid, pgid, state in rows if int(pgid) == group and state[0] != "Z"}


class Network:
    """A VPC with two subnets in different zones."""

    def __init__(self, emulator: Emulator) -> None:
        self._ec2 = emulator.client("ec2")
        self._functions = emulator.client("lambda")
        self.vpc_id = self._ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.subnets = [self.subnet(number) for number in range(2)]

    def subnet(self, number: int) -> str:
        subnet = self._ec2.create_subnet(
            VpcId=self.vpc_id,
            CidrBlock=f"10.0.{number}.0/24",
            AvailabilityZone=REGION + "abc"[number % 3],
        )
        return str(subnet["Subnet"]["SubnetId"])

    def group(self, name: str) -> str:
        group = self._ec2.create_security_group(GroupName=name, Description=name, VpcId=self.vpc_id)
        return str(group["GroupId"])

    def route_table(self, *subnets: str) -> str:
        table = self._ec2.create_route_table(VpcId=self.vpc_id)["RouteTable"]["RouteTableId"]
        for subnet in subnets:
            self._ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
        return str(table)

    def endpoint(self, service: str, **options: Any) -> str:
        endpoint = self._ec2.create_vpc_endpoint(
            VpcId=self.vpc_id,
            ServiceName=f"com.amazonaws.{REGION}.{service}",
            **{"VpcEndpointType": "Interface"} | options,
        )
        return str(endpoint["VpcEndpoint"]["VpcEndpointId"])

    def attach(
        self, function: str, subnets: list[str] | None = None, groups: list[str] | None = None
    ) -> None:
        self._functions.update_function_configuration(
            FunctionName=function,
            VpcConfig={"SubnetIds": subnets or self.subnets, "SecurityGroupIds": groups or []},
        )
