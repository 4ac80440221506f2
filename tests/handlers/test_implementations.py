"""The write path by either client: the functions' own, and botocore. Both meet both engines."""

import json
from typing import Any

import pytest

from local.engines import Engine
from process.messages import Entry, Outcome
from process.writer import Writer
from shared.aws import CallError, Deadline
from tests.support import engines

WRITTEN, SUPERSEDED, TRANSIENT_FAILURE, PERMANENT_FAILURE = Outcome
ENOUGH = Deadline(lambda: 30.0)


class Table:
    def __init__(self, engine: Engine, implementation: str) -> None:
        self.client = engines.functions_client(engine, implementation=implementation)
        self._engine = engine
        engine.create_table("orders", order_id="S", item="S")
        self._writer = Writer(self.client, "orders", "accepted_at", 8)

    def write(self, *entries: Entry) -> list[Outcome]:
        return self._writer.write(entries, ENOUGH)

    def stamps(self) -> dict[str, int]:
        return {item["order_id"]["S"]: int(item["accepted_at"]["N"]) for item in self.items()}

    def items(self) -> list[dict[str, Any]]:
        return self._engine.items("orders")


def entry(key: str, stamp: int, **attributes: Any) -> Entry:
    item = {"order_id": {"S": key}, "item": {"S": "Kopi"}, "accepted_at": {"N": str(stamp)}}
    wire = {name: json.dumps(value) for name, value in (item | attributes).items()}
    return Entry((key, "Kopi"), stamp, wire)


@pytest.fixture(params=["dynamodb_local", "emulator"])
def engine(request: pytest.FixtureRequest) -> Engine:
    engine: Engine = request.getfixturevalue(request.param)
    return engine


@pytest.fixture(params=["builtin", "botocore"])
def implementation(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def table(engine: Engine, implementation: str, credentials: None) -> Table:
    return Table(engine, implementation)


@pytest.fixture
def real(dynamodb_local: Engine, implementation: str, credentials: None) -> Table:
    """For what the emulator does not check."""
    return Table(dynamodb_local, implementation)


def test_it_is_the_implementation_that_was_asked_for(table: Table, implementation: str) -> None:
    assert (type(table.client).__name__ == "BotocoreClient") == (implementation == "botocore")


def test_new_stored_and_stale_orders_in_one_batch(table: Table) -> None:
    assert table.write(*[entry(key, 5) for key in "abc"]) == [WRITTEN] * 3

    batch = [entry("a", 6), entry("b", 4), entry("c", 5), entry("d", 1), entry("d", 2)]
    assert table.write(*batch) == [WRITTEN, SUPERSEDED, SUPERSEDED, SUPERSEDED, WRITTEN]

    assert table.stamps() == {"a": 6, "b": 5, "c": 5, "d": 2}


def test_a_hundred_orders_side_by_side_new_and_then_known(table: Table) -> None:
    keys = [f"key-{number}" for number in range(110)]

    assert table.write(*[entry(key, 1) for key in keys]) == [WRITTEN] * 110
    assert table.write(*[entry(key, 2) for key in keys]) == [WRITTEN] * 110

    assert table.stamps() == dict.fromkeys(keys, 2)


@pytest.mark.parametrize("count", [1, 2], ids=["put", "insert"])
def test_values_arrive_as_they_were_sent(table: Table, count: int) -> None:
    attributes = {
        "it's": {"S": "é😀\0\"\\/\u2028 '"},
        "ü": {"N": "-1.2345678901234567890123456789012345678"},
        "list": {"L": [{"NULL": True}, {"BOOL": False}, {"M": {"a b": {"L": []}}}]},
    }
    entries = [entry("abc"[number], 1, **attributes) for number in range(count)]

    assert table.write(*entries) == [WRITTEN] * count

    assert all(item.items() >= attributes.items() for item in table.items())


def test_an_order_that_is_refused_does_not_harm_its_neighbours(real: Table) -> None:
    batch = [entry("a", 1), entry("bad", 1, n={"N": "1E400"}), entry("c", 1)]

    assert real.write(*batch) == [WRITTEN, PERMANENT_FAILURE, WRITTEN]

    assert real.stamps() == {"a": 1, "c": 1}


@pytest.mark.parametrize("count", [1, 2], ids=["put", "insert"])
def test_without_its_table_everything_fails_and_nothing_is_refused(
    table: Table, count: int
) -> None:
    """Good orders must not go to the dead-letter queue for it."""
    lost = Writer(table.client, "none", "accepted_at", 8)

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
def test_errors_have_the_same_names(
    real: Table, operation: str, parameters: dict[str, Any], code: str
) -> None:
    with pytest.raises(CallError) as error:
        real.client.call(operation, json.dumps(parameters), ENOUGH)

    assert (error.value.code, error.value.status) == (code, 400)
    assert error.value.request_id
    assert not error.value.is_transient
