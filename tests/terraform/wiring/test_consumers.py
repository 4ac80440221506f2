"""Consumers' configurations plan as they should; consumers.tftest.hcl has the plans."""

import pytest

from tests.terraform.wiring.names import Actions


@pytest.mark.parametrize(
    "module",
    [
        f"{origin}_{what}"
        for origin in ("secret", "unknown")
        for what in ("around_it", "below_it", "network")
    ],
)
def test_provided_values_may_be_sensitive_or_created_by_the_same_apply(
    plans: dict[str, Actions], module: str
) -> None:
    mine = {
        address: actions
        for address, actions in plans["provided"].items()
        if address.startswith(f"module.{module}.")
    }

    assert mine[f"module.{module}.aws_lambda_event_source_mapping.process"] == ["create"]


# Attributes that depend on a deferred data source, and that AWS changes in place. A mocked provider
# does not know which attributes force a replacement.
IN_PLACE = {
    "aws_iam_role": {"assume_role_policy"},
    "aws_iam_role_policy": {"policy"},
    "aws_lambda_function": {"environment", "filename", "source_code_hash"},
    "aws_route_table": {"tags"},
    "aws_sqs_queue": {"policy", "redrive_allow_policy"},
    "aws_subnet": {"tags"},
    "aws_vpc_endpoint_policy": {"policy"},
}


def test_depends_on_replaces_nothing(plans: dict[str, Actions]) -> None:
    again = dict(plans["deferred_again"])

    assert again.pop("terraform_data.before") == ["input", "output"]
    resources = {address: done for address, done in again.items() if ".data." not in address}
    assert len(resources) > 100
    assert {
        address: done
        for address, done in resources.items()
        if not set(done) <= IN_PLACE.get(address.split(".")[-2], set())
    } == {}
