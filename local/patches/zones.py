"""Where availability zones matter: services behind endpoints, endpoints, load balancers."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

from local.patches import around, internal, patch

JsonObject = dict[str, Any]
Response = tuple[int, dict[str, str], bytes]


@patch
def endpoint_services_are_found_by_wildcards() -> None:
    """AWS: in the value of a filter, * stands for any characters and ? for one.

    "List and filter using the CLI and API", Amazon EC2 User Guide; also in
    DescribeVpcEndpointServices. The emulator compares names literally.
    """
    parse_filters = internal("services.ec2", "_parse_filters")
    matches = internal("services.ec2", "_glob_match")

    @around("services.ec2", "_ACTION_MAP[DescribeVpcEndpointServices]")
    def describe(original: Any, p: Any) -> Response:
        filters = parse_filters(p)
        patterns = filters.pop("service-name", None)
        response: Response = original(_with_filters(p, filters))
        if patterns is not None:
            found = re.findall("<serviceName>([^<]+)", response[2].decode())
            names = [name for name in found if any(matches(pattern, name) for pattern in patterns)]
            filters["service-name"] = names or ["none"]
            response = original(_with_filters(p, filters))
        return response


def _with_filters(parameters: JsonObject, filters: dict[str, list[str]]) -> JsonObject:
    """Returns the parameters of a call with only these filters."""
    result = {name: one for name, one in parameters.items() if not name.startswith("Filter.")}
    for number, (name, values) in enumerate(filters.items(), 1):
        result[f"Filter.{number}.Name"] = [name]
        for position, value in enumerate(values, 1):
            result[f"Filter.{number}.Value.{position}"] = [value]
    return result


@patch
def endpoints_have_one_subnet_of_a_zone() -> None:
    """AWS: an interface endpoint has one subnet per availability zone.

    DuplicateSubnetsInSameZone; "Error codes", Amazon EC2 API Reference, and terraform-aws-vpc#583
    for the text. The emulator accepts another.
    """
    endpoints = internal("services.ec2", "_vpc_endpoints")
    parameter = internal("services.ec2", "_p")
    parameters = internal("services.ec2", "_parse_member_list")
    error = internal("services.ec2", "_error")
    repeated = _zone_of_two()

    def refusal(subnet_ids: list[str]) -> Response | None:
        zone = repeated(subnet_ids)
        text = (
            f"Found another VPC endpoint subnet in the availability zone {zone}. VPC endpoint "
            "subnets should be in different availability zones supported by the VPC endpoint "
            "service."
        )
        return error("DuplicateSubnetsInSameZone", text, 400) if zone else None

    @around("services.ec2", "_ACTION_MAP[CreateVpcEndpoint]")
    def create(original: Any, p: Any) -> Response:
        return refusal(parameters(p, "SubnetId")) or original(p)

    @around("services.ec2", "_ACTION_MAP[ModifyVpcEndpoint]")
    def modify(original: Any, p: Any) -> Response:
        subnet_ids = endpoints.get(parameter(p, "VpcEndpointId"), {}).get("SubnetIds", [])
        kept = set(subnet_ids) - set(parameters(p, "RemoveSubnetId"))
        return refusal([*kept.union(parameters(p, "AddSubnetId"))]) or original(p)


@patch
def load_balancers_take_subnet_mappings() -> None:
    """AWS: CreateLoadBalancer accepts subnets as mappings.

    "CreateLoadBalancer", Elastic Load Balancing API Reference. The emulator knows them only from
    SetSubnets, and creates the load balancer without subnets.
    """
    mapped = _mapped_subnets()

    @around("services.alb", "_ACTION_MAP[CreateLoadBalancer]")
    def create(original: Any, params: Any) -> Response:
        numbered = enumerate(mapped(params), 1)
        subnets = {f"Subnets.member.{number}": [subnet_id] for number, subnet_id in numbered}
        response: Response = original(params | subnets)
        return response


@patch
def load_balancers_have_one_subnet_of_a_zone() -> None:
    """AWS: a load balancer has one subnet per availability zone: InvalidConfigurationRequest.

    "CreateLoadBalancer" and "SetSubnets", Elastic Load Balancing API Reference. The emulator
    accepts another.
    """
    parameters = internal("services.alb", "_parse_member_list")
    error = internal("services.alb", "_error")
    mapped = _mapped_subnets()
    repeated = _zone_of_two()

    for action in ("CreateLoadBalancer", "SetSubnets"):

        @around("services.alb", f"_ACTION_MAP[{action}]")
        def change(original: Any, params: Any) -> Response:
            if repeated([*parameters(params, "Subnets"), *mapped(params)]):
                text = (
                    "A load balancer cannot be attached to multiple subnets in the same "
                    "Availability Zone"
                )
                return error("InvalidConfigurationRequest", text)  # type: ignore[no-any-return]
            response: Response = original(params)
            return response


def _mapped_subnets() -> Callable[[Any], list[str]]:
    """Returns a function that finds the subnets that a call gives as mappings."""
    parameter = internal("services.alb", "_p")

    def mapped(params: Any) -> list[str]:
        names = (f"SubnetMappings.member.{number}.SubnetId" for number in itertools.count(1))
        return [*itertools.takewhile(bool, (parameter(params, name) for name in names))]

    return mapped


def _zone_of_two() -> Callable[[list[str]], str | None]:
    """Returns a function that finds a zone with two of the given subnets."""
    subnets = internal("services.ec2", "_subnets")

    def zone_of_two(subnet_ids: list[str]) -> str | None:
        zones = Counter(subnets[one]["AvailabilityZone"] for one in subnet_ids if one in subnets)
        return next((zone for zone, count in zones.items() if count > 1), None)

    return zone_of_two
