"""What EC2 refuses because of other resources, and which calls reach a service at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from local.patches import around, internal, patch
from local.patches.hooks import Call, deny_more, interfaces

JsonObject = dict[str, Any]
Response = tuple[int, dict[str, str], bytes]

EVERYWHERE = "0.0.0.0/0"


@patch
def security_groups_in_use_stay() -> None:
    """AWS: a group that an interface has, or that a rule of another group names, cannot be deleted.

    DependencyViolation; "DeleteSecurityGroup", Amazon EC2 API Reference. The emulator deletes it.
    Here functions (including each published version), load balancers, endpoints and network
    interfaces count, and release it at once; Lambda keeps its interfaces for a while.
    """
    groups = internal("services.ec2", "_security_groups")
    parameter = internal("services.ec2", "_p")
    error = internal("services.ec2", "_error")
    all_interfaces = interfaces()

    def is_named_by_another(group_id: str) -> bool:
        return any(
            pair.get("GroupId") == group_id
            for group in groups.values()
            if group["GroupId"] != group_id
            for rule in group["IpPermissions"] + group["IpPermissionsEgress"]
            for pair in rule.get("UserIdGroupPairs", [])
        )

    @around("services.ec2", "_ACTION_MAP[DeleteSecurityGroup]")
    def delete(original: Any, p: Any) -> Response:
        group_id = parameter(p, "GroupId")
        if is_named_by_another(group_id) or any(group_id in one.groups for one in all_interfaces()):
            text = f"resource {group_id} has a dependent object"
            return error("DependencyViolation", text, 400)  # type: ignore[no-any-return]
        response: Response = original(p)
        return response


@patch
def subnets_in_use_stay() -> None:
    """AWS: a subnet with a network interface in it cannot be deleted.

    DependencyViolation; "DeleteSubnet", Amazon EC2 API Reference, and "Configuring a Lambda
    function to access resources in a VPC", AWS Lambda Developer Guide: published versions hold
    interfaces as well. The emulator deletes it. The same resources count as for security groups,
    and NAT gateways.
    """
    parameter = internal("services.ec2", "_p")
    error = internal("services.ec2", "_error")
    all_interfaces = interfaces()

    @around("services.ec2", "_ACTION_MAP[DeleteSubnet]")
    def delete(original: Any, p: Any) -> Response:
        subnet_id = parameter(p, "SubnetId")
        if any(subnet_id in one.subnets for one in all_interfaces()):
            text = f"The subnet '{subnet_id}' has dependencies and cannot be deleted."
            return error("DependencyViolation", text, 400)  # type: ignore[no-any-return]
        response: Response = original(p)
        return response


@patch
def security_group_rules_are_not_repeated() -> None:
    """AWS: a rule that the group already has is refused: InvalidPermission.Duplicate.

    "AuthorizeSecurityGroupIngress" and "Error codes", Amazon EC2 API Reference. The emulator
    answers as if it had created the rule.
    """
    groups = internal("services.ec2", "_security_groups")
    parameter = internal("services.ec2", "_p")
    parse = internal("services.ec2", "_parse_ip_permissions")
    error = internal("services.ec2", "_error")

    def refuse_repeated(direction: str, member: str) -> None:
        @around("services.ec2", f"_ACTION_MAP[AuthorizeSecurityGroup{direction}]")
        def authorize(original: Any, p: Any) -> Response:
            group = groups.get(parameter(p, "GroupId"), {member: []})
            existing = {one for rule in group[member] for one in _single_rules(rule)}
            for rule in parse(p, "IpPermissions"):
                for protocol, first, last, peer in existing.intersection(_single_rules(rule)):
                    text = (
                        f"the specified rule 'peer: {peer}, {protocol}, from port: {first}, "
                        f"to port: {last}, ALLOW' already exists"
                    )
                    return error("InvalidPermission.Duplicate", text, 400)  # type: ignore[no-any-return]
            response: Response = original(p)
            return response

    refuse_repeated("Ingress", "IpPermissions")
    refuse_repeated("Egress", "IpPermissionsEgress")


def _single_rules(rule: JsonObject) -> Iterator[tuple[Any, ...]]:
    """Splits a rule of the emulator, which has many peers, into rules with one peer as on AWS."""
    peers = {
        "IpRanges": "CidrIp",
        "Ipv6Ranges": "CidrIpv6",
        "PrefixListIds": "PrefixListId",
        "UserIdGroupPairs": "GroupId",
    }
    for member, name in peers.items():
        for peer in rule.get(member, []):
            yield rule["IpProtocol"], rule.get("FromPort"), rule.get("ToPort"), peer.get(name)


@patch
def routes_are_not_repeated() -> None:
    """AWS: a route table has one route per destination, and one gateway endpoint per service.

    RouteAlreadyExists; "Error codes", Amazon EC2 API Reference, and "Gateway endpoints", AWS
    PrivateLink Guide. The emulator adds another.
    """
    tables = internal("services.ec2", "_route_tables")
    endpoints = internal("services.ec2", "_vpc_endpoints")
    parameter = internal("services.ec2", "_p")
    parameters = internal("services.ec2", "_parse_member_list")
    error = internal("services.ec2", "_error")

    @around("services.ec2", "_ACTION_MAP[CreateRoute]")
    def create_route(original: Any, p: Any) -> Response:
        destination = parameter(p, "DestinationCidrBlock")
        routes = tables.get(parameter(p, "RouteTableId"), {}).get("Routes", [])
        if destination and any(one["DestinationCidrBlock"] == destination for one in routes):
            text = f"The route identified by {destination} already exists."
            return error("RouteAlreadyExists", text, 400)  # type: ignore[no-any-return]
        response: Response = original(p)
        return response

    def taken(service: str, route_table_ids: list[str]) -> Response | None:
        for one in endpoints.values():
            if one["ServiceName"] == service and one["VpcEndpointType"] == "Gateway":
                for table_id in set(route_table_ids).intersection(one["RouteTableIds"]):
                    text = f"route table {table_id} already has a route to {service}"
                    return error("RouteAlreadyExists", text, 400)  # type: ignore[no-any-return]
        return None

    @around("services.ec2", "_ACTION_MAP[CreateVpcEndpoint]")
    def create_endpoint(original: Any, p: Any) -> Response:
        refusal = taken(parameter(p, "ServiceName"), parameters(p, "RouteTableId"))
        return refusal or original(p)

    @around("services.ec2", "_ACTION_MAP[ModifyVpcEndpoint]")
    def modify_endpoint(original: Any, p: Any) -> Response:
        endpoint = endpoints.get(parameter(p, "VpcEndpointId"), {})
        refusal = taken(endpoint.get("ServiceName"), parameters(p, "AddRouteTableId"))
        return refusal or original(p)


@patch
def private_dns_names_are_taken_once() -> None:
    """AWS: a VPC has at most one interface endpoint of a service with private DNS.

    InvalidParameter, "… conflicting DNS domain …"; "Interface VPC endpoints", AWS PrivateLink
    Guide, and terraform-provider-aws#17535 for the text. The emulator creates another.
    """
    endpoints = internal("services.ec2", "_vpc_endpoints")
    parameter = internal("services.ec2", "_p")
    error = internal("services.ec2", "_error")

    def taken(p: Any, wanted: JsonObject) -> Response | None:
        if parameter(p, "PrivateDnsEnabled").lower() != "true":
            return None
        for one in endpoints.values():
            if (
                one["VpcId"] == wanted.get("VpcId")
                and one["ServiceName"] == wanted.get("ServiceName")
                and one["VpcEndpointId"] != wanted.get("VpcEndpointId")
                and one.get("PrivateDnsEnabled", "").lower() == "true"
            ):
                name = ".".join(one["ServiceName"].split(".")[:1:-1]) + ".amazonaws.com"
                text = (
                    "private-dns-enabled cannot be set because there is already a conflicting DNS "
                    f"domain for {name} in the VPC {one['VpcId']}"
                )
                return error("InvalidParameter", text, 400)  # type: ignore[no-any-return]
        return None

    @around("services.ec2", "_ACTION_MAP[CreateVpcEndpoint]")
    def create(original: Any, p: Any) -> Response:
        wanted = {name: parameter(p, name) for name in ("VpcId", "ServiceName")}
        return taken(p, wanted) or original(p)

    @around("services.ec2", "_ACTION_MAP[ModifyVpcEndpoint]")
    def modify(original: Any, p: Any) -> Response:
        return taken(p, endpoints.get(parameter(p, "VpcEndpointId"), {})) or original(p)


class UnreachableError(Exception):
    """On AWS, the current call would not have arrived."""

    def __init__(self, call: Call) -> None:
        self.call = call
        text = f"no endpoint for {call.service} and no route out of the function's subnet"
        super().__init__(text)


@patch
def functions_in_a_vpc_need_a_route() -> None:
    """AWS: code of a function in a VPC reaches a service through an endpoint or a route.

    "Internet and service access for VPC-connected functions", AWS Lambda Developer Guide: a route
    to an internet gateway does not count, for these interfaces have no public address. The emulator
    lets every call arrive. A call that cannot connect on AWS is answered 503 here, which the SDK
    treats as the same kind of failure; one that IAM denies is still denied. If one of its subnets
    has no route, a function always fails here, but on AWS only if its interface happens to be in
    that subnet. An interface endpoint counts once it has a subnet: before, it has no address. Only
    if IAM is enforced, since the function is recognized by its role's session.
    """
    if not internal("app", "AUTH"):
        return
    path_of = _paths_of_functions()
    formatted = internal("core.iam_actions", "access_denied_response")

    def require_a_way_out(call: Call) -> None:
        if not call.is_by_a_service and not path_of(call).is_open:
            raise UnreachableError(call)

    deny_more(require_a_way_out)

    @around("app", "_dispatch_service_request")
    async def dispatch(  # noqa: PLR0917 - as the emulator has it
        original: Any,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query_params: Any,
        request_id: str,
    ) -> Response:
        try:
            answer: Response = await original(method, path, headers, body, query_params, request_id)
        except UnreachableError as fault:
            call, error = fault.call, {"error_code": "ServiceUnavailable", "message": str(fault)}
            _, answer_headers, content = formatted(
                call.service, call.action, "", request_id, headers=headers, **error
            )
            return 503, answer_headers, content
        return answer


@patch
def endpoint_policies_decide_on_calls_of_functions() -> None:
    """AWS: the policy of a VPC endpoint must allow, besides all others, the calls through it.

    "Control access to VPC endpoints using endpoint policies", AWS PrivateLink Guide. The emulator
    stores the policy and does nothing else with it. Only for functions in a VPC, and if IAM is
    enforced.
    """
    if not internal("app", "AUTH"):
        return
    path_of = _paths_of_functions()
    context_of = internal("core.iam_evaluator", "EvalContext")
    evaluate = internal("core.iam_evaluator", "evaluate_resource_policy")

    def require_the_policy(call: Call) -> Any:
        path = path_of(call)
        if not path.policy or call.is_by_a_service:
            return None
        request = context_of(
            principal_arn=path.role_arn,
            principal_type="AssumedRole",
            principal_account=path.role_arn.split(":")[4],
            action=call.action,
            resource_arn=call.resource_arn,
            region=call.region,
        )
        result = evaluate(path.policy, request)
        return None if result.decision == "Allow" else result

    deny_more(require_the_policy)


@dataclass(frozen=True)
class Path:
    """How the calls of a function reach a service."""

    role_arn: str = ""
    policy: str | None = None  # of the endpoint, if it has one
    is_open: bool = True


def _paths_of_functions() -> Callable[[Call], Path]:
    """Returns a function that finds the path of a call, if a function makes it."""
    sessions = internal("services.sts", "_sessions")
    subnets = internal("services.ec2", "_subnets")
    tables = internal("services.ec2", "_route_tables")
    endpoints = internal("services.ec2", "_vpc_endpoints")
    nat_gateways = internal("services.ec2", "_nat_gateways")

    @around("core.lambda_runtime", "execution_credentials")
    def credentials(original: Any, config: JsonObject) -> dict[str, str]:
        environment: dict[str, str] = original(config)
        if session := sessions.get(environment["AWS_ACCESS_KEY_ID"]):
            session["RoleArn"] = config["Role"]
            session["SubnetIds"] = (config.get("VpcConfig") or {}).get("SubnetIds") or []
        return environment

    def route_table_of(subnet_id: str) -> JsonObject:
        vpc_id, main = subnets[subnet_id]["VpcId"], {}
        for table in tables.values():
            for association in table["Associations"]:
                if association.get("SubnetId") == subnet_id:
                    return table  # type: ignore[no-any-return]
                if association.get("Main") and table["VpcId"] == vpc_id:
                    main = table
        return main

    def leads_out(route: JsonObject) -> bool:
        if route["DestinationCidrBlock"] != EVERYWHERE:
            return False
        if "NatGatewayId" in route:
            gateway = nat_gateways.get(route["NatGatewayId"], {"State": "deleted"})
            return bool(gateway["State"] != "deleted")
        return "GatewayId" not in route  # neither an internet gateway nor "local"

    def is_on(endpoint: JsonObject, service: str, subnet_id: str) -> bool:
        if not endpoint["ServiceName"].endswith(f".{service}"):
            return False
        if endpoint["VpcEndpointType"] == "Gateway":
            return route_table_of(subnet_id).get("RouteTableId") in endpoint["RouteTableIds"]
        has_private_dns = endpoint.get("PrivateDnsEnabled", "").lower() == "true"
        has_address = bool(endpoint["SubnetIds"])  # and is reachable from every zone
        is_of_vpc = bool(endpoint["VpcId"] == subnets[subnet_id]["VpcId"])
        return has_private_dns and has_address and is_of_vpc

    def path(call: Call) -> Path:
        session = sessions.get(call.access_key_id) or {}
        policy = None
        for subnet_id in session.get("SubnetIds", []):
            if subnet_id not in subnets:
                continue  # of another account, for example
            on_path = [one for one in endpoints.values() if is_on(one, call.service, subnet_id)]
            if on_path:
                policy = on_path[0].get("PolicyDocument")
            elif not any(leads_out(one) for one in route_table_of(subnet_id).get("Routes", [])):
                return Path(is_open=False)
        return Path(session.get("RoleArn", ""), policy)

    return path
