"""The fake of DynamoDB behaves as DynamoDB Local does."""

import json

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from local.engines import Engine
from process import writer
from process.messages import Entry
from shared.aws import CallError
from tests.support.properties import examples
from tests.support.writing import ENOUGH, Table, entry

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
