"""The examples plan with what their pages ask for, and are billed for what their pages say."""

import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from local.emulator import ROOT
from tests.support.example_costs import EXAMPLES
from tests.terraform.planning import CHECKOUT, planned, refused

FOLDER = ROOT / "examples"
NEEDED: dict[str, dict[str, Any]] = {
    "complete": {
        "domain_name": "orders.example.com",
        "zone_id": "Z0123456789ABCDEFGHIJ",
        "access_logs_bucket": "my-access-logs",
        # The mocks are in another region than the examples.
        "availability_zones": [f"eu-central-1{letter}" for letter in "abc"],
    },
    "public": {
        "domain_name": "orders.example.com",
        "zone_id": "Z0123456789ABCDEFGHIJ",
        "access_logs_bucket": "my-access-logs",
        "clients_secret_arn": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:c-AbCdEf",
    },
}
Plan = dict[str, dict[str, Any]]


def files_of(name: str) -> dict[str, str]:
    return {
        str(path.relative_to(FOLDER / name)): path.read_text().replace("../..", CHECKOUT)
        for path in (FOLDER / name).rglob("*")
        if path.suffix in {".tf", ".py", ".json"}
    }


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Any:
    @cache
    def plan(name: str) -> Plan:
        return planned(tmp_path_factory.mktemp(name), files_of(name), NEEDED.get(name))

    return plan


def of(plan: Plan, kind: str, name: str = r"\w+") -> list[dict[str, Any]]:
    return [after for address, after in plan.items() if re.search(rf"\b{kind}\.{name}\b", address)]


def billed(plan: Plan) -> dict[str, Any]:
    """What a plan has of what is billed by the hour or the month."""
    balancers = of(plan, "aws_lb")
    acls = of(plan, "aws_wafv2_web_acl")
    endpoints = [
        one for one in of(plan, "aws_vpc_endpoint") if one["vpc_endpoint_type"] == "Interface"
    ]
    public = len(of(plan, "aws_subnet", "public")) * any(not one["internal"] for one in balancers)
    extras = Counter(
        key=len(of(plan, "aws_kms_key")),
        public_address=public,
        web_acl=len(acls),
        web_acl_rule=sum(len(one["rule"]) for one in acls),
    )
    return {
        "load balancers": len(balancers),
        "endpoints": len(endpoints),
        "zones": len(of(plan, "aws_subnet", "private")),
        "NAT gateways": len(of(plan, "aws_nat_gateway")),
        "has alarms": bool(of(plan, "aws_cloudwatch_metric_alarm")),
        "extras": dict(+extras),
    }


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_is_billed_for_what_its_page_counts(plan: Any, name: str) -> None:
    example = EXAMPLES[name]
    of_plan = ("key", "public_address", "web_acl", "web_acl_rule")
    settings = example.settings

    assert billed(plan(name)) == {
        "load balancers": 1,
        "endpoints": example.endpoints,
        "zones": settings.get("endpoint_zones", 2),
        "NAT gateways": 0,
        "has alarms": settings.get("observability_enabled", True),
        "extras": {one: count for one, count in example.extras.items() if one in of_plan},
    }


@pytest.mark.parametrize("name", EXAMPLES)
def test_its_functions_are_those_that_the_costs_assume(plan: Any, name: str) -> None:
    settings = EXAMPLES[name].settings
    [mapping] = of(plan(name), "aws_lambda_event_source_mapping")
    [scaling] = mapping["scaling_config"]

    assert {
        f"{one['function_name'].rsplit('-', 1)[-1]}_memory_size": one["memory_size"]
        for one in of(plan(name), "aws_lambda_function")
    } == {
        f"{function}_memory_size": settings.get(f"{function}_memory_size", 512)
        for function in ("ingest", "process")
    }
    assert mapping["batch_size"] == settings.get("process_batch_size", 10)
    assert scaling["maximum_concurrency"] == settings.get("process_maximum_concurrency", 5)


def test_there_is_a_page_with_a_picture_for_each() -> None:
    assert {path.parent.name for path in FOLDER.glob("*/main.tf")} == set(EXAMPLES)
    for name in EXAMPLES:
        assert "```mermaid\n" in Path(FOLDER / name / "README.md").read_text(), name


def test_academy_is_reached_from_inside_only(plan: Any) -> None:
    [balancer] = of(plan("academy"), "aws_lb")
    http = of(plan("academy"), "aws_vpc_security_group_ingress_rule")

    assert balancer["internal"]
    assert {one["cidr_ipv4"] for one in http if one["from_port"] == 80} == {"10.0.0.0/16"}


def test_academy_warns_of_plain_text_on_the_internet(tmp_path: Path) -> None:
    """The nightly tests apply it so."""
    [warning] = refused(tmp_path, files_of("academy"), {"client_cidr_blocks": ["203.0.113.7/32"]})

    assert "orders cross the internet in plain text" in warning


def test_academy_is_deleted_by_one_command(plan: Any) -> None:
    [balancer] = of(plan("academy"), "aws_lb")
    [table] = of(plan("academy"), "aws_dynamodb_table")

    assert not balancer["enable_deletion_protection"]
    assert not table["deletion_protection_enabled"]
