"""Ingest and process together: nothing breaks, and values are stored unchanged."""

import functools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.engines import Engine
from local.events import Context, record, request
from process import handler as process
from shared import orders
from tests.support import engines
from tests.support.documents import exact, from_wire
from tests.support.fakes import FakeSqs
from tests.support.ingest import message_of
from tests.support.properties import examples
from tests.support.runtime import invoke
from tests.support.strategies import EVERYDAY_VALUES, NAMES, VALUES, numerals
from tests.support.versions import NUMBER, set_versions

pytestmark = pytest.mark.usefixtures("quick_calls")

KEYS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=5)
NESTED = st.builds(
    lambda levels, core: functools.reduce(lambda inner, _: [inner], range(levels), core),
    st.integers(29, 33),
    st.sampled_from([None, [], {}]),
)
ORDERS = st.builds(
    lambda order, order_id, item: order | {"order_id": order_id, "item": item},
    st.dictionaries(NAMES, EVERYDAY_VALUES, max_size=3),
    KEYS,
    KEYS,
)
# One attribute may be at a limit. With more of them, hardly any document would be accepted.
AMONG_FEW = [orders.Number(literal) for literal in ("1", "1.0", "10E-1", "2", "-2", "1E125")]
AT_A_LIMIT = st.builds(
    lambda orders, attribute: [*orders[:-1], orders[-1] | attribute],
    st.lists(ORDERS, min_size=1, max_size=3),
    st.builds(lambda name, value: {name: value}, NAMES, numerals() | numerals() | NESTED),
)
DOCUMENTS = AT_A_LIMIT | ORDERS | VALUES | st.lists(ORDERS | VALUES, max_size=3)


