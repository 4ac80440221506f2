"""The fake of DynamoDB behaves as DynamoDB Local does."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from local.engines import Engine
from process import writer
from process.messages import Entry
from shared.aws import CallError
from tests.support.documents import from_wire
from tests.support.properties import examples
from tests.support.writing import ACCEPTED_AT, ENOUGH, VERSION, Table, entry, versioned_entry

pytestmark = pytest.mark.usefixtures("quick_calls")


@pytest.fixture
def real(dynamodb_local: Engine) -> Table:
    """A table of DynamoDB Local."""
    return Table(dynamodb_local)


@pytest.fixture
def fake() -> Table:
    return Table()


ENTRIES = st.builds(
    entry, st.sampled_from("abc"), st.integers(1, 6), x=st.sampled_from([{"S": "x"}, {"N": "1"}])
)
LONG = st.builds(lambda one: one._replace(item=one.item | {"x" * 8192: '{"NULL":true}'}), ENTRIES)


@examples(60)
@given(batches=st.lists(st.lists(ENTRIES | LONG, min_size=1, max_size=6), min_size=1, max_size=6))
def test_the_fake_does_what_dynamodb_does(
    dynamodb_local: Engine, batches: list[list[Entry]]
) -> None:
    real, fake = Table(dynamodb_local), Table()
    for batch in batches:
        assert fake.write(*batch) == real.write(*batch)
        assert fake.items() == real.items()


LITERALS = st.none() | st.sampled_from(
    ["1", "1.0", "10E-1", "-2", "1E125", "9" * 37 + "8", "9" * 38]
)
VERSIONED = st.builds(versioned_entry, st.sampled_from("ab"), st.integers(1, 3), LITERALS)
# As another writer may have left it, or another setting.
FOREIGN = st.fixed_dictionaries(
    {},
    optional={
        ACCEPTED_AT: st.sampled_from([{"N": "2"}, {"S": "9"}, {"NULL": True}]),
        VERSION: st.sampled_from([{"N": "1"}, {"S": "9"}, {"M": {}}]),
    },
)


@examples(100)
@given(
    foreign=st.none() | FOREIGN,
    batches=st.lists(st.lists(VERSIONED, min_size=1, max_size=4), min_size=1, max_size=6),
)
def test_the_fake_compares_versions_as_dynamodb_does(
    dynamodb_local: Engine, foreign: dict[str, Any] | None, batches: list[list[Entry]]
) -> None:
    real, fake = Table(dynamodb_local, has_versions=True), Table(has_versions=True)
    if foreign is not None:
        row = {"order_id": {"S": "a"}, "item": {"S": "Kopi"}, **foreign}
        real.put(row)
        fake.fake.table["a", "Kopi"] = row
    for batch in batches:
        assert fake.write(*batch) == real.write(*batch)
        assert exactly(fake.items()) == exactly(real.items())


def exactly(items: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Returns items without the notation of their numbers, which DynamoDB does not keep."""
    return {key: from_wire({"M": item}) for key, item in items.items()}


@pytest.mark.parametrize("keys", ["aa", "abcdefghijklmnopqrstuvwxyz"])
def test_the_fake_refuses_a_call_as_dynamodb_does(
    dynamodb_local: Engine, real: Table, fake: Table, keys: str
) -> None:
    # The writer never makes such a call. DynamoDB Local may have written part of it.
    statement = json.loads(writer._insert_statement("orders", ("order_id", "item")) or "")
    statements = [
        {"Statement": statement, "Parameters": [{"S": key}, {"S": "Kopi"}]} for key in keys
    ]
    with pytest.raises(ClientError, match="ValidationException"):
        dynamodb_local.client.batch_execute_statement(Statements=statements)
    with pytest.raises(CallError, match="ValidationException"):
        fake.fake.call("BatchExecuteStatement", json.dumps({"Statements": statements}), ENOUGH)
