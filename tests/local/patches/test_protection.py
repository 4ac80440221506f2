"""local/patches/protection.py, and what the emulator protects by itself."""

from typing import Any

from local.emulator import Emulator
from tests.local.patches.checks import Checks, code_of, text_of
from tests.local.support import balance, deploy
from tests.support.policies import allowing
from tests.support.tables import create_table

check = Checks("protection")

(
    test_every_patch_has_a_check,
    test_the_check_passes_with_the_patch,
    test_the_check_fails_without_the_patch,
) = check.tests()


@check()
def protected_load_balancers_stay(emulator: Emulator) -> None:
    elb = emulator.client("elbv2")
    balancer = elb.create_load_balancer(Name="orders", Subnets=["subnet-1", "subnet-2"])
    arn = balancer["LoadBalancers"][0]["LoadBalancerArn"]

    def protect(value: str) -> None:
        protection = {"Key": "deletion_protection.enabled", "Value": value}
        elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=[protection])

    protect("true")
    assert code_of(elb.delete_load_balancer, LoadBalancerArn=arn) == "OperationNotPermitted"
    assert elb.describe_load_balancers(Names=["orders"])["LoadBalancers"]
    protect("false")
    elb.delete_load_balancer(LoadBalancerArn=arn)


@check()
def target_groups_in_use_stay(emulator: Emulator) -> None:
    elb = emulator.client("elbv2")
    by_default = balance(emulator, "orders").target_group_arn
    listener = listener_of(emulator, "orders")
    group = elb.create_target_group(Name="by-rule", TargetType="lambda")["TargetGroups"][0]
    by_rule = group["TargetGroupArn"]
    rule = elb.create_rule(ListenerArn=listener, Priority=1, **to(by_rule))["Rules"][0]

    for arn in (by_default, by_rule):
        assert code_of(elb.delete_target_group, TargetGroupArn=arn) == "ResourceInUse"

    elb.delete_rule(RuleArn=rule["RuleArn"])
    elb.delete_target_group(TargetGroupArn=by_rule)
    elb.delete_listener(ListenerArn=listener)
    elb.delete_target_group(TargetGroupArn=by_default)


@check()
def rules_of_a_listener_differ_in_priority(emulator: Emulator) -> None:
    elb = emulator.client("elbv2")
    group = balance(emulator, "orders").target_group_arn
    balance(emulator, "other")
    other = elb.create_target_group(Name="of-the-other", TargetType="lambda")["TargetGroups"][0]
    listener = {"ListenerArn": listener_of(emulator, "orders")}
    first, second = (
        elb.create_rule(**listener, Priority=priority, **to(group))["Rules"][0]["RuleArn"]
        for priority in (1, 2)
    )
    assert code_of(elb.create_rule, **listener, Priority=1, **to(group)) == "PriorityInUse"
    elb.create_rule(
        ListenerArn=listener_of(emulator, "other"), Priority=1, **to(other["TargetGroupArn"])
    )

    def move(*priorities: tuple[str, int]) -> str | None:
        wanted = [{"RuleArn": arn, "Priority": priority} for arn, priority in priorities]
        return code_of(elb.set_rule_priorities, RulePriorities=wanted)

    assert move((first, 2)) == "PriorityInUse"
    assert move((first, 2), (second, 1)) is None
    assert move((first, 3)) is None


@check()
def target_groups_have_one_load_balancer(emulator: Emulator) -> None:
    elb = emulator.client("elbv2")
    group = balance(emulator, "orders").target_group_arn
    balance(emulator, "other")
    other = listener_of(emulator, "other")
    balancer = elb.describe_load_balancers(Names=["other"])["LoadBalancers"][0]["LoadBalancerArn"]
    rule = {"ListenerArn": other, "Priority": 1, **to(group)}
    listener = {
        "LoadBalancerArn": balancer,
        "Protocol": "HTTP",
        "Port": 81,
        "DefaultActions": to(group)["Actions"],
    }

    assert code_of(elb.create_rule, **rule) == "TargetGroupAssociationLimit"
    assert code_of(elb.create_listener, **listener) == "TargetGroupAssociationLimit"
    elb.create_rule(ListenerArn=listener_of(emulator, "orders"), Priority=1, **to(group))
    first = elb.describe_load_balancers(Names=["orders"])["LoadBalancers"][0]["LoadBalancerArn"]
    elb.delete_load_balancer(LoadBalancerArn=first)
    elb.create_rule(**rule)


