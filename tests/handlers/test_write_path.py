"""The write path: the newest order of each key wins, and each failure stays where it belongs."""

import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Self
from unittest.mock import Mock

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from local.engines import Engine
from process import writer
from process.messages import Entry, Outcome
from process.writer import Writer
from shared.aws import CallError, Deadline
from tests.support import engines
from tests.support.fakes import FakeDynamoDB
from tests.support.properties import examples

pytestmark = pytest.mark.usefixtures("quick_calls")

WRITTEN, SUPERSEDED, TRANSIENT_FAILURE, PERMANENT_FAILURE = Outcome
STAMP = "it's ü stamp"  # nothing that could stand unquoted


def entry(key: str, stamp: int, **attributes: Any) -> Entry:
    item = {"order_id": {"S": key}, "item": {"S": "Kopi"}, **attributes}
    return Entry((key, "Kopi"), stamp, wire(item | {STAMP: {"N": str(stamp)}}))


def wire(item: dict[str, Any]) -> dict[str, str]:
    return {name: json.dumps(value) for name, value in item.items()}


def item_of(entry: Entry) -> dict[str, Any]:
    return {name: json.loads(value) for name, value in entry.item.items()}


ENOUGH = Deadline(lambda: 30)


class Table:
    """A table of an engine, or a fake one, with a writer for it."""

    def __init__(self, engine: Engine | None = None) -> None:
        self.fake = FakeDynamoDB()
        self._engine = engine
        if engine:
            engine.create_table("orders", order_id="S", item="S")
        client: Any = self.fake
        if engine:
            client = engines.functions_client(engine)
        self._writer = Writer(client, "orders", STAMP, parallel_calls=1)

    def write(self, *entries: Entry, deadline: Deadline = ENOUGH) -> Sequence[Outcome]:
        return self._writer.write(entries, deadline)

    def without_put_item(self) -> Self:
        """What a statement does wrong would be mended by PutItem, and not be seen."""
        self._writer._put = Mock(side_effect=AssertionError)  # type: ignore[method-assign]
        return self

    def put(self, item: dict[str, Any]) -> None:
        assert self._engine
        self._engine.client.put_item(TableName="orders", Item=item)

    def items(self) -> dict[str, dict[str, Any]]:
        items = self._engine.items("orders") if self._engine else list(self.fake.table.values())
        return {item["order_id"]["S"]: item for item in items}

    def stamps(self) -> dict[str, int]:
        return {key: int(item[STAMP]["N"]) for key, item in self.items().items()}


@pytest.fixture(params=["dynamodb_local", "emulator"])
def table(request: pytest.FixtureRequest) -> Table:
    return Table(request.getfixturevalue(request.param))


@pytest.fixture
def real(dynamodb_local: Engine) -> Table:
    """For what the emulator does not check."""
    return Table(dynamodb_local)


@pytest.fixture
def fake() -> Table:
    return Table()


# The newest wins


def test_new_orders_are_written(table: Table) -> None:
    assert table.write(entry("a", 5), entry("b", 5)) == [WRITTEN, WRITTEN]
    assert table.items() == {"a": item_of(entry("a", 5)), "b": item_of(entry("b", 5))}


def test_later_orders_overwrite_and_earlier_ones_do_not(table: Table) -> None:
    table.write(entry("same", 5), entry("newer", 5), entry("older", 5))

    outcomes = table.write(entry("same", 5), entry("newer", 6), entry("older", 4), entry("new", 1))

    assert outcomes == [SUPERSEDED, WRITTEN, SUPERSEDED, WRITTEN]
    assert table.stamps() == {"same": 5, "newer": 6, "older": 5, "new": 1}


@pytest.mark.parametrize("stamps", list(itertools.permutations([7, 8, 9])))
def test_within_a_batch_the_newest_wins(table: Table, stamps: tuple[int, ...]) -> None:
    outcomes = table.write(*[entry("a", stamp) for stamp in stamps])

    assert outcomes == [WRITTEN if stamp == 9 else SUPERSEDED for stamp in stamps]
    assert table.stamps() == {"a": 9}


def test_of_two_with_the_same_stamp_the_first_wins(table: Table) -> None:
    outcomes = table.write(entry("a", 7, n={"N": "1"}), entry("a", 7, n={"N": "2"}))

    assert outcomes == [WRITTEN, SUPERSEDED]
    assert table.items()["a"]["n"] == {"N": "1"}


