"""What load balancers, tables and roles refuse in order to protect themselves or each other."""

from __future__ import annotations

import json
import time
from typing import Any

from local.patches import around, internal, patch

JsonObject = dict[str, Any]
Response = tuple[int, dict[str, str], bytes]

SECONDS_BETWEEN_TTL_CHANGES = 3600


@patch
def protected_load_balancers_stay() -> None:
    """AWS: a load balancer under deletion protection cannot be deleted: OperationNotPermitted.

    "DeleteLoadBalancer", Elastic Load Balancing API Reference. The emulator deletes it.
    """
    attributes = internal("services.alb", "_lb_attrs")
    parameter = internal("services.alb", "_p")
    error = internal("services.alb", "_error")

    @around("services.alb", "_ACTION_MAP[DeleteLoadBalancer]")
    def delete(original: Any, params: Any) -> Response:
        arn = parameter(params, "LoadBalancerArn")
        if {"Key": "deletion_protection.enabled", "Value": "true"} in attributes.get(arn, []):
            text = f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled"
            return error("OperationNotPermitted", text)  # type: ignore[no-any-return]
        response: Response = original(params)
        return response


@patch
def target_groups_in_use_stay() -> None:
    """AWS: a target group that a listener or rule forwards to cannot be deleted: ResourceInUse.

    "DeleteTargetGroup", Elastic Load Balancing API Reference. The emulator deletes it.
    """
    load_balancers = internal("services.alb", "_lbs")
    listeners = internal("services.alb", "_listeners")
    rules = internal("services.alb", "_rules")
    parameter = internal("services.alb", "_p")
    error = internal("services.alb", "_error")

    @around("services.alb", "_ACTION_MAP[DeleteTargetGroup]")
    def delete(original: Any, params: Any) -> Response:
        arn = parameter(params, "TargetGroupArn")
        # The emulator deletes a load balancer, but not its listeners and rules.
        living = {k for k, one in listeners.items() if one["LoadBalancerArn"] in load_balancers}
        actions = [one["Actions"] for one in rules.values() if one["ListenerArn"] in living]
        if json.dumps(arn) in json.dumps(actions):
            text = f"Target group '{arn}' is currently in use by a listener or a rule"
            return error("ResourceInUse", text)  # type: ignore[no-any-return]
        response: Response = original(params)
        return response


@patch
def rules_of_a_listener_differ_in_priority() -> None:
    """AWS: the rules of a listener have different priorities: PriorityInUse.

    "CreateRule" and "SetRulePriorities", Elastic Load Balancing API Reference. The emulator accepts
    both.
    """
    rules = internal("services.alb", "_rules")
    parameter = internal("services.alb", "_p")
    error = internal("services.alb", "_error")

    def taken(listener_arn: str, priorities: set[str], but: set[str]) -> Response | None:
        for arn, rule in rules.items():
            is_other = rule["ListenerArn"] == listener_arn and arn not in but
            if is_other and rule["Priority"] in priorities:
                text = f"Priority '{rule['Priority']}' is currently in use"
                return error("PriorityInUse", text)  # type: ignore[no-any-return]
        return None

    @around("services.alb", "_ACTION_MAP[CreateRule]")
    def create(original: Any, params: Any) -> Response:
        priorities = {parameter(params, "Priority")}
        return taken(parameter(params, "ListenerArn"), priorities, set()) or original(params)

    @around("services.alb", "_ACTION_MAP[SetRulePriorities]")
    def set_priorities(original: Any, params: Any) -> Response:
        wanted: dict[str, str] = {}
        while arn := parameter(params, f"RulePriorities.member.{len(wanted) + 1}.RuleArn"):
            wanted[arn] = parameter(params, f"RulePriorities.member.{len(wanted) + 1}.Priority")
        for arn in wanted.keys() & rules.keys():
            refusal = taken(rules[arn]["ListenerArn"], set(wanted.values()), set(wanted))
            if refusal:
                return refusal
        response: Response = original(params)
        return response


@patch
def target_groups_have_one_load_balancer() -> None:
    """AWS: a target group serves one load balancer: TargetGroupAssociationLimit.

    "CreateRule" and "CreateListener", Elastic Load Balancing API Reference. The emulator lets any
    number forward to it.
    """
    load_balancers = internal("services.alb", "_lbs")
    listeners = internal("services.alb", "_listeners")
    rules = internal("services.alb", "_rules")
    parameter = internal("services.alb", "_p")
    parse = internal("services.alb", "_parse_actions")
    error = internal("services.alb", "_error")

    def refusal(params: Any, prefix: str, load_balancer: str) -> Response | None:
        others = {
            arn
            for arn, one in listeners.items()
            if one["LoadBalancerArn"] in load_balancers and one["LoadBalancerArn"] != load_balancer
        }
        used = json.dumps(
            [one["Actions"] for one in rules.values() if one["ListenerArn"] in others]
        )
        for action in parse(params, prefix):
            if (arn := action.get("TargetGroupArn")) and json.dumps(arn) in used:
                text = f"Target group '{arn}' cannot be associated with more than one load balancer"
                return error("TargetGroupAssociationLimit", text)  # type: ignore[no-any-return]
        return None

    @around("services.alb", "_ACTION_MAP[CreateRule]")
    def create_rule(original: Any, params: Any) -> Response:
        listener = listeners.get(parameter(params, "ListenerArn"), {})
        refused = refusal(params, "Actions", listener.get("LoadBalancerArn", ""))
        return refused or original(params)

    @around("services.alb", "_ACTION_MAP[CreateListener]")
    def create_listener(original: Any, params: Any) -> Response:
        refused = refusal(params, "DefaultActions", parameter(params, "LoadBalancerArn"))
        return refused or original(params)


@patch
def time_to_live_changes_once_an_hour() -> None:
    """AWS: TTL cannot be changed twice within an hour, set to what it is, or renamed.

    ValidationException; "UpdateTimeToLive", Amazon DynamoDB API Reference. TTL must be disabled
    before another attribute can be used. The emulator accepts every change.
    """
    tables = internal("services.dynamodb", "_tables")
    settings = internal("services.dynamodb", "_ttl_settings")
    name_of = internal("services.dynamodb", "_normalize_table_name")
    error = internal("services.dynamodb", "error_response_json")

    def refusal(table: JsonObject, current: JsonObject, wanted: JsonObject) -> str | None:
        is_enabled = current.get("TimeToLiveStatus") == "ENABLED"
        attribute = current.get("AttributeName")
        if is_enabled and wanted.get("AttributeName") != attribute:
            return (
                "TimeToLive is active on a different AttributeName: "
                f"current AttributeName is {attribute}"
            )
        if is_enabled == bool(wanted.get("Enabled")):
            return f"TimeToLive is already {'enabled' if is_enabled else 'disabled'}"
        if time.time() - table.get("TimeToLiveChanged", 0) < SECONDS_BETWEEN_TTL_CHANGES:
            return "Time to live has been modified multiple times within a fixed interval"
        return None

    @around("services.dynamodb", "_update_ttl")
    def update(original: Any, data: JsonObject) -> Response:
        name = name_of(data.get("TableName"))
        table, wanted = tables.get(name), data.get("TimeToLiveSpecification", {})
        if table is None or not wanted.get("AttributeName"):
            response: Response = original(data)
            return response
        if text := refusal(table, settings.get(name, {}), wanted):
            return error("ValidationException", text, 400)  # type: ignore[no-any-return]
        response = original(data)
        table["TimeToLiveChanged"] = time.time()
        return response
