"""What several patches need to know: callers, permissions of roles, keys of queues, interfaces."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from local.patches import around, internal

JsonObject = dict[str, Any]

_caller: ContextVar[str] = ContextVar("caller", default="")


def caller_denied() -> Callable[..., Any]:
    """Returns a function that decides what else the caller of the current request may do.

    `denied(action, resource_arn, context)` returns the emulator's denial, or None. The names of the
    condition keys in `context` are in lower case.
    """
    access_key_of = internal("core.router", "extract_access_key_id")
    region = internal("core.responses", "get_region")

    @around("core.iam_evaluator", "pin_request_caller")
    def pin(original: Any, headers: Any, query_params: Any = None) -> None:
        _caller.set(access_key_of(headers or {}, query_params or {}))
        original(headers, query_params)

    def denied(action: str, resource_arn: str, context: dict[str, str] | None = None) -> Any:
        if not internal("app", "AUTH"):
            return None
        service = action.partition(":")[0]
        enforce = internal(
            "core.iam_evaluator", "enforce"
        )  # looked up here, so that it includes patches
        return enforce(_caller.get(), action, service, region(), resource_arn, context)

    return denied


@dataclass(frozen=True)
class Call:
    """A call of a service, as IAM sees it."""

    access_key_id: str
    action: str
    service: str
    region: str
    resource_arn: str
    context: JsonObject

    @property
    def is_by_a_service(self) -> bool:
        """Whether a service makes the call in the caller's name, and so not through a VPC."""
        return "kms:viaservice" in self.context


def deny_more(check: Callable[[Call], Any]) -> None:
    """Has `check` examine calls that IAM allows: it returns a denial of the emulator, or None."""

    @around("core.iam_evaluator", "enforce")
    def enforce(  # noqa: PLR0917 - as the emulator has it
        original: Any,
        access_key_id: str,
        iam_action: str,
        service: str,
        region: str,
        resource_arn: str = "*",
        service_context: Any = None,
    ) -> Any:
        denied = original(access_key_id, iam_action, service, region, resource_arn, service_context)
        call = Call(access_key_id, iam_action, service, region, resource_arn, service_context or {})
        return denied or check(call)


def role_may() -> Callable[..., bool]:
    """Returns a function that decides what a service may do with a role.

    `may(role_arn, action, resource_arn, context)` uses the emulator's own evaluator. The names of
    the condition keys in `context` are in lower case.
    """
    context_of = internal("core.iam_evaluator", "EvalContext")
    evaluate = internal("core.iam_evaluator", "evaluate")
    combine = internal("core.iam_evaluator", "combine_resource_policy")
    role_policies = internal("core.iam_evaluator", "_gather_role_policies")
    boundary = internal("core.iam_evaluator", "_permissions_boundary")
    resource_policy = internal("core.iam_evaluator", "_resource_policy")
    policy_required = internal("core.iam_evaluator", "_POLICY_REQUIRED")
    roles = internal("services.iam", "_roles")

    def may(
        role_arn: str, action: str, resource_arn: str, context: dict[str, str] | None = None
    ) -> bool:
        account, role_name = role_arn.split(":")[4], role_arn.rpartition("/")[2]
        service = action.partition(":")[0]
        limits = boundary(roles, role_name, account)
        request = context_of(
            principal_arn=f"arn:aws:sts::{account}:assumed-role/{role_name}/lambda",
            principal_type="AssumedRole",
            principal_account=account,
            action=action,
            resource_arn=resource_arn,
            region=resource_arn.split(":")[3],
            secure_transport=True,
            service_context=context or {},
        )
        result = evaluate(request, role_policies(role_name, account), *limits)
        if policy := resource_policy(service, resource_arn):
            required = service in policy_required
            result = combine(result, request, *policy, required=required, limits=limits)
        return bool(result.decision == "Allow")

    return may


def customer_key_of_queue() -> Callable[[JsonObject], str | None]:
    """Returns a function that finds the ARN of the customer managed key of a queue, or None."""
    resolve = internal("services.kms", "_resolve_key")

    def key_arn(queue: JsonObject) -> str | None:
        key = resolve(queue["attributes"].get("KmsMasterKeyId"))
        return str(key["Arn"]) if key else None  # the emulator lacks AWS managed keys

    return key_arn


@dataclass(frozen=True)
class Interfaces:
    """The network interfaces of one resource."""

    subnets: frozenset[str]
    groups: frozenset[str]


def interfaces() -> Callable[[], Iterator[Interfaces]]:
    """Returns a function that yields all network interfaces in the account and region."""
    functions = internal("services.lambda_svc", "_functions")
    load_balancers = internal("services.alb", "_lbs")
    endpoints = internal("services.ec2", "_vpc_endpoints")
    nat_gateways = internal("services.ec2", "_nat_gateways")
    others = internal("services.ec2", "_network_interfaces")

    def found() -> Iterator[Interfaces]:
        for function in functions.values():
            for version in (function, *function["versions"].values()):
                network = version["config"].get("VpcConfig") or {}
                yield _interfaces(network.get("SubnetIds"), network.get("SecurityGroupIds"))
        for balancer in load_balancers.values():
            yield _interfaces(balancer["Subnets"], balancer["SecurityGroups"])
        for endpoint in endpoints.values():
            yield _interfaces(endpoint["SubnetIds"], endpoint.get("Groups"))
        for gateway in nat_gateways.values():
            if gateway["State"] != "deleted":
                yield _interfaces([gateway["SubnetId"]], [])
        for interface in others.values():
            groups = [group["GroupId"] for group in interface["Groups"]]
            yield _interfaces([interface["SubnetId"]], groups)

    return found


def _interfaces(subnets: list[str] | None, groups: list[str] | None) -> Interfaces:
    return Interfaces(frozenset(subnets or []), frozenset(groups or []))
