"""IAM policies as data, and a simulation of their decisions.

The emulator only enforces what its own services check. The rest (network interfaces, logs, traces,
keys, VPC endpoints, trust policies) is decided here, on the applied documents, by the emulator's
evaluator: its SimulatePrincipalPolicy takes no context keys.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from ministack.core import iam_evaluator

from local.emulator import ACCOUNT, REGION
from local.stack import Stack

Policy = dict[str, Any]


def role(name: str, account: str = ACCOUNT) -> str:
    return f"arn:aws:iam::{account}:role/{name}"


class Call(NamedTuple):
    """A request as policies see it."""

    principal: str  # the ARN of a role (aws:PrincipalArn), or an AWS service
    action: str
    resource: str = "*"
    context: Mapping[str, str] = {}  # "" stands for a missing key
    tls: bool = True


def documents(resources: dict[str, dict[str, Any]]) -> dict[str, Policy]:
    """Returns the policies in resources' attributes, by address.

    The attribute of an endpoint is ignored: its policy is a resource of its own.
    """
    return {
        address: json.loads(values[attribute])
        for address, values in resources.items()
        for attribute in ("policy", "assume_role_policy")
        if values.get(attribute) and ".aws_vpc_endpoint." not in f".{address}"
    }


def actions_of(statement: dict[str, Any]) -> list[str]:
    action = statement["Action"]
    return [action] if isinstance(action, str) else list(action)


def every_action(policies: Mapping[str, Policy], effect: str) -> set[tuple[str, str, str]]:
    """Returns (policy, statement, action) for everything that the policies allow or deny."""
    return {
        (name, statement.get("Sid", ""), action)
        for name, policy in policies.items()
        for statement in policy["Statement"]
        if statement["Effect"] == effect
        for action in actions_of(statement)
    }


def without(policy: Policy, sid: str, action: str | None = None) -> Policy:
    """Returns the policy without a statement, or without one of its actions."""
    [statement] = [one for one in policy["Statement"] if one.get("Sid", "") == sid]
    left = [one for one in actions_of(statement) if action is not None and one != action]
    if action is not None:
        assert len(left) == len(actions_of(statement)) - 1, f"{sid} has no {action}"
    rest = [one for one in policy["Statement"] if one is not statement]
    return {**policy, "Statement": [*rest, *([{**statement, "Action": left}] if left else [])]}


def decision(policy: Policy, call: Call) -> str:
    """Returns Allow, Deny, or ImplicitDeny if no statement matches the call."""
    service = call.principal if call.principal.endswith(".amazonaws.com") else None
    context = iam_evaluator.EvalContext(
        principal_arn=call.principal,
        principal_type="AssumedRole",
        principal_account="" if service else call.principal.split(":")[4],
        action=call.action,
        resource_arn=call.resource,
        region=REGION,
        secure_transport=call.tls,
        service_context={key.lower(): value for key, value in call.context.items() if value},
    )
    if any("Principal" in statement for statement in policy["Statement"]):
        # A trust policy names no resource: it is about its role.
        complete = {"Statement": [{"Resource": "*", **one} for one in policy["Statement"]]}
        result = iam_evaluator.evaluate_resource_policy(complete, context, service)
    else:
        result = iam_evaluator.evaluate(context, [iam_evaluator.parse_policy_document(policy)])
    return str(result.decision)


def allows(policy: Policy, call: Call) -> bool:
    return decision(policy, call) == "Allow"


@contextmanager
def role_without(
    stack: Stack, function: str, sid: str, action: str | None = None
) -> Iterator[None]:
    """Removes a statement, or one of its actions, from the policy of a function's role."""
    name = stack.role_of(function).rpartition("/")[2]
    [policy_name] = stack.iam.list_role_policies(RoleName=name)["PolicyNames"]
    key = {"RoleName": name, "PolicyName": policy_name}
    policy = stack.iam.get_role_policy(**key)["PolicyDocument"]
    stack.iam.put_role_policy(**key, PolicyDocument=json.dumps(without(policy, sid, action)))
    try:
        yield
    finally:
        stack.iam.put_role_policy(**key, PolicyDocument=json.dumps(policy))
