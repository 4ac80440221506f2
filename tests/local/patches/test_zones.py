"""local/patches/zones.py: where availability zones matter."""

from typing import Any

from local.emulator import REGION, Emulator
from tests.local.patches.checks import Checks, code_of
from tests.local.support import Network

check = Checks("zones")

(
    test_every_patch_has_a_check,
    test_the_check_passes_with_the_patch,
    test_the_check_fails_without_the_patch,
) = check.tests()


@check()
def endpoint_services_are_found_by_wildcards(emulator: Emulator) -> None:
    ec2 = emulator.client("ec2")

    def found(*names: str, of_type: str = "Interface") -> list[str]:
        filters = {"service-type": [of_type], "service-name": list(names)}
        answer = ec2.describe_vpc_endpoint_services(
            Filters=[{"Name": name, "Values": values} for name, values in filters.items()]
        )
        details = answer["ServiceDetails"]
        assert answer["ServiceNames"] == [one["ServiceName"] for one in details]
        assert all(one["AvailabilityZones"] for one in details)
        return list(answer["ServiceNames"])

    sqs, dynamodb = (f"com.amazonaws.{REGION}.{name}" for name in ("sqs", "dynamodb"))
    assert found("*.sqs") == found(sqs) == found("com.amazonaws.*.?qs") == [sqs]
    assert found("*.dynamodb", of_type="Gateway") == [dynamodb]
    assert found("*.dynamodb", "*.sqs") == [sqs]
    assert found("*.SQS") == found("sqs") == found("*.nothing") == []


@check()
def endpoints_have_one_subnet_of_a_zone(emulator: Emulator) -> None:
    network = Network(emulator)
    ec2 = emulator.client("ec2")
    (first, second), another = network.subnets, network.subnet(3)
    repeated = {"service": "sqs", "SubnetIds": [first, second, another]}
    assert code_of(network.endpoint, **repeated) == "DuplicateSubnetsInSameZone"
    endpoint = network.endpoint("sqs", SubnetIds=[first])

    def change(**changes: Any) -> str | None:
        return code_of(ec2.modify_vpc_endpoint, VpcEndpointId=endpoint, **changes)

    assert change(AddSubnetIds=[another]) == "DuplicateSubnetsInSameZone"
    assert change(AddSubnetIds=[second]) is None
    assert change(RemoveSubnetIds=[first]) is None
    assert change(AddSubnetIds=[another]) is None
    (found,) = ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint])["VpcEndpoints"]
    assert set(found["SubnetIds"]) == {second, another}


@check()
def load_balancers_take_subnet_mappings(emulator: Emulator) -> None:
    network = Network(emulator)
    elb = emulator.client("elbv2")
    mappings = [{"SubnetId": subnet} for subnet in network.subnets]
    (made,) = elb.create_load_balancer(Name="b", SubnetMappings=mappings)["LoadBalancers"]
    (read,) = elb.describe_load_balancers(Names=["b"])["LoadBalancers"]
    for balancer in (made, read):
        subnets = [zone["SubnetId"] for zone in balancer["AvailabilityZones"]]
        assert subnets == network.subnets


@check()
def load_balancers_have_one_subnet_of_a_zone(emulator: Emulator) -> None:
    network = Network(emulator)
    elb = emulator.client("elbv2")
    repeated = [network.subnets[0], network.subnet(3)]
    mappings = [{"SubnetId": subnet} for subnet in repeated]
    for subnets in ({"Subnets": repeated}, {"SubnetMappings": mappings}):
        refused = code_of(elb.create_load_balancer, Name="b", **subnets)
        assert refused == "InvalidConfigurationRequest"
    (made,) = elb.create_load_balancer(Name="b", Subnets=network.subnets)["LoadBalancers"]
    balancer = {"LoadBalancerArn": made["LoadBalancerArn"]}
    refused = code_of(elb.set_subnets, **balancer, Subnets=repeated)
    assert refused == "InvalidConfigurationRequest"
    elb.set_subnets(**balancer, Subnets=[network.subnets[1], repeated[1]])
