"""The functions' way to SQS and DynamoDB: subnets, security groups, routes, endpoints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from async_ingest.doctor.findings import Finding, checks, failed, ok
from async_ingest.doctor.policies import allows, denying, parsed
from async_ingest.system import System

INGEST, PROCESS = "network of ingest", "network of process"
HTTPS = 443


@checks(INGEST)
def ingest(system: System) -> Iterator[Finding]:
    yield from _ways(system, INGEST, system.ingest_function, {"sqs": _sending(system.queue_arn)})


@checks(PROCESS)
def process(system: System) -> Iterator[Finding]:
    account = system.queue_arn.split(":")
    table = ":".join([*account[:2], "dynamodb", *account[3:5], f"table/{system.table_name}"])
    needs = {
        "dynamodb": [("dynamodb:PartiQLInsert", table), ("dynamodb:PutItem", table)],
        "sqs": _sending(system.dead_letter_arn),
    }
    yield from _ways(system, PROCESS, system.process_function, needs)


def _sending(queue_arn: str) -> list[tuple[str, str]]:
    return [("sqs:SendMessage", queue_arn)]


def _ways(
    system: System, hop: str, function: str, needs: dict[str, list[tuple[str, str]]]
) -> Iterator[Finding]:
    network = system.configuration(function).get("VpcConfig", {})
    if not network.get("SubnetIds"):
        yield ok(hop, f"{function} runs outside a VPC")
        return
    ec2 = system.aws.client("ec2")
    subnets = ec2.describe_subnets(SubnetIds=network["SubnetIds"])["Subnets"]
    tables = _route_tables(ec2, subnets)
    endpoints = ec2.describe_vpc_endpoints(
        Filters=[{"Name": "vpc-id", "Values": [network["VpcId"]]}]
    )["VpcEndpoints"]
    groups = ec2.describe_security_groups(GroupIds=network["SecurityGroupIds"])["SecurityGroups"]
    problems = 0
    for service, actions in needs.items():
        for what, do in _problems(ec2, service, actions, groups, tables, endpoints, subnets):
            problems += 1
            yield failed(hop, what, do)
    if not problems:
        yield ok(hop, f"{' and '.join(needs)} can be reached from {len(subnets)} subnets")


def _problems(  # noqa: PLR0917 - what describes a network
    ec2: Any,
    service: str,
    actions: list[tuple[str, str]],
    groups: list[dict[str, Any]],
    tables: dict[str, dict[str, Any]],
    endpoints: list[dict[str, Any]],
    subnets: list[dict[str, Any]],
) -> Iterator[tuple[str, str]]:
    """Yields what is in the way to a service, and what to do."""
    found = [one for one in endpoints if one["ServiceName"].endswith(f".{service}")]
    endpoint = next(iter(found), None)
    if endpoint is None:
        for subnet in subnets:
            if not _has_way_out(tables.get(subnet["SubnetId"], {})):
                yield (
                    f"{subnet['SubnetId']} has neither a route out nor an endpoint of {service}",
                    "apply again, or see vpc_endpoints and vpc.nat_gateway",
                )
        if not _leads_out(groups, None):
            yield f"the security group lets nothing out to {service}", "apply again"
        return
    name, is_interface = endpoint["VpcEndpointId"], endpoint["VpcEndpointType"] == "Interface"
    if endpoint.get("State", "available").lower() not in ("available", "pending"):
        yield f"endpoint {name} of {service} is {endpoint['State']}", "apply again"
    policy = parsed(endpoint.get("PolicyDocument"))
    for action, resource in actions:
        sid = denying([policy], action, resource)
        if policy and (sid or not allows([policy], action, resource)):
            yield (
                f"the policy of endpoint {name} does not allow {action} on {resource}",
                f"apply again, or correct vpc_endpoints.{service}_policy_documents",
            )
    if is_interface:
        yield from _into_endpoint(ec2, endpoint, groups)
    else:
        lost = [
            subnet["SubnetId"]
            for subnet in subnets
            if tables.get(subnet["SubnetId"], {}).get("RouteTableId")
            not in endpoint.get("RouteTableIds", [])
        ]
        if lost:
            where = ", ".join(lost)
            yield f"endpoint {name} of {service} has no route from {where}", "apply again"
        if not _leads_out(groups, None):
            yield f"the security group lets nothing out to {service}", "apply again"


def _into_endpoint(
    ec2: Any, endpoint: dict[str, Any], groups: list[dict[str, Any]]
) -> Iterator[tuple[str, str]]:
    name = endpoint["VpcEndpointId"]
    if not endpoint.get("PrivateDnsEnabled"):
        yield f"endpoint {name} has no private DNS, so that nobody finds it", "apply again"
    ids = [group["GroupId"] for group in endpoint.get("Groups", [])]
    if not ids:
        return
    own = {group["GroupId"] for group in groups}
    if not _leads_out(groups, set(ids)):
        what = f"the function's security group lets nothing out to that of endpoint {name}"
        yield what, "apply again: its egress rule for 443 is gone"
    inward = [
        permission
        for group in ec2.describe_security_groups(GroupIds=ids)["SecurityGroups"]
        for permission in group["IpPermissions"]
    ]
    if not any(
        _covers_https(rule)
        and (
            rule.get("IpRanges")
            or own & {pair["GroupId"] for pair in rule.get("UserIdGroupPairs", [])}
        )
        for rule in inward
    ):
        what = f"the security group of endpoint {name} does not admit the function's"
        yield what, "apply again: its ingress rule for 443 is gone"


def _leads_out(groups: Iterable[dict[str, Any]], to: set[str] | None) -> bool:
    """Returns whether an egress rule covers HTTPS, to one of the groups or to anything wider."""
    rules = [rule for group in groups for rule in group.get("IpPermissionsEgress", [])]
    for rule in filter(_covers_https, rules):
        named = {pair["GroupId"] for pair in rule.get("UserIdGroupPairs", [])}
        if rule.get("IpRanges") or (named & to if to else rule.get("PrefixListIds")):
            return True
    return False


def _covers_https(rule: dict[str, Any]) -> bool:
    if rule["IpProtocol"] == "-1":
        return True
    return bool(
        rule["IpProtocol"] in ("tcp", "6")
        and rule.get("FromPort", 0) <= HTTPS <= rule.get("ToPort", 65535)
    )


def _route_tables(ec2: Any, subnets: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Returns the route table of each subnet, its own or the VPC's main one."""
    vpc = {"Name": "vpc-id", "Values": [subnets[0]["VpcId"]]}
    tables = ec2.describe_route_tables(Filters=[vpc])["RouteTables"]
    main: dict[str, Any] = {}
    own: dict[str, dict[str, Any]] = {}
    for table in tables:
        for association in table.get("Associations", []):
            if association.get("Main"):
                main = table
            elif "SubnetId" in association:
                own[association["SubnetId"]] = table
    return {one["SubnetId"]: own.get(one["SubnetId"], main) for one in subnets}


def _has_way_out(table: dict[str, Any]) -> bool:
    return any(
        route.get("DestinationCidrBlock") == "0.0.0.0/0" and route.get("State") != "blackhole"
        for route in table.get("Routes", [])
    )