@check()
def time_to_live_changes_once_an_hour(emulator: Emulator) -> None:
    dynamodb = emulator.client("dynamodb")
    create_table(emulator.client("dynamodb"), "orders", {"id": "S"})

    def change(enabled: bool, attribute: str = "expires_at") -> str:
        wanted = {"Enabled": enabled, "AttributeName": attribute}
        arguments = {"TableName": "orders", "TimeToLiveSpecification": wanted}
        code = code_of(dynamodb.update_time_to_live, **arguments)
        assert code in {None, "ValidationException"}
        return text_of(dynamodb.update_time_to_live, **arguments) if code else "changed"

    assert change(False) == "TimeToLive is already disabled"
    assert change(True) == "changed"
    assert change(True) == "TimeToLive is already enabled"
    assert "active on a different AttributeName" in change(True, "other")
    assert "multiple times within a fixed interval" in change(False)
    dynamodb.delete_table(TableName="orders")
    create_table(emulator.client("dynamodb"), "orders", {"id": "S"})
    assert change(True, "other") == "changed"


# What the emulator does by itself, and the module relies on.


def test_a_protected_table_stays(emulators: dict[bool, Emulator]) -> None:
    """DeletionProtectionEnabled, "CreateTable", Amazon DynamoDB API Reference."""
    emulators[False].reset()
    dynamodb = emulators[False].client("dynamodb")
    create_table(dynamodb, "orders", DeletionProtectionEnabled=True)

    assert code_of(dynamodb.delete_table, TableName="orders") == "ValidationException"

    dynamodb.update_table(TableName="orders", DeletionProtectionEnabled=False)
    dynamodb.delete_table(TableName="orders")


def test_a_role_goes_after_its_policies(emulators: dict[bool, Emulator]) -> None:
    """ "DeleteRole", IAM API Reference: DeleteConflict. A new role of the same name has none."""
    emulators[False].reset()
    iam = emulators[False].client("iam")
    deploy(emulators[False], "consume", "def handle(event, _): pass")
    role = {"RoleName": "consume"}
    document = allowing(["sqs:*"], "*")
    iam.put_role_policy(**role, PolicyName="inline", PolicyDocument=document)
    managed = iam.create_policy(PolicyName="managed", PolicyDocument=document)["Policy"]["Arn"]
    iam.attach_role_policy(**role, PolicyArn=managed)

    assert code_of(iam.delete_role, **role) == "DeleteConflict"
    iam.delete_role_policy(**role, PolicyName="inline")
    assert code_of(iam.delete_role, **role) == "DeleteConflict"
    iam.detach_role_policy(**role, PolicyArn=managed)
    iam.delete_role(**role)

    iam.create_role(**role, AssumeRolePolicyDocument=document)
    assert iam.list_role_policies(**role)["PolicyNames"] == []
    assert iam.list_attached_role_policies(**role)["AttachedPolicies"] == []


def listener_of(emulator: Emulator, balancer: str) -> str:
    elb = emulator.client("elbv2")
    (found,) = elb.describe_load_balancers(Names=[balancer])["LoadBalancers"]
    (listener,) = elb.describe_listeners(LoadBalancerArn=found["LoadBalancerArn"])["Listeners"]
    return str(listener["ListenerArn"])


def to(target_group_arn: str) -> dict[str, Any]:
    return {
        "Conditions": [{"Field": "path-pattern", "Values": ["/orders"]}],
        "Actions": [{"Type": "forward", "TargetGroupArn": target_group_arn}],
    }
