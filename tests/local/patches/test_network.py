"""local/patches/network.py: resources in use, duplicates, reachability."""

import json
from typing import Any

from local.emulator import ACCOUNT, REGION, Emulator
from tests.local.patches.checks import Checks, code_of, text_of
from tests.local.support import Network, deploy
from tests.support.policies import allowing
from tests.support.tables import create_table

check = Checks("network")

# Makes the call that the event names, and returns "done" or the code of the error.
CALL = """
import boto3, botocore.config, botocore.exceptions

def handle(event, context):
    once = botocore.config.Config(retries={"total_max_attempts": 1})
    client = boto3.client(event["service"], config=once)
    try:
        getattr(client, event["method"])(**event["arguments"])
    except botocore.exceptions.ClientError as error:
        return error.response["Error"]["Code"]
    return "done"
"""
HTTPS = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}

(
    test_every_patch_has_a_check,
    test_the_check_passes_with_the_patch,
    test_the_check_fails_without_the_patch,
) = check.tests()


@check()
def security_groups_in_use_stay(emulator: Emulator) -> None:
    network = Network(emulator)
    ec2, elb, functions = (emulator.client(name) for name in ("ec2", "elbv2", "lambda"))
    named, naming = network.group("named"), network.group("naming")
    (rule,) = ec2.authorize_security_group_ingress(
        GroupId=naming, IpPermissions=[HTTPS | {"UserIdGroupPairs": [{"GroupId": named}]}]
    )["SecurityGroupRules"]
    of_balancer = network.group("load-balancer")
    balancer = elb.create_load_balancer(
        Name="b", Subnets=network.subnets, SecurityGroups=[of_balancer]
    )["LoadBalancers"][0]["LoadBalancerArn"]
    of_endpoint = network.group("endpoint")
    endpoint = network.endpoint("sqs", SecurityGroupIds=[of_endpoint])
    of_function = network.group("function")
    network.attach(deploy(emulator, "call", CALL), groups=[of_function])
    of_version = network.group("version")
    network.attach("call", groups=[of_version])
    functions.publish_version(FunctionName="call")
    network.attach("call", groups=[of_function])

    for group in (named, of_balancer, of_endpoint, of_function, of_version):
        assert code_of(ec2.delete_security_group, GroupId=group) == "DependencyViolation"

    # A rule that names its own group does not count, and deleted resources hold nothing.
    ec2.authorize_security_group_ingress(
        GroupId=named, IpPermissions=[HTTPS | {"UserIdGroupPairs": [{"GroupId": named}]}]
    )
    ec2.revoke_security_group_ingress(
        GroupId=naming, SecurityGroupRuleIds=[rule["SecurityGroupRuleId"]]
    )
    elb.delete_load_balancer(LoadBalancerArn=balancer)
    ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
    functions.delete_function(FunctionName="call")
    for group in (named, naming, of_balancer, of_endpoint, of_function, of_version):
        ec2.delete_security_group(GroupId=group)


@check()
def subnets_in_use_stay(emulator: Emulator) -> None:
    network = Network(emulator)
    ec2, elb, functions = (emulator.client(name) for name in ("ec2", "elbv2", "lambda"))
    balanced, reached, run, run_before, natted = (network.subnet(n) for n in range(10, 15))
    balancer = elb.create_load_balancer(Name="b", Subnets=[balanced])["LoadBalancers"][0]
    endpoint = network.endpoint("sqs", SubnetIds=[reached])
    network.attach(deploy(emulator, "call", CALL), subnets=[run_before])
    functions.publish_version(FunctionName="call")
    network.attach("call", subnets=[run])
    nat = ec2.create_nat_gateway(SubnetId=natted)["NatGateway"]["NatGatewayId"]

    for subnet in (balanced, reached, run, run_before, natted):
        assert code_of(ec2.delete_subnet, SubnetId=subnet) == "DependencyViolation"

    elb.delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])
    ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
    functions.delete_function(FunctionName="call")
    ec2.delete_nat_gateway(NatGatewayId=nat)
    for subnet in (balanced, reached, run, run_before, natted):
        ec2.delete_subnet(SubnetId=subnet)