@pytest.fixture(params=["dynamodb_local", "emulator", "in_moto"])
def by_put_item(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Table]:
    """A table to which everything is written by PutItem, which moto can do as well."""
    monkeypatch.setattr(writer, "MAX_STATEMENT_BYTES", 0)
    writer._insert_statement.cache_clear()
    yield Table(request.getfixturevalue(request.param))
    writer._insert_statement.cache_clear()


@pytest.mark.parametrize(
    ("stored", "outcome"),
    [
        (None, WRITTEN),
        ({"N": "4"}, WRITTEN),
        ({"N": "5"}, SUPERSEDED),
        ({"N": "6"}, SUPERSEDED),
        ({"N": "10"}, SUPERSEDED),
    ],
)
def test_put_item_has_the_last_word(by_put_item: Table, stored: Any, outcome: Outcome) -> None:
    if stored:
        by_put_item.put(item_of(entry("a", 0)) | {STAMP: stored})

    assert by_put_item.write(entry("a", 5)) == [outcome]

    expected = {"N": "5"} if outcome is WRITTEN else stored
    assert by_put_item.items()["a"][STAMP] == expected


# Not in moto, which compares a string with a number.
@pytest.mark.parametrize("foreign", [{}, {STAMP: {"S": "zzz"}}, {STAMP: {"NULL": True}}])
def test_an_item_that_somebody_else_has_written_counts_as_older(
    table: Table, foreign: dict[str, Any]
) -> None:
    table.put({"order_id": {"S": "a"}, "item": {"S": "Kopi"}, **foreign})

    assert table.write(entry("a", 5)) == [WRITTEN]

    assert table.stamps() == {"a": 5}


# What a statement can hold

NAMES = [
    *("it's", "''", "'", "\\'", '"', "`", "a b", "select", "VALUE", "ü漢😀", "\u202e", "\0\n"),
    *("?", ":a", "#a", "a.b", "a[0]", "{", "}", "':?}", "a,b", "--", "/*", ";", "$.a", "x" * 255),
    "x':?} ; DELETE FROM \"orders\" WHERE order_id='sentinel' --",
]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_goes_through_unharmed(table: Table, name: str) -> None:
    one = entry("a", 5, **{name: {"S": name}, f"{name}2": {"M": {name: {"L": [{"S": name}]}}}})

    outcomes = table.without_put_item().write(one, entry("sentinel", 1))

    assert outcomes == [WRITTEN, WRITTEN]
    assert table.items() == {"a": item_of(one), "sentinel": item_of(entry("sentinel", 1))}


TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=10) | st.sampled_from(NAMES)


@examples(150)
@given(attributes=st.dictionaries(TEXT, st.builds(lambda text: {"S": text}, TEXT), max_size=6))
def test_nothing_in_a_name_or_value_alters_a_statement(
    dynamodb_local: Engine, attributes: dict[str, Any]
) -> None:
    real = Table(dynamodb_local).without_put_item()
    one = entry("a", 5, **attributes)

    assert real.write(one, entry("sentinel", 1)) == [WRITTEN, WRITTEN]

    assert real.items() == {"a": item_of(one), "sentinel": item_of(entry("sentinel", 1))}


@pytest.mark.parametrize("character", ["x", "é", "'"])
@pytest.mark.parametrize("excess", [-1, 0, 1, 2])
def test_a_statement_that_would_be_too_long_is_put(
    real: Table, character: str, excess: int
) -> None:
    quoted = writer._insert_statement("orders", (*entry("a", 1).item, "x")) or ""
    statement = json.loads(quoted)
    # A quote is doubled, and the other takes two bytes.
    whole, rest = divmod(8192 + excess - len(statement.encode()) + 1, 1 + (character != "x"))
    name = character * whole + "x" * rest
    assert bool(writer._insert_statement("orders", (*entry("a", 1).item, name))) == (excess <= 0)

    outcomes = real.write(entry("long", 1, **{name: {"S": ""}}), entry("short", 1))

    assert outcomes == [WRITTEN, WRITTEN]
    assert set(real.items()) == {"long", "short"}


@pytest.mark.parametrize(
    "attribute",
    [
        {"N": "1E400"},  # for which DynamoDB Local refuses the whole call
        {"S": "x" * 409_600},  # for which it refuses the statement
    ],
    ids=["number", "size"],
)
def test_an_item_that_dynamodb_refuses_does_not_harm_its_neighbours(
    real: Table, attribute: Any
) -> None:
    batch = [entry("before", 1), entry("bad", 1, x=attribute), entry("after", 1)]

    assert real.write(*batch) == [WRITTEN, PERMANENT_FAILURE, WRITTEN]

    assert set(real.items()) == {"before", "after"}


