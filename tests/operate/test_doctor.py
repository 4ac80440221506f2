"""A few broken systems; `make operate` breaks them in every way of tests/operate/doctor.py."""

import pytest

from local.stack import Stack
from tests.operate import doctor

pytestmark = pytest.mark.stack

SELECTION = (
    "permission_of_the_load_balancer_missing",
    "mapping_disabled",
    "package_without_the_entry_point",
    "table_denied",
)


def test_doctor_finds_nothing_and_leaves_nothing_where_all_is_well(stack: Stack) -> None:
    rows = stack.dynamodb.scan(TableName=stack.outputs["table_name"], Select="COUNT")["Count"]

    document = doctor.run(stack)

    assert document["first_failed"] is None, document
    path = [one for one in document["findings"] if one["hop"] == "the whole path"]
    assert path[0]["what"].startswith("posted, and in the table after"), document
    after = stack.dynamodb.scan(TableName=stack.outputs["table_name"], Select="COUNT")["Count"]
    assert (after, stack.queued()) == (rows, 0)


def test_an_unreachable_load_balancer_is_bypassed(stack: Stack) -> None:
    document = doctor.run(stack, "--url", "http://127.0.0.1:9/lambda/api")

    states = {(one["hop"], one["state"]) for one in document["findings"]}
    assert ("load balancer", "unknown") in states
    assert ("the whole path", "ok") in states


@pytest.mark.parametrize("name", SELECTION)
def test_doctor_names_the_hop(stack: Stack, name: str) -> None:
    result = doctor.examine(stack, name)

    assert result.named == result.expected, result.said
