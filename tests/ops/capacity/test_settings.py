"""The module's inputs: the same defaults, derived in the same way, and read from a plan."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from async_ingest.capacity import calibration, cost
from async_ingest.capacity import settings as module
from async_ingest.capacity.settings import Settings
from async_ingest.errors import OpsError

ROOT = Path(__file__).parents[3]
VARIABLES = (ROOT / "variables.tf").read_text()
INPUTS = [
    name
    for name in vars(Settings())
    if name.startswith(("ingest_", "queue_", "process_")) or name in {"architecture"}
]


@pytest.mark.parametrize("name", INPUTS)
def test_a_default_is_the_modules(name: str) -> None:
    match = re.search(rf'^variable "{name}" {{.*?^  default += (.*?)$', VARIABLES, re.S | re.M)
    assert match
    assert json.loads(match[1]) == getattr(Settings(), name)


@pytest.mark.parametrize(
    ("file", "name", "ours"),
    [
        ("writer", "KNOWN_SHARE", calibration.KNOWN_SHARE),
        ("writer", "MAX_STATEMENTS", calibration.Calibration().orders_per_call),
        ("handler", "MARGIN_SECONDS", calibration.MARGIN_SECONDS),
    ],
)
def test_a_number_of_process_is_the_functions(file: str, name: str, ours: float) -> None:
    """ops/ is installed alone, and cannot import it."""
    source = (ROOT / "lambda_src" / "process" / f"{file}.py").read_text()
    [theirs] = re.findall(rf"^{name} = ([0-9.]+)", source, re.MULTILINE)
    assert float(theirs) == ours


def test_derived_as_in_the_queue_module() -> None:
    assert (Settings().visibility_timeout, Settings().max_receive_count) == (180, 485)
    short = Settings(process_timeout_seconds=6, process_batching_window_seconds=1)
    assert (short.visibility_timeout, short.max_receive_count) == (87, 999)
    assert Settings(queue_max_receive_count=7).max_receive_count == 7


def plan_of(resources: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """A plan of a module `orders`, with resources by the piece that has them."""
    pieces = [
        {"address": f"module.orders.module.{name}", "resources": those}
        for name, those in resources.items()
        if name
    ]
    system = {
        "address": "module.orders",
        "resources": resources.get("", []),
        "child_modules": pieces,
    }
    return {"planned_values": {"root_module": {"child_modules": [system]}}}


def resource(kind: str, name: str = "this", **values: Any) -> dict[str, Any]:
    return {"type": kind, "name": name, "values": values}


SYSTEM: dict[str, list[dict[str, Any]]] = {
    "": [
        resource(
            "aws_lambda_event_source_mapping",
            batch_size=100,
            maximum_batching_window_in_seconds=1,
            scaling_config=[{"maximum_concurrency": 50}],
            provisioned_poller_config=[],
        )
    ],
    "ingest": [
        resource(
            "aws_lambda_function", memory_size=1024, reserved_concurrent_executions=-1, timeout=10
        ),
        resource("aws_lambda_provisioned_concurrency_config", provisioned_concurrent_executions=7),
    ],
    "process": [
        resource(
            "aws_lambda_function",
            memory_size=1769,
            reserved_concurrent_executions=60,
            timeout=20,
            architectures=["x86_64"],
            tracing_config=[{"mode": "PassThrough"}],
            environment=[
                {"variables": {"DEAD_LETTER_IMMEDIATELY": "false", "MAX_RECEIVE_COUNT": "9"}}
            ],
        )
    ],
    "queue": [
        resource("aws_sqs_queue", "dead_letter", message_retention_seconds=1),
        resource("aws_sqs_queue", visibility_timeout_seconds=300, message_retention_seconds=9000),
    ],
}


def test_from_a_plan(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(plan_of(SYSTEM)))
    assert module.from_plan(path) == Settings(
        ingest_memory_size=1024,
        ingest_provisioned_concurrency=7,
        queue_visibility_timeout_seconds=300,
        queue_retention_seconds=9000,
        queue_max_receive_count=9,
        process_batch_size=100,
        process_batching_window_seconds=1,
        process_maximum_concurrency=50,
        process_dead_letter_immediately=False,
        process_memory_size=1769,
        process_timeout_seconds=20,
        process_reserved_concurrency=60,
        architecture="x86_64",
        tracing_enabled=False,
        observability_enabled=False,
        endpoint_zones=0,
        load_balancers=0,
    )


MAPPING = [resource("aws_lambda_event_source_mapping")]
SUBNETS = [resource("aws_subnet", "private")] * 3 + [resource("aws_subnet", "public")] * 3
NAT = [resource("aws_nat_gateway")]
INTERFACE = resource("aws_vpc_endpoint", "interface", vpc_endpoint_type="Interface")
GATEWAY = resource("aws_vpc_endpoint", "dynamodb", vpc_endpoint_type="Gateway")
KNOWN = resource(
    "aws_vpc_endpoint", "interface", vpc_endpoint_type="Interface", subnet_ids=["a", "b"]
)


@pytest.mark.parametrize(
    ("pieces", "endpoint_zones", "load_balancers", "nat_gateways"),
    [
        ({"network[0]": SUBNETS, "vpc_endpoints[0]": [INTERFACE, GATEWAY]}, 3, 0, 0),
        ({"network[0]": SUBNETS, "vpc_endpoints[0]": [KNOWN, KNOWN]}, 4, 0, 0),
        ({"vpc_endpoints[0]": [INTERFACE]}, 2, 0, 0),
        ({"network[0]": SUBNETS + NAT}, 0, 0, 1),
        ({"load_balancer": [resource("aws_lb")]}, 0, 1, 0),
        ({"load_balancer": [resource("aws_lb_listener_rule")]}, 0, 0, 0),
    ],
    ids=[
        "zones of a network yet to be made",
        "two endpoints that exist",
        "endpoints in subnets that are not known",
        "NAT instead of endpoints",
        "an existing network",
        "an existing listener",
    ],
)
def test_what_is_billed_by_the_hour_is_what_the_plan_has(
    tmp_path: Path,
    pieces: dict[str, list[dict[str, Any]]],
    endpoint_zones: int,
    load_balancers: int,
    nat_gateways: int,
) -> None:
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(plan_of({"": MAPPING, **pieces})))
    found = module.from_plan(path)
    assert (found.endpoint_zones, found.load_balancers, found.nat_gateways) == (
        endpoint_zones,
        load_balancers,
        nat_gateways,
    )


def test_what_a_plan_does_not_know_yet_comes_from_the_inputs(tmp_path: Path) -> None:
    """The environment of a function that does not exist yet contains the URL of its queue."""
    resources = {
        "": [resource("aws_lambda_event_source_mapping", batch_size=5)],
        "process": [resource("aws_lambda_function", memory_size=512, environment=[{}])],
    }
    inputs = {
        "queue_max_receive_count": {"constant_value": 7},
        "process_dead_letter_immediately": {"constant_value": False},
        "name": {"references": ["var.name"]},
    }
    calls = {"orders": {"expressions": inputs}}
    plan = plan_of(resources) | {"configuration": {"root_module": {"module_calls": calls}}}
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(plan))
    found = module.from_plan(path)
    assert (found.process_batch_size, found.queue_max_receive_count) == (5, 7)
    assert not found.process_dead_letter_immediately


def test_pollers_and_alarms_from_a_plan(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    pollers = [{"minimum_pollers": 2, "maximum_pollers": 9}]
    mapping = resource("aws_lambda_event_source_mapping", provisioned_poller_config=pollers)
    alarms = [resource("aws_cloudwatch_metric_alarm")]
    path.write_text(json.dumps(plan_of({"": [mapping], "observability[0]": alarms})))
    found = module.from_plan(path)
    assert found.process_provisioned_pollers == {"minimum": 2, "maximum": 9}
    assert found.maximum_concurrency == 90
    assert found.observability_enabled


@pytest.mark.parametrize("text", ["", "[]", "{}", json.dumps(plan_of({}))])
def test_not_a_plan(tmp_path: Path, text: str) -> None:
    path = tmp_path / "plan.json"
    path.write_text(text)
    with pytest.raises(OpsError, match=r"not a plan|0 systems"):
        module.from_plan(path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("process_batchsize", 10),
        ("process_batch_size", "ten"),
        ("process_batch_size", None),
        ("process_batch_size", -1),
        ("process_batch_size", True),
        ("process_provisioned_pollers", 10),
        ("tracing_enabled", 1),
    ],
)
def test_a_wrong_setting_is_refused(name: str, value: Any) -> None:
    with pytest.raises(OpsError, match=name):
        Settings().with_values({name: value})


@pytest.mark.parametrize("text", ["[]", "nothing", '{"put_second": 1}', '{"put_seconds": "1"}'])
def test_a_wrong_calibration_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "calibration.json"
    path.write_text(text)
    with pytest.raises(OpsError, match="calibration"):
        calibration.read(path)


def test_a_calibration_replaces_assumptions(tmp_path: Path) -> None:
    path = tmp_path / "calibration.json"
    path.write_text('{"put_seconds": 0.5}')
    assert calibration.read(path) == calibration.Calibration(put_seconds=0.5)


def test_prices_of_another_region_must_be_complete(tmp_path: Path) -> None:
    path = tmp_path / "prices.json"
    path.write_text('{"region": "x", "date": "x", "source": "x", "prices": {}}')
    with pytest.raises(OpsError, match=r"lacks the prices .*write_unit"):
        cost.read_prices(path)
