"""The inputs of the module that decide its capacity, from flags or from a plan."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from async_ingest.capacity import aws
from async_ingest.errors import OpsError

# Of modules/queue: deliveries outlast an outage of a day, with some to spare.
_TIMEOUTS_PER_VISIBILITY = 6
_OUTAGE_SECONDS = 86_400
_SPARE_RECEIVES = 5
_MOST_RECEIVES = 1000

_DEFAULT_MAXIMUM_CONCURRENCY = 5


@dataclass(frozen=True)
class Settings:
    """Inputs of the module under their own names, with its defaults (`variables.tf`).

    Below them, what the module makes of `vpc`, `vpc_endpoints` and what exists already, and is
    billed by the hour: `endpoint_zones` of all its interface endpoints, `load_balancers`,
    `nat_gateways`.

    Then what the account, and not the module, decides: `account_concurrency_quota`,
    `table_write_quota`, and `table_peak_write_units`, the peak that the table has seen or is warmed
    for, in write units a second.
    """

    ingest_memory_size: int = 512
    ingest_reserved_concurrency: int | None = None
    ingest_provisioned_concurrency: int | None = None
    queue_visibility_timeout_seconds: int | None = None
    queue_retention_seconds: int = 345_600
    queue_max_receive_count: int | None = None
    process_batch_size: int = 10
    process_batching_window_seconds: int = 0
    process_maximum_concurrency: int | None = None
    process_provisioned_pollers: Mapping[str, int] | None = None
    process_dead_letter_immediately: bool = True
    process_memory_size: int = 512
    process_timeout_seconds: int = 30
    process_reserved_concurrency: int | None = None
    architecture: str = "arm64"
    tracing_enabled: bool = True
    observability_enabled: bool = True
    endpoint_zones: int = 2
    load_balancers: int = 1
    nat_gateways: int = 0
    account_concurrency_quota: int = aws.CONCURRENCY_QUOTA
    table_write_quota: int = aws.TABLE_QUOTA
    table_peak_write_units: int = aws.UNITS_OF_A_NEW_TABLE // aws.GROWTH

    @property
    def visibility_timeout(self) -> int:
        """Seconds, derived as in `modules/queue` unless set."""
        least = (
            _TIMEOUTS_PER_VISIBILITY * self.process_timeout_seconds
            + self.process_batching_window_seconds
        )
        if self.queue_max_receive_count is None:
            most = _MOST_RECEIVES - _SPARE_RECEIVES
            least = max(least, math.ceil(self._outage_seconds / most))
        return self.queue_visibility_timeout_seconds or least

    @property
    def max_receive_count(self) -> int:
        """Deliveries, derived as in `modules/queue` unless set."""
        derived = math.ceil(self._outage_seconds / self.visibility_timeout) + _SPARE_RECEIVES
        return self.queue_max_receive_count or min(_MOST_RECEIVES, derived)

    @property
    def _outage_seconds(self) -> int:
        return min(_OUTAGE_SECONDS, self.queue_retention_seconds // 2)

    @property
    def maximum_concurrency(self) -> int:
        """Invocations that the queue may start at the same time."""
        if self.process_provisioned_pollers:
            return aws.INVOKES_PER_POLLER * self.process_provisioned_pollers["maximum"]
        return self.process_maximum_concurrency or _DEFAULT_MAXIMUM_CONCURRENCY

    def cores(self, memory_size: int) -> float:
        """The share of a core that one thread gets."""
        return min(1.0, memory_size / aws.MEMORY_OF_A_CORE)

    def with_values(self, values: Mapping[str, Any]) -> Settings:
        """Returns a copy with other values.

        Raises:
            OpsError: There is no such setting, or its value is of another type or of no use.
        """
        known = {one.name: one for one in fields(self)}
        for name, value in values.items():
            if name not in known:
                raise OpsError(f"There is no setting {name}. There are: {', '.join(known)}.")
            default = known[name].default
            wanted: tuple[type, ...] = (int,) if default is None else (type(default),)
            if name == "process_provisioned_pollers":
                is_right = value is None or (
                    isinstance(value, Mapping) and value.keys() >= {"minimum", "maximum"}
                )
            else:
                is_right = (value is None and default is None) or type(value) in wanted
            if not is_right or (type(value) is int and value < 0):
                raise OpsError(f"{name} cannot be {json.dumps(value)}.")
        return replace(self, **values)


def from_plan(path: Path) -> Settings:
    """Reads the settings of the one system in a plan, as `terraform show -json PLAN` prints it.

    They are read from the planned resources, so it does not matter how the configuration that calls
    the module computes its inputs.

    Raises:
        OpsError: The file is not a plan, or has no system, or several.
    """
    try:
        plan = json.loads(path.read_text())
        root = plan["planned_values"]["root_module"]
    except (OSError, ValueError, KeyError, TypeError):
        raise OpsError(
            f"{path} is not a plan. Write one: terraform plan -out=PLAN; "
            f"terraform show -json PLAN > {path}"
        ) from None
    mappings = [one for one in _modules(root) if _resources(one, "aws_lambda_event_source_mapping")]
    if len(mappings) != 1:
        raise OpsError(f"{path} has {len(mappings)} systems, and must have one.")
    return _of_module(mappings[0], _constants(plan, str(mappings[0].get("address", ""))))


def _constants(plan: Mapping[str, Any], address: str) -> dict[str, Any]:
    """Returns the module's inputs that are written as constants, or given to it as root module."""
    if not address:
        return {name: one.get("value") for name, one in plan.get("variables", {}).items()}
    calls = plan.get("configuration", {}).get("root_module", {}).get("module_calls", {})
    expressions = calls.get(address.removeprefix("module."), {}).get("expressions", {})
    return {
        name: one["constant_value"]
        for name, one in expressions.items()
        if isinstance(one, Mapping) and "constant_value" in one
    }