# How many requests it takes


@pytest.mark.parametrize(
    ("count", "calls"),
    [
        (0, []),
        (1, ["put"]),
        (2, ["insert 2"]),
        (10, ["insert 10"]),
        (25, ["insert 25"]),
        (26, ["insert 25", "put"]),
        (27, ["insert 25", "insert 2"]),
        (100, ["insert 25"] * 4),
    ],
)
def test_new_orders_take_a_request_for_each_25(fake: Table, count: int, calls: list[str]) -> None:
    assert fake.write(*[entry(str(n), 1) for n in range(count)]) == [WRITTEN] * count
    assert fake.fake.calls == calls


def test_only_keys_that_exist_take_a_request_of_their_own(fake: Table) -> None:
    fake.write(entry("a", 1), entry("b", 1))
    fake.fake.calls.clear()

    fake.write(entry("a", 2), entry("c", 1), entry("b", 2), entry("a", 3))

    assert fake.fake.calls == ["insert 3", "put", "put"]


# Failures

THROTTLED_STATEMENT_CODES = [
    *("ProvisionedThroughputExceeded", "ThrottlingError", "RequestLimitExceeded"),
]
TRANSIENT_STATEMENT_CODES = [
    *("InternalServerError", "TransactionConflict", "ResourceNotFound", "AccessDenied"),
    *("ItemCollectionSizeLimitExceeded", "ConditionalCheckFailed", "SomethingNew"),
]
THROTTLED_CALL_CODES = [
    *("ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"),
]
TRANSIENT_CALL_CODES = [
    *("InternalServerError", "500", "lost"),
    *("AccessDeniedException", "ExpiredTokenException", "ResourceNotFoundException"),
]
# Of the request, so that another form of it may succeed; a put that meets them fails.
REQUEST_CODES = ["ItemCollectionSizeLimitExceededException", "SerializationException", "413"]


def planned(*codes: str) -> Callable[[str], str]:
    """What happens to the calls, or to the statements, one after another; then all is well."""
    rest = iter(codes)
    return lambda _: next(rest, "ok")


def only(kind: str, *codes: str) -> Callable[[str], str]:
    plan = planned(*codes)
    return lambda what: plan(what) if what == kind else "ok"


@pytest.mark.parametrize("code", TRANSIENT_STATEMENT_CODES)
def test_a_statement_that_fails_fails_alone(fake: Table, code: str) -> None:
    fake.fake.plan = only("statement", "ok", code, "ok")

    assert fake.write(entry("a", 1), entry("b", 1), entry("c", 1)) == [
        WRITTEN,
        TRANSIENT_FAILURE,
        WRITTEN,
    ]

    assert fake.fake.calls == ["insert 3"]
    assert set(fake.items()) == {"a", "c"}


@pytest.mark.parametrize("code", THROTTLED_STATEMENT_CODES)
def test_a_throttled_statement_is_repeated_alone(fake: Table, code: str) -> None:
    fake.fake.plan = only("statement", "ok", code, "ok", code, "ok")

    assert fake.write(entry("a", 1), entry("b", 1), entry("c", 1)) == [WRITTEN] * 3

    assert fake.fake.calls == ["insert 3", "insert 1", "insert 1"]


@pytest.mark.parametrize("code", THROTTLED_CALL_CODES)
def test_a_throttled_call_is_repeated(fake: Table, code: str) -> None:
    fake.write(entry("a", 1), entry("b", 1))
    fake.fake.calls.clear()
    fake.fake.plan = only("call", code, "ok", code, code, "ok", "ok")

    assert fake.write(entry("a", 2), entry("b", 2)) == [WRITTEN] * 2

    assert fake.fake.calls == ["insert 2", "insert 2", "put", "put", "put", "put"]


@pytest.mark.parametrize("keys", [["a", "b"], ["a"]])
def test_throttling_is_waited_for_while_half_of_the_time_is_left(
    fake: Table, keys: list[str]
) -> None:
    fake.fake.plan = lambda _: "ThrottlingException"
    deadline = Deadline(lambda: 30 - 2 * len(fake.fake.calls))

    assert fake.write(*[entry(key, 1) for key in keys], deadline=deadline) == [
        TRANSIENT_FAILURE
    ] * len(keys)

    assert 6 <= len(fake.fake.calls) <= 8