@check()
def security_group_rules_are_not_repeated(emulator: Emulator) -> None:
    network = Network(emulator)
    ec2 = emulator.client("ec2")
    group, other = network.group("group"), network.group("other")
    ranges = [{"CidrIp": "10.0.0.0/8"}, {"CidrIp": "192.168.0.0/16", "Description": "office"}]
    from_both = HTTPS | {"IpRanges": ranges, "UserIdGroupPairs": [{"GroupId": other}]}
    from_office = HTTPS | {"IpRanges": [{"CidrIp": "192.168.0.0/16"}]}
    from_other = HTTPS | {"UserIdGroupPairs": [{"GroupId": other}]}
    elsewhere = HTTPS | {"FromPort": 80, "ToPort": 80, "IpRanges": ranges}

    for authorize in (ec2.authorize_security_group_ingress, ec2.authorize_security_group_egress):
        authorize(GroupId=group, IpPermissions=[from_both])
        for again in (from_both, from_office, from_other):
            refused = code_of(authorize, GroupId=group, IpPermissions=[again])
            assert refused == "InvalidPermission.Duplicate"
        authorize(GroupId=group, IpPermissions=[elsewhere])
        authorize(GroupId=other, IpPermissions=[from_office])


@check()
def routes_are_not_repeated(emulator: Emulator) -> None:
    network = Network(emulator)
    ec2 = emulator.client("ec2")
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    first, second = (
        ec2.create_route_table(VpcId=network.vpc_id)["RouteTable"]["RouteTableId"] for _ in range(2)
    )
    route = {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": gateway}
    ec2.create_route(RouteTableId=first, **route)
    ec2.create_route(RouteTableId=second, **route)
    assert code_of(ec2.create_route, RouteTableId=first, **route) == "RouteAlreadyExists"

    gateway_to = {"VpcId": network.vpc_id, "VpcEndpointType": "Gateway"}
    dynamodb = gateway_to | {"ServiceName": f"com.amazonaws.{REGION}.dynamodb"}
    s3 = gateway_to | {"ServiceName": f"com.amazonaws.{REGION}.s3"}
    ec2.create_vpc_endpoint(**dynamodb, RouteTableIds=[first])
    ec2.create_vpc_endpoint(**s3, RouteTableIds=[first])
    again = {**dynamodb, "RouteTableIds": [first, second]}
    assert code_of(ec2.create_vpc_endpoint, **again) == "RouteAlreadyExists"
    another = ec2.create_vpc_endpoint(**dynamodb, RouteTableIds=[second])["VpcEndpoint"]
    change = {"VpcEndpointId": another["VpcEndpointId"], "AddRouteTableIds": [first]}
    assert code_of(ec2.modify_vpc_endpoint, **change) == "RouteAlreadyExists"


@check()
def private_dns_names_are_taken_once(emulator: Emulator) -> None:
    network, elsewhere = Network(emulator), Network(emulator)
    ec2 = emulator.client("ec2")
    first = network.endpoint("sqs", PrivateDnsEnabled=True)
    elsewhere.endpoint("sqs", PrivateDnsEnabled=True)
    network.endpoint("sns", PrivateDnsEnabled=True)
    without = network.endpoint("sqs", PrivateDnsEnabled=False)

    text = text_of(network.endpoint, service="sqs", PrivateDnsEnabled=True)
    assert f"conflicting DNS domain for sqs.{REGION}.amazonaws.com" in text
    change = {"VpcEndpointId": without, "PrivateDnsEnabled": True}
    assert code_of(ec2.modify_vpc_endpoint, **change) == "InvalidParameter"
    ec2.modify_vpc_endpoint(VpcEndpointId=first, PrivateDnsEnabled=True)  # its own
    ec2.delete_vpc_endpoints(VpcEndpointIds=[first])
    ec2.modify_vpc_endpoint(**change)


@check(auth=True)
def functions_in_a_vpc_need_a_route(emulator: Emulator) -> None:
    network = Network(emulator)
    ec2 = emulator.client("ec2")
    call = Caller(emulator)
    unreachable = "ServiceUnavailable"
    assert (call.sqs(), call.dynamodb()) == ("done", "done")  # in no VPC

    network.attach("call")
    assert (call.sqs(), call.dynamodb()) == (unreachable, unreachable)

    # Through endpoints: a gateway on a route table, and an interface with a DNS name.
    private = network.route_table(*network.subnets)
    gateway = network.endpoint("dynamodb", VpcEndpointType="Gateway", RouteTableIds=[private])
    interface = network.endpoint("sqs", PrivateDnsEnabled=False, SubnetIds=[network.subnets[0]])
    assert (call.sqs(), call.dynamodb()) == (unreachable, "done")
    ec2.modify_vpc_endpoint(VpcEndpointId=interface, PrivateDnsEnabled=True)
    assert (call.sqs(), call.dynamodb()) == ("done", "done")

    # Subnets associated later, and routes removed again.
    ec2.modify_vpc_endpoint(VpcEndpointId=interface, RemoveSubnetIds=[network.subnets[0]])
    ec2.modify_vpc_endpoint(VpcEndpointId=gateway, RemoveRouteTableIds=[private])
    assert (call.sqs(), call.dynamodb()) == (unreachable, unreachable)
    ec2.modify_vpc_endpoint(VpcEndpointId=interface, AddSubnetIds=[network.subnets[1]])
    ec2.modify_vpc_endpoint(VpcEndpointId=gateway, AddRouteTableIds=[private])
    assert (call.sqs(), call.dynamodb()) == ("done", "done")
    third = network.subnet(3)
    network.attach("call", subnets=[*network.subnets, third])
    assert (call.sqs(), call.dynamodb()) == ("done", unreachable)
    network.attach("call", subnets=network.subnets)
    ec2.delete_vpc_endpoints(VpcEndpointIds=[gateway, interface])
    assert (call.sqs(), call.dynamodb()) == (unreachable, unreachable)

    # Through a NAT gateway, but not through an internet gateway.
    internet = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    route = {"RouteTableId": private, "DestinationCidrBlock": "0.0.0.0/0"}
    ec2.create_route(**route, GatewayId=internet)
    assert call.sqs() == unreachable
    ec2.delete_route(**route)
    nat = ec2.create_nat_gateway(SubnetId=third)["NatGateway"]["NatGatewayId"]
    ec2.create_route(**route, NatGatewayId=nat)
    assert (call.sqs(), call.dynamodb()) == ("done", "done")
    ec2.delete_nat_gateway(NatGatewayId=nat)
    assert call.sqs() == unreachable


@check(auth=True)
def endpoint_policies_decide_on_calls_of_functions(emulator: Emulator) -> None:
    network = Network(emulator)
    ec2 = emulator.client("ec2")
    call = Caller(emulator)
    network.attach("call")
    endpoint = network.endpoint("sqs", PrivateDnsEnabled=True, SubnetIds=network.subnets)
    assert call.sqs() == "done"  # by the default policy

    def policy_for(condition: dict[str, str], action: str = "sqs:SendMessage") -> str:
        equal = {"ArnEquals": condition}
        return allowing([action], "*", Principal={"AWS": "*"}, Condition=equal)

    def role(name: str) -> dict[str, str]:
        return {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/{name}"}

    for policy, expected in (
        (policy_for(role("other")), "AccessDenied"),
        (policy_for(role("call"), "sqs:ReceiveMessage"), "AccessDenied"),
        (policy_for(role("call")), "done"),
    ):
        ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, PolicyDocument=policy)
        assert call.sqs() == expected
    # Callers outside the VPC, such as the account's root, do not use the endpoint.
    emulator.client("sqs").receive_message(QueueUrl=call.queue_url)


class Caller:
    """A function `call` that may write to a queue and a table."""

    def __init__(self, emulator: Emulator) -> None:
        self._functions = emulator.client("lambda")
        self.queue_url = emulator.client("sqs").create_queue(QueueName="orders")["QueueUrl"]
        create_table(emulator.client("dynamodb"), "orders", {"id": "S"})
        deploy(emulator, "call", CALL)
        emulator.client("iam").put_role_policy(
            RoleName="call",
            PolicyName="write",
            PolicyDocument=allowing(["sqs:SendMessage", "dynamodb:PutItem"], "*"),
        )

    def sqs(self) -> str:
        return self._call("sqs", "send_message", QueueUrl=self.queue_url, MessageBody="order")

    def dynamodb(self) -> str:
        return self._call("dynamodb", "put_item", TableName="orders", Item={"id": {"S": "1"}})

    def _call(self, service: str, method: str, **arguments: Any) -> str:
        event = {"service": service, "method": method, "arguments": arguments}
        answer = self._functions.invoke(FunctionName="call", Payload=json.dumps(event))
        return str(json.load(answer["Payload"]))
