"""local/patches/read_back.py: what Terraform reads back after it has created a resource."""

import json
from typing import Any

from local.emulator import ACCOUNT, REGION, Emulator
from tests.local.patches.checks import Checks, code_of
from tests.local.support import RETURN_MESSAGE, deploy, map_queue
from tests.support.policies import allow, document

check = Checks("read_back")

(
    test_every_patch_has_a_check,
    test_the_check_passes_with_the_patch,
    test_the_check_fails_without_the_patch,
) = check.tests()


@check()
def lambda_target_groups_have_no_network(emulator: Emulator) -> None:
    elb = emulator.client("elbv2")
    elb.create_target_group(Name="orders", TargetType="lambda")

    (target_group,) = elb.describe_target_groups(Names=["orders"])["TargetGroups"]

    assert not {"Protocol", "Port", "VpcId"} & target_group.keys()
    assert target_group["HealthCheckEnabled"] is False


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
def mappings_lose_their_maximum_concurrency(emulator: Emulator) -> None:
    functions = emulator.client("lambda")
    function_arn = deploy(emulator, "consume", RETURN_MESSAGE)
    config = {"MaximumConcurrency": 5}

    mapping = {"UUID": map_queue(emulator, function_arn, ScalingConfig=config)["UUID"]}

    functions.update_event_source_mapping(**mapping, BatchSize=5)
    assert functions.get_event_source_mapping(**mapping)["ScalingConfig"] == config
    functions.update_event_source_mapping(**mapping, ScalingConfig={})
    assert "ScalingConfig" not in functions.get_event_source_mapping(**mapping)


@check()
def vpc_endpoints_keep_policy_dns_and_groups(emulator: Emulator) -> None:
    ec2 = emulator.client("ec2")
    vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    groups = [
        ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc_id)["GroupId"]
        for name in ("first", "second")
    ]
    policy = document(allow("sqs:*"))
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


@check()
def listeners_keep_mutual_authentication(emulator: Emulator) -> None:
    elb, ec2 = emulator.client("elbv2"), emulator.client("ec2")
    vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc_id, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"{REGION}{z}")
        for n, z in enumerate("ab")
    ]
    (balancer,) = elb.create_load_balancer(
        Name="mutual", Subnets=[one["Subnet"]["SubnetId"] for one in subnets]
    )["LoadBalancers"]
    store = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:truststore/clients/1"
    verify = {"Mode": "verify", "TrustStoreArn": store, "IgnoreClientCertificateExpiry": False}
    response = {"StatusCode": "404", "ContentType": "application/json"}
    listener = {
        "LoadBalancerArn": balancer["LoadBalancerArn"],
        "Protocol": "HTTPS",
        "Port": 443,
        "Certificates": [{"CertificateArn": f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/1"}],
        "DefaultActions": [{"Type": "fixed-response", "FixedResponseConfig": response}],
    }

    (created,) = elb.create_listener(**listener, MutualAuthentication=verify)["Listeners"]
    arn = created["ListenerArn"]
    assert created.get("MutualAuthentication") == verify
    (modified,) = elb.modify_listener(ListenerArn=arn, Port=8443)["Listeners"]
    assert modified.get("MutualAuthentication") == verify
    elb.modify_listener(ListenerArn=arn, MutualAuthentication={"Mode": "off"})
    (read,) = elb.describe_listeners(ListenerArns=[arn])["Listeners"]
    assert read.get("MutualAuthentication") == {"Mode": "off"}