@pytest.mark.parametrize("code", TRANSIENT_CALL_CODES)
def test_a_call_that_fails_fails_its_own_25(fake: Table, code: str) -> None:
    fake.fake.plan = only("call", code)

    outcomes = fake.write(*[entry(str(n), 1) for n in range(26)])

    assert outcomes == [TRANSIENT_FAILURE] * 25 + [WRITTEN]


@pytest.mark.parametrize("code", [*TRANSIENT_CALL_CODES, *REQUEST_CODES])
def test_a_put_that_fails_fails_alone(fake: Table, code: str) -> None:
    fake.write(entry("a", 1), entry("b", 1))
    fake.fake.plan = only("call", "ok", code)

    assert fake.write(entry("a", 2), entry("b", 2)) == [TRANSIENT_FAILURE, WRITTEN]


@pytest.mark.parametrize("code", ["ValidationException", *REQUEST_CODES])
def test_a_call_that_is_refused_is_split(fake: Table, code: str) -> None:
    fake.fake.plan = only("call", code)

    assert fake.write(entry("a", 1), entry("b", 1)) == [WRITTEN, WRITTEN]
    assert fake.fake.calls == ["insert 2", "put", "put"]


@pytest.mark.parametrize("answer", [{}, {"Responses": []}, {"Responses": [{}, {}, {}]}, None])
def test_a_nonsensical_answer_is_a_failure(fake: Table, answer: Any) -> None:
    fake.fake.call = lambda *_: answer  # type: ignore[method-assign]

    assert fake.write(entry("a", 1), entry("b", 1)) == [TRANSIENT_FAILURE, TRANSIENT_FAILURE]


def test_what_was_written_without_an_answer_is_superseded_by_itself(fake: Table) -> None:
    fake.fake.plan = only("call", "lost")
    assert fake.write(entry("a", 1)) == [TRANSIENT_FAILURE]

    assert fake.write(entry("a", 1)) == [SUPERSEDED]


def test_an_older_order_fails_with_the_newest(fake: Table) -> None:
    fake.fake.plan = only("call", "InternalServerError")

    assert fake.write(entry("a", 1), entry("a", 3), entry("a", 2)) == [TRANSIENT_FAILURE] * 3
    assert fake.items() == {}


def test_if_the_newest_is_refused_the_next_is_tried(fake: Table) -> None:
    fake.fake.refuses = lambda item: item[STAMP]["N"] in ("3", "4")

    outcomes = fake.write(entry("a", 1), *[entry("a", n) for n in (3, 2, 4)], entry("b", 4))

    assert outcomes == [
        SUPERSEDED,
        PERMANENT_FAILURE,
        WRITTEN,
        PERMANENT_FAILURE,
        PERMANENT_FAILURE,
    ]
    assert fake.stamps() == {"a": 2}


@pytest.mark.parametrize("calls", [0, 1, 2, 3, 4])
def test_when_time_is_up_the_rest_fails_untouched(fake: Table, calls: int) -> None:
    fake.write(entry("0", 1), entry("1", 1))
    fake.fake.calls.clear()
    deadline = Deadline(lambda: 30 if len(fake.fake.calls) < calls else 0)

    outcomes = fake.write(*[entry(str(n), 2) for n in range(26)], deadline=deadline)

    # Insert 25, put the two that exist, put the last.
    assert len(fake.fake.calls) == calls
    puts = [
        WRITTEN if calls > 1 else TRANSIENT_FAILURE,
        WRITTEN if calls > 2 else TRANSIENT_FAILURE,
    ]
    inserts = [WRITTEN if calls > 0 else TRANSIENT_FAILURE] * 23
    assert outcomes == puts + inserts + [WRITTEN if calls > 3 else TRANSIENT_FAILURE]


# The fake is as good as the engine

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
    # The writer never makes such a call. DynamoDB Local may have written a part of it.
    statement = json.loads(writer._insert_statement("orders", ("order_id", "item")) or "")
    statements = [
        {"Statement": statement, "Parameters": [{"S": key}, {"S": "Kopi"}]} for key in keys
    ]
    with pytest.raises(ClientError, match="ValidationException"):
        dynamodb_local.client.batch_execute_statement(Statements=statements)
    with pytest.raises(CallError, match="ValidationException"):
        fake.fake.call("BatchExecuteStatement", json.dumps({"Statements": statements}), ENOUGH)
