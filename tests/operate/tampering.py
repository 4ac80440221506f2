"""Changes of the applied system by hand, each undone at the end of its block."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from local.stack import Stack


@contextmanager
def republished(
    stack: Stack, function: str, code: bytes | None = None, **variables: str
) -> Iterator[None]:
    """Points the alias to a version with other variables or code; removes it afterwards."""
    lambda_, named = stack.lambda_, {"FunctionName": function}
    before = lambda_.get_function_configuration(**named)
    environment = before["Environment"]["Variables"]
    location = urlsplit(lambda_.get_function(**named)["Code"]["Location"])
    package = stack.emulator.request(f"{location.path}?{location.query}")
    alias = lambda_.get_alias(**named, Name="live")["FunctionVersion"]
    lambda_.update_function_configuration(
        **named, Environment={"Variables": environment | variables}
    )
    if code:
        lambda_.update_function_code(**named, ZipFile=code)
    version = lambda_.publish_version(**named)["Version"]
    lambda_.update_alias(**named, Name="live", FunctionVersion=version)
    try:
        yield
    finally:
        lambda_.update_alias(**named, Name="live", FunctionVersion=alias)
        lambda_.delete_function(**named, Qualifier=version)
        lambda_.update_function_configuration(**named, Environment={"Variables": environment})
        if code:
            lambda_.update_function_code(**named, ZipFile=package)


def endpoint(stack: Stack, service: str) -> dict[str, Any]:
    endpoints = stack.emulator.client("ec2").describe_vpc_endpoints()["VpcEndpoints"]
    [found] = [one for one in endpoints if one["ServiceName"].endswith(f".{service}")]
    return dict(found)


@contextmanager
def endpoint_policy(stack: Stack, service: str) -> Iterator[None]:
    """Lets an endpoint allow another action only."""
    found = endpoint(stack, service)
    change = stack.emulator.client("ec2").modify_vpc_endpoint
    given = {"VpcEndpointId": found["VpcEndpointId"]}
    policy = json.loads(found["PolicyDocument"])
    for statement in policy["Statement"]:
        statement["Action"] = f"{service}:DescribeEndpoints"
    change(**given, PolicyDocument=json.dumps(policy))
    try:
        yield
    finally:
        change(**given, PolicyDocument=found["PolicyDocument"])


@contextmanager
def without_rules(stack: Stack, group: str, direction: str) -> Iterator[None]:
    """Revokes a security group's rules; the restored ones have other ids than Terraform knows."""
    ec2 = stack.emulator.client("ec2")
    filters = [{"Name": "group-id", "Values": [group]}]
    is_egress = direction == "egress"
    rules = [
        rule
        for rule in ec2.describe_security_group_rules(Filters=filters)["SecurityGroupRules"]
        if rule["GroupId"] == group and rule["IsEgress"] == is_egress
    ]
    ids = [rule["SecurityGroupRuleId"] for rule in rules]
    getattr(ec2, f"revoke_security_group_{direction}")(GroupId=group, SecurityGroupRuleIds=ids)
    try:
        yield
    finally:
        permissions = [_permission(rule) for rule in rules]
        give = getattr(ec2, f"authorize_security_group_{direction}")
        give(GroupId=group, IpPermissions=permissions)


def _permission(rule: dict[str, Any]) -> dict[str, Any]:
    made = {name: rule[name] for name in ("IpProtocol", "FromPort", "ToPort")}
    if "CidrIpv4" in rule:
        return made | {"IpRanges": [{"CidrIp": rule["CidrIpv4"]}]}
    if "PrefixListId" in rule:
        return made | {"PrefixListIds": [{"PrefixListId": rule["PrefixListId"]}]}
    return made | {"UserIdGroupPairs": [{"GroupId": rule["ReferencedGroupInfo"]["GroupId"]}]}


def attribute(stack: Stack, name: str) -> str:
    answer = stack.sqs.get_queue_attributes(
        QueueUrl=stack.outputs["queue_url"], AttributeNames=[name]
    )
    return str(answer.get("Attributes", {}).get(name, ""))


@contextmanager
def queue_attributes(stack: Stack, **attributes: str) -> Iterator[None]:
    url = stack.outputs["queue_url"]
    before = {name: attribute(stack, name) for name in attributes}
    stack.sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)
    try:
        yield
    finally:
        stack.sqs.set_queue_attributes(QueueUrl=url, Attributes=before)


@contextmanager
def role_without(stack: Stack, function: str, action: str) -> Iterator[None]:
    """Takes an action out of a role's policies."""
    role = {"RoleName": stack.role_of(function).rpartition("/")[2]}
    before: dict[str, str] = {}
    for name in stack.iam.list_role_policies(**role)["PolicyNames"]:
        document = stack.iam.get_role_policy(**role, PolicyName=name)["PolicyDocument"]
        before[name] = json.dumps(document)
        without = before[name].replace(json.dumps(action), json.dumps("sqs:ListQueues"))
        stack.iam.put_role_policy(**role, PolicyName=name, PolicyDocument=without)
    try:
        yield
    finally:
        for name, document in before.items():
            stack.iam.put_role_policy(**role, PolicyName=name, PolicyDocument=document)
