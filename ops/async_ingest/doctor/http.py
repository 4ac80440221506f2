"""From the client to the function: load balancer, rule, target, permission."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from async_ingest.doctor.findings import Finding, checks, failed, ok, unknown, warning
from async_ingest.doctor.policies import parsed, statements
from async_ingest.system import ALIAS, System, decoded

BALANCER, RULE, TARGET, PERMISSION = (
    "load balancer",
    "listener rule",
    "target group",
    "permission of the load balancer",
)
ELB = "elasticloadbalancing.amazonaws.com"


def target_group(system: System) -> dict[str, Any]:
    """Returns the target group. Raises ClientError."""
    groups = system.aws.client("elbv2").describe_target_groups(Names=[system.ingest_function])
    found: dict[str, Any] = groups["TargetGroups"][0]
    return found


def load_balancers(system: System) -> list[dict[str, Any]]:
    """Returns the load balancers with a rule for the target group, or the system's own."""
    elb = system.aws.client("elbv2")
    if arns := target_group(system).get("LoadBalancerArns"):
        return list(elb.describe_load_balancers(LoadBalancerArns=arns)["LoadBalancers"])
    every = elb.get_paginator("describe_load_balancers").paginate()
    found = [one for page in every for one in page["LoadBalancers"]]
    return [one for one in found if one["LoadBalancerName"] == system.name]


def paths(system: System) -> list[str]:
    """Returns where orders are posted, by the setting of ingest."""
    return list(decoded(system.environment(system.ingest_function).get("HTTP_PATHS")) or ())


@checks(BALANCER)
def balancer(system: System) -> Iterator[Finding]:
    found = load_balancers(system)
    if not found:
        yield failed(
            BALANCER, "no load balancer has the target group", "add a listener rule, or apply again"
        )
        return
    for one in found:
        name, state = one["LoadBalancerName"], one.get("State", {}).get("Code", "active")
        if state not in ("active", "active_impaired"):
            yield failed(BALANCER, f"{name} is {state}", "wait until it is active")
            continue
        closed = _closed(system, one.get("SecurityGroups", []))
        if closed:
            yield failed(
                BALANCER,
                f"no inbound rule of {closed} admits any client",
                "apply again, or see load_balancer_ingress_cidr_blocks",
            )
            continue
        yield ok(BALANCER, f"{name} is {state}")


def _closed(system: System, groups: list[str]) -> str:
    """Returns the security groups of a load balancer if they let nobody in."""
    if not groups:
        return ""
    described = system.aws.client("ec2").describe_security_groups(GroupIds=groups)
    is_open = any(group.get("IpPermissions") for group in described["SecurityGroups"])
    return "" if is_open else ", ".join(groups)


@checks(RULE)
def rule(system: System) -> Iterator[Finding]:
    group = target_group(system)["TargetGroupArn"]
    elb = system.aws.client("elbv2")
    wanted, served = set(paths(system)), set[str]()
    for one in load_balancers(system):
        listeners = elb.describe_listeners(LoadBalancerArn=one["LoadBalancerArn"])["Listeners"]
        for listener in listeners:
            rules = elb.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
            for entry in rules:
                if group in json.dumps(entry.get("Actions", [])):
                    served.update(_patterns(entry))
    if missing := sorted(path for path in wanted if path not in served and "*" not in served):
        yield failed(
            RULE,
            f"no rule forwards {', '.join(missing)} to the target group",
            "apply again; with listener_rules_enabled = false, add it to your listener",
        )
    elif wanted:
        yield ok(RULE, f"{', '.join(sorted(wanted))} is forwarded to the target group")
    else:
        yield unknown(RULE, "not checked: the ingest function does not say its paths")


def _patterns(rule: dict[str, Any]) -> list[str]:
    """Returns the path patterns of a rule, or * for a rule without any."""
    found = [
        value
        for condition in rule.get("Conditions", [])
        if condition.get("Field") == "path-pattern"
        for value in condition.get("PathPatternConfig", condition).get("Values", [])
    ]
    return found or ["*"]


@checks(TARGET)
def target(system: System) -> Iterator[Finding]:
    group = target_group(system)
    health = system.aws.client("elbv2").describe_target_health(
        TargetGroupArn=group["TargetGroupArn"]
    )
    registered = [one["Target"]["Id"] for one in health["TargetHealthDescriptions"]]
    alias = alias_arn(system, system.ingest_function)
    if alias in registered:
        yield ok(TARGET, f"the target is the alias {ALIAS} of ingest")
    elif registered:
        what = f"the target is {registered[0]}, not the alias {ALIAS} of ingest"
        yield failed(TARGET, what, f"register {alias}, or apply again")
    else:
        yield failed(TARGET, "it has no target", f"register {alias}, or apply again")


def alias_arn(system: System, function: str) -> str:
    alias = system.aws.client("lambda").get_alias(FunctionName=function, Name=ALIAS)
    return str(alias["AliasArn"])


@checks(PERMISSION)
def permission(system: System) -> Iterator[Finding]:
    lambda_ = system.aws.client("lambda")
    do = "apply again: the permission is aws_lambda_permission in modules/load_balancer"
    try:
        policy = lambda_.get_policy(FunctionName=system.ingest_function, Qualifier=ALIAS)
    except lambda_.exceptions.ResourceNotFoundException:
        yield failed(PERMISSION, f"the alias {ALIAS} of ingest admits nobody", do)
        return
    group = target_group(system)["TargetGroupArn"]
    admits = [one for one in statements(parsed(policy["Policy"])) if ELB in str(one["Principal"])]
    if any(group in json.dumps(one.get("Condition", {})) for one in admits):
        yield ok(PERMISSION, f"the load balancer may invoke the alias {ALIAS} of ingest")
    elif any(not one.get("Condition") for one in admits):
        yield warning(PERMISSION, "any load balancer may invoke ingest", "apply again")
    else:
        yield failed(PERMISSION, "the alias does not admit this target group", do)