@pytest.fixture
def table(dynamodb_local: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """DynamoDB Local behind process."""
    dynamodb_local.create_table("orders", order_id="S", item="S")
    monkeypatch.setattr(process.WRITER, "_client", engines.functions_client(dynamodb_local))
    return dynamodb_local


def stored(table: Engine, message: dict[str, Any]) -> list[dict[str, Any]]:
    """Returns the items that process makes of a message in an empty table, without accepted_at."""
    delivery = record(message["MessageBody"], "m", 1)
    result = invoke(process.handle, {"Records": [delivery]})
    assert result.answer == {"batchItemFailures": []}
    assert result.metrics["DeadLettered"] == 0
    items = table.items("orders")
    for item in items:
        key = {name: item[name] for name in ("order_id", "item")}
        table.client.delete_item(TableName="orders", Key=key)
        assert item.pop("accepted_at") == {"N": "1"}
    return items


@examples(500)
@given(document=DOCUMENTS)
def test_whatever_is_accepted_is_stored_with_the_very_same_values(
    table: Engine, sqs: FakeSqs, document: Any
) -> None:
    message = message_of(request(orders.encode(document)), sqs)
    if message is None:
        return
    expected = document if isinstance(document, list) else [document]
    items = [from_wire({"M": item}) for item in stored(table, message)]

    def by_key(item: dict[str, Any]) -> tuple[str, str]:
        return item["order_id"], item["item"]

    assert sorted(items, key=by_key) == sorted(map(exact, expected), key=by_key)


@pytest.fixture
def versioned_table(table: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """The same with the number in "revision" as the version."""
    set_versions(monkeypatch, NUMBER, engines.functions_client(table))
    return table


@examples(150)
@given(
    revisions=st.lists(numerals() | st.sampled_from(AMONG_FEW), min_size=1, max_size=5),
    deliveries=st.lists(st.lists(st.integers(0, 4), min_size=1, max_size=4), max_size=4),
    last=st.permutations(range(5)),
)
def test_the_highest_version_stays_however_often_and_in_whatever_order_it_comes(
    versioned_table: Engine,
    sqs: FakeSqs,
    revisions: list[orders.Number],
    deliveries: list[list[int]],
    last: list[int],
) -> None:
    """Each order is delivered at last, after any batches, of the same order twice perhaps."""
    table = versioned_table
    records = []
    for number, revision in enumerate(revisions):
        order = {"order_id": "a", "item": "b", "n": orders.Number(number), "revision": revision}
        message = message_of(request(orders.encode(order)), sqs)
        if message is not None:
            records.append(
                (exact(revision), record(message["MessageBody"], str(number), number + 1))
            )
    if not records:
        return

    for batch in [*deliveries, *([index] for index in last)]:
        chosen = [records[index][1] for index in batch if index < len(records)]
        if chosen:
            result = invoke(process.handle, {"Records": chosen})
            assert result.answer == {"batchItemFailures": []}

    (item,) = table.items("orders")
    table.client.delete_item(TableName="orders", Key={n: item[n] for n in ("order_id", "item")})
    highest = max(revision for revision, _ in records)
    first = next(one for revision, one in records if revision == highest)
    assert item["accepted_at"]["N"] == first["messageAttributes"]["accepted_at"]["stringValue"]
    assert from_wire(item["revision"]) == from_wire(item[NUMBER.kept_in]) == highest


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
HEADER_NAMES = st.sampled_from(
    ["content-type", "Content-Type", "content-encoding", "x-amzn-trace-id", "x-request-id", "a"]
) | st.text(max_size=5)
HEADER_VALUES = (
    st.sampled_from(["application/json", "text/plain", "application/json; charset=", "gzip", ";"])
    | st.from_regex(r"application/(x\+)?json( ?; ?charset=\"?[a-z0-9-]*\"?)*", fullmatch=True)
    | st.from_regex(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}(;Sampled=[01])?.?", fullmatch=True)
    | st.text(max_size=9)
)


@examples(500)
@given(
    headers=st.dictionaries(HEADER_NAMES, HEADER_VALUES | ANYTHING, max_size=4),
    many=st.none() | st.dictionaries(HEADER_NAMES, st.lists(HEADER_VALUES) | ANYTHING, max_size=4),
    json_type=st.booleans(),
)
def test_any_headers_are_answered(sqs: FakeSqs, headers: Any, many: Any, json_type: bool) -> None:
    if json_type:
        headers = {name: value for name, value in headers.items() if name != "Content-Type"}
        headers |= {"content-type": "application/json", "content-encoding": "identity"}
    event = request(headers=headers) | ({} if many is None else {"multiValueHeaders": many})
    message = message_of(event, sqs)
    if message is not None and "MessageSystemAttributes" in message:
        trace = message["MessageSystemAttributes"]["AWSTraceHeader"]["StringValue"]
        assert trace.startswith("Root=1-")
        assert trace.isascii()
        assert trace.isprintable()


@examples(500)
@given(event=ANYTHING | st.dictionaries(st.sampled_from(list(request())), ANYTHING))
def test_any_event_is_answered(sqs: FakeSqs, event: Any) -> None:
    message_of(event, sqs)
    message_of(request() | event if isinstance(event, dict) else event, sqs)


@examples(500)
@given(
    records=st.lists(
        st.dictionaries(
            st.sampled_from(["body", "attributes", "messageAttributes", "other"]),
            ANYTHING | DOCUMENTS.map(orders.encode),
        ),
        max_size=4,
    ),
)
def test_any_records_are_answered(
    table: Engine, sqs: FakeSqs, records: list[dict[str, Any]]
) -> None:
    ids = [str(n) for n in range(len(records))]
    numbered = [one | {"messageId": n} for one, n in zip(records, ids, strict=True)]
    good = record({"order_id": "good", "item": "Kopi"}, "good", 1)

    answer = invoke(process.handle, {"Records": [*numbered, good]}, Context()).answer

    failed = [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
    assert set(failed) <= set(ids)
    assert {"order_id": {"S": "good"}, "item": {"S": "Kopi"}, "accepted_at": {"N": "1"}} in (
        table.items("orders")
    )
