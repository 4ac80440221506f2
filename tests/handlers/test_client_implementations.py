"""The write path with either client, the functions' own and botocore, on either engine."""

import json
from typing import Any

import pytest

from local.engines import Engine
from process.writer import Writer
from shared.aws import CallError
from tests.support.writing import (
    ACCEPTED_AT,
    ENOUGH,
    PERMANENT_FAILURE,
    SUPERSEDED,
    TRANSIENT_FAILURE,
    WRITTEN,
    Table,
    entry,
)


@pytest.fixture(params=["dynamodb_local", "emulator"])
def engine(request: pytest.FixtureRequest) -> Engine:
    engine: Engine = request.getfixturevalue(request.param)
    return engine


@pytest.fixture(params=["builtin", "botocore"])
def implementation(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def table(engine: Engine, implementation: str, credentials: None) -> Table:
    return Table(engine, implementation, parallel_calls=8)


@pytest.fixture
def real(dynamodb_local: Engine, implementation: str, credentials: None) -> Table:
    """A table of DynamoDB Local, for what the emulator does not check."""
    return Table(dynamodb_local, implementation, parallel_calls=8)


def test_the_client_is_the_configured_one(table: Table, implementation: str) -> None:
    assert (type(table.client).__name__ == "BotocoreClient") == (implementation == "botocore")


def test_new_stored_and_older_orders_share_a_batch(table: Table) -> None:
    assert table.write(*[entry(key, 5) for key in "abc"]) == [WRITTEN] * 3

    batch = [entry("a", 6), entry("b", 4), entry("c", 5), entry("d", 1), entry("d", 2)]
    assert table.write(*batch) == [WRITTEN, SUPERSEDED, SUPERSEDED, SUPERSEDED, WRITTEN]

    assert table.accepted_at() == {"a": 6, "b": 5, "c": 5, "d": 2}


def test_a_hundred_orders_are_written_in_parallel(table: Table) -> None:
    keys = [f"key-{number}" for number in range(110)]

    assert table.write(*[entry(key, 1) for key in keys]) == [WRITTEN] * 110
    assert table.write(*[entry(key, 2) for key in keys]) == [WRITTEN] * 110

    assert table.accepted_at() == dict.fromkeys(keys, 2)


@pytest.mark.parametrize("count", [1, 2], ids=["put", "insert"])
def test_values_are_stored_unchanged(table: Table, count: int) -> None:
    attributes = {
        "it's": {"S": "é😀\0\"\\/\u2028 '"},
        "ü": {"N": "-1.2345678901234567890123456789012345678"},
        "list": {"L": [{"NULL": True}, {"BOOL": False}, {"M": {"a b": {"L": []}}}]},
    }
    entries = [entry("abc"[number], 1, **attributes) for number in range(count)]

    assert table.write(*entries) == [WRITTEN] * count

    assert all(item.items() >= attributes.items() for item in table.items().values())


@pytest.mark.parametrize(
    "attribute",
    [
        {"N": "1E400"},  # for which DynamoDB Local refuses the whole call
        {"S": "x" * 409_600},  # for which it refuses the statement
    ],
    ids=["number", "size"],
)
def test_an_order_that_is_refused_does_not_harm_its_neighbours(real: Table, attribute: Any) -> None:
    batch = [entry("a"), entry("bad", x=attribute), entry("c")]

    assert real.write(*batch) == [WRITTEN, PERMANENT_FAILURE, WRITTEN]

    assert real.accepted_at() == {"a": 1, "c": 1}


@pytest.mark.parametrize("count", [1, 2], ids=["put", "insert"])
def test_a_missing_table_is_a_transient_failure(table: Table, count: int) -> None:
    """Good orders must not be dead-lettered because of it."""
    lost = Writer(table.client, "none", ACCEPTED_AT, 8)

    assert (
        lost.write([entry("ab"[n], 1) for n in range(count)], ENOUGH) == [TRANSIENT_FAILURE] * count
    )


@pytest.mark.parametrize(
    ("operation", "parameters", "code"),
    [
        (
            "PutItem",
            {
                "TableName": "orders",
                "Item": {"order_id": {"S": "a"}, "item": {"S": "Kopi"}},
                "ConditionExpression": "attribute_exists(order_id)",
            },
            "ConditionalCheckFailedException",
        ),
        (
            "PutItem",
            {"TableName": "none", "Item": {"order_id": {"S": "a"}}},
            "ResourceNotFoundException",
        ),
        ("PutItem", {"TableName": "orders", "Item": {}}, "ValidationException"),
        (
            "BatchExecuteStatement",
            {"Statements": [{"Statement": "nonsense"}] * 26},
            "ValidationException",
        ),
    ],
    ids=["condition", "no table", "no key", "too many statements"],
)
def test_both_clients_report_the_same_error(
    real: Table, operation: str, parameters: dict[str, Any], code: str
) -> None:
    with pytest.raises(CallError) as error:
        real.client.call(operation, json.dumps(parameters), ENOUGH)

    assert (error.value.code, error.value.status) == (code, 400)
    assert error.value.request_id
    assert not error.value.is_transient