def _modules(module: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield module
    for child in module.get("child_modules", []):
        yield from _modules(child)


def _resources(module: Mapping[str, Any], kind: str, name: str = "") -> list[dict[str, Any]]:
    return [
        one["values"]
        for one in module.get("resources", [])
        if one["type"] == kind and name in ("", one["name"])
    ]


def _of_module(system: Mapping[str, Any], constants: Mapping[str, Any]) -> Settings:
    """Reads what the module's resources are going to be; what is not known yet stays default.

    The environment of a function that is yet to be created is not known, so what only that has is
    taken from the inputs.
    """
    pieces = {str(one.get("address", "")).rsplit(".", 1)[-1]: one for one in _modules(system)}
    only_in_environment = ("process_dead_letter_immediately", "queue_max_receive_count")
    values = {name: constants.get(name) for name in only_in_environment}
    for piece in ("ingest", "process"):
        module = pieces.get(piece, {})
        for function in _resources(module, "aws_lambda_function"):
            values[f"{piece}_memory_size"] = function.get("memory_size")
            reserved = function.get("reserved_concurrent_executions")
            values[f"{piece}_reserved_concurrency"] = None if reserved == -1 else reserved
            if piece == "process":
                values["process_timeout_seconds"] = function.get("timeout")
                values["architecture"] = _first(function.get("architectures"))
                mode = _first(function.get("tracing_config"), {}).get("mode")
                values["tracing_enabled"] = None if mode is None else mode == "Active"
                environment = _first(function.get("environment"), {}).get("variables") or {}
                if immediately := environment.get("DEAD_LETTER_IMMEDIATELY"):
                    values["process_dead_letter_immediately"] = immediately == "true"
                if count := environment.get("MAX_RECEIVE_COUNT"):
                    values["queue_max_receive_count"] = int(count)
        for provisioned in _resources(module, "aws_lambda_provisioned_concurrency_config"):
            amount = provisioned.get("provisioned_concurrent_executions")
            values[f"{piece}_provisioned_concurrency"] = amount
    for mapping in _resources(system, "aws_lambda_event_source_mapping"):
        values["process_batch_size"] = mapping.get("batch_size")
        window = mapping.get("maximum_batching_window_in_seconds")
        values["process_batching_window_seconds"] = window
        scaling = _first(mapping.get("scaling_config"), {})
        values["process_maximum_concurrency"] = scaling.get("maximum_concurrency")
        pollers = _first(mapping.get("provisioned_poller_config"), {})
        if pollers.get("maximum_pollers"):
            values["process_provisioned_pollers"] = {
                "minimum": pollers["minimum_pollers"],
                "maximum": pollers["maximum_pollers"],
            }
    for queue in _resources(pieces.get("queue", {}), "aws_sqs_queue", "this"):
        values["queue_visibility_timeout_seconds"] = queue.get("visibility_timeout_seconds")
        values["queue_retention_seconds"] = queue.get("message_retention_seconds")
    values["observability_enabled"] = any(
        _resources(one, "aws_cloudwatch_metric_alarm") for one in pieces.values()
    )
    values |= _billed_by_the_hour(pieces)
    return Settings().with_values(
        {name: value for name, value in values.items() if value is not None}
    )


def _billed_by_the_hour(pieces: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    """Counts what the plan has; what exists already, or is shared, is billed without the system."""
    network = pieces.get("network[0]", {})
    # Subnets that do not exist yet have no ids to count; an endpoint is in each private one.
    zones = len(_resources(network, "aws_subnet", "private")) or Settings().endpoint_zones
    endpoints = [
        one
        for one in _resources(pieces.get("vpc_endpoints[0]", {}), "aws_vpc_endpoint")
        if one.get("vpc_endpoint_type") == "Interface"
    ]
    return {
        "endpoint_zones": sum(len(one.get("subnet_ids") or ()) or zones for one in endpoints),
        "load_balancers": len(_resources(pieces.get("load_balancer", {}), "aws_lb")),
        "nat_gateways": len(_resources(network, "aws_nat_gateway")),
    }


def _first(values: Any, default: Any = None) -> Any:
    return values[0] if values else default
