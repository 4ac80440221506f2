"""Every input of the root arrives where it belongs, as planned by the real AWS provider.

Each case is an input, its value, and where that value, or what follows from it, has to show up. The
other inputs are set by tests/terraform/root.tftest.hcl, an example or the consumer in
test_examples.py, of which test_every_input_is_set_by_a_test makes sure.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from local.emulator import ROOT, Emulator
from local.terraform import Terraform
from tests.e2e.consumer import INPUTS

pytestmark = pytest.mark.stack

KEY = "arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555"
BOUNDARY = "arn:aws:iam::000000000000:policy/boundary"
WEB_ACL = (
    "arn:aws:wafv2:us-east-1:000000000000:regional/webacl/x/11111111-2222-3333-4444-555555555555"
)
LAYER = "arn:aws:lambda:us-east-1:000000000000:layer:agent:1"
CERTIFICATE = "arn:aws:acm:us-east-1:000000000000:certificate/11111111-2222-3333-4444-555555555555"

INGEST = "ingest.aws_lambda_function.this"
PROCESS = "process.aws_lambda_function.this"
BALANCER = "load_balancer.aws_lb.this"


class Case(NamedTuple):
    input: str
    value: Any
    address: str
    path: str  # within the resource's attributes, "" for all of them
    expected: Any
    beside: Mapping[str, Any] = {}  # inputs without which it has no effect


CASES = [
    Case("name", "inputs", BALANCER, "name", "inputs"),
    Case("tags", {"team": "x"}, "table.aws_dynamodb_table.this", "tags", {"team": "x"}),
    Case("vpc_cidr_block", "10.30.0.0/20", "network.aws_vpc.this", "cidr_block", "10.30.0.0/20"),
    Case(
        "availability_zones",
        ["us-east-1c", "us-east-1b"],
        "network.aws_subnet.public",
        "availability_zone",
        "us-east-1c",
    ),
    Case(
        "nat_gateway",
        "single",
        "network.aws_route.private_nat[1]",
        "destination_cidr_block",
        "0.0.0.0/0",
    ),
    Case(
        "paths",
        ["/a", "/b"],
        'load_balancer.aws_lb_listener_rule.this["https /b"]',
        "condition.0.path_pattern.0.values",
        ["/b", "/b/"],
    ),
    Case("load_balancer_internal", False, BALANCER, "internal", False),
    Case("load_balancer_ip_address_type", "dualstack", BALANCER, "ip_address_type", "dualstack"),
    Case(
        "load_balancer_ingress_cidr_blocks",
        ["198.51.100.0/24", "2001:db8::/32"],
        'load_balancer.aws_vpc_security_group_ingress_rule.this["2001:db8::/32 443"]',
        "cidr_ipv6",
        "2001:db8::/32",
    ),
    Case(
        "certificate",
        {"arn": CERTIFICATE},
        "load_balancer.aws_lb_listener.https",
        "certificate_arn",
        CERTIFICATE,
    ),
    Case("load_balancer_idle_timeout_seconds", 50, BALANCER, "idle_timeout", 50),
    Case(
        "load_balancer_health_check_enabled",
        True,
        "load_balancer.aws_lb_target_group.this",
        "health_check.0.path",
        "/a",
    ),
    Case(
        "load_balancer_access_logs",
        {"bucket": "logs", "prefix": "x"},
        BALANCER,
        "access_logs.0.bucket",
        "logs",
    ),
    Case(
        "load_balancer_web_acl",
        {"arn": WEB_ACL},
        "load_balancer.aws_wafv2_web_acl_association.this",
        "web_acl_arn",
        WEB_ACL,
    ),
    Case("deletion_protection_enabled", False, BALANCER, "enable_deletion_protection", False),
    Case("ingest_memory_size", 640, INGEST, "memory_size", 640),
    Case("ingest_layers", [LAYER], INGEST, "layers", [LAYER]),
    Case("ingest_timeout_seconds", 20, INGEST, "timeout", 20),
    Case("ingest_reserved_concurrency", 7, INGEST, "reserved_concurrent_executions", 7),
    Case(
        "ingest_provisioned_concurrency",
        3,
        "ingest.aws_lambda_provisioned_concurrency_config.this",
        "provisioned_concurrent_executions",
        3,
    ),
    Case(
        "ingest_package",
        {"s3_bucket": "b", "s3_key": "ingest.zip", "s3_object_version": "7"},
        INGEST,
        "s3_key",
        "ingest.zip",
    ),
    Case(
        "queue_visibility_timeout_seconds",
        999,
        "queue.aws_sqs_queue.this",
        "visibility_timeout_seconds",
        999,
    ),
    Case(
        "queue_retention_seconds",
        86400,
        "queue.aws_sqs_queue.this",
        "message_retention_seconds",
        86400,
    ),
    Case(
        "dead_letter_retention_seconds",
        604800,
        "queue.aws_sqs_queue.dead_letter",
        "message_retention_seconds",
        604800,
    ),
    Case("process_memory_size", 768, PROCESS, "memory_size", 768),
    Case("process_timeout_seconds", 40, PROCESS, "timeout", 40),
    Case("process_reserved_concurrency", 9, PROCESS, "reserved_concurrent_executions", 9),
    Case("process_layers", [LAYER], PROCESS, "layers", [LAYER]),
    Case("process_enabled", False, "aws_lambda_event_source_mapping.process", "enabled", False),
    Case(
        "process_package",
        {"filename": "process.zip", "source_code_hash": "abc="},
        PROCESS,
        "source_code_hash",
        "abc=",
    ),
    Case(
        "table_partition_key",
        {"name": "customer", "type": "N"},
        "table.aws_dynamodb_table.this",
        "hash_key",
        "customer",
    ),
    Case("table_sort_key", None, "table.aws_dynamodb_table.this", "range_key", None),
    Case(
        "table_ttl_attribute",
        "expires",
        "table.aws_dynamodb_table.this",
        "ttl.0.attribute_name",
        "expires",
    ),
    Case("kms_key", {"arn": KEY}, "queue.aws_sqs_queue.dead_letter", "kms_master_key_id", KEY),
    Case(
        "permissions_boundary",
        {"arn": BOUNDARY},
        "process.aws_iam_role.this",
        "permissions_boundary",
        BOUNDARY,
    ),
    Case("role_path", "/service/", "network.aws_iam_role.flow_logs", "path", "/service/"),
    Case("architecture", "x86_64", PROCESS, "architectures", ["x86_64"]),
    Case("log_level", "DEBUG", INGEST, "logging_config.0.application_log_level", "DEBUG"),
    Case(
        "log_retention_days",
        7,
        "process.aws_cloudwatch_log_group.this",
        "retention_in_days",
        7,
    ),
    Case("tracing_enabled", False, INGEST, "tracing_config.0.mode", "PassThrough"),
]

# What another case excludes has a plan of its own, in which it is all that is set.
ALONE = [
    Case(
        "queue_survived_outage_seconds",
        200_000,  # 995 deliveries, and five to spare, last as long if they are 202 s apart
        "queue.aws_sqs_queue.this",
        "visibility_timeout_seconds",
        202,
    ),
    Case(
        "table_ttl_enabled",
        False,
        "table.aws_dynamodb_table.this",
        "ttl.0.enabled",
        False,
        beside={"table_ttl_attribute": "expires"},
    ),
    Case("flow_logs_enabled", False, "network.aws_flow_log.this", "", None),
    Case(
        "ingest_snap_start_enabled",
        True,
        INGEST,
        "snap_start.0.apply_on",
        "PublishedVersions",
    ),
]


def plan(emulator: Emulator, work: Path, inputs: dict[str, Any]) -> dict[str, dict[str, Any]]:
    configuration = {
        "provider": {"aws": {}},
        "module": {"it": {"source": str(ROOT), **inputs}},
    }
    (work / "main.tf.json").write_text(json.dumps(configuration))
    terraform = Terraform(work, work, emulator.environment())
    terraform.init()
    return {
        address.removeprefix("module.it.").replace("module.", "").replace("[0]", ""): values
        for address, values in terraform.planned_resources().items()
    }


def at(values: Any, path: str) -> Any:
    for step in filter(None, path.split(".")):
        values = values[int(step)] if step.isdigit() else values.get(step)
    return values


@pytest.fixture(scope="module")
def planned(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Any:
    inputs = {case.input: case.value for case in CASES}
    return plan(emulator, tmp_path_factory.mktemp("inputs"), inputs)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.input)
def test_input(planned: dict[str, dict[str, Any]], case: Case) -> None:
    assert at(planned[case.address], case.path) == case.expected


@pytest.mark.parametrize("case", ALONE, ids=lambda case: case.input)
def test_input_alone(emulator: Emulator, tmp_path: Path, case: Case) -> None:
    planned = plan(emulator, tmp_path, {case.input: case.value, **case.beside})

    assert at(planned.get(case.address), case.path) == case.expected


def test_every_input_is_set_by_a_test() -> None:
    here = {case.input for case in CASES + ALONE} | INPUTS.keys()
    for file in [
        *(ROOT / "tests" / "terraform").glob("root.tftest.hcl"),
        *(ROOT / "examples").glob("*/main.tf"),
    ]:
        here |= set(re.findall(r"^\s+(\w+)\s+=", file.read_text(), re.MULTILINE))
    inputs = re.findall(r'^variable "(\w+)"', (ROOT / "variables.tf").read_text(), re.MULTILINE)

    assert [name for name in inputs if name not in here] == []


@pytest.mark.parametrize(
    "module", sorted(path.name for path in (ROOT / "modules").iterdir() if path.is_dir())
)
def test_every_input_of_a_module_is_set_by_its_tests(module: str) -> None:
    test = (ROOT / "tests" / "terraform" / f"{module}.tftest.hcl").read_text()
    variables = (ROOT / "modules" / module / "variables.tf").read_text()
    inputs = re.findall(r'^variable "(\w+)"', variables, re.MULTILINE)

    assert [name for name in inputs if not re.search(rf"\b{name}\s+= ", test)] == []
