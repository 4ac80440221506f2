"""order_version_attribute: the producer decides which order of a key is the newest."""

import itertools
import json
from fractions import Fraction
from typing import Any

import pytest

from ingest import handler as ingest
from local.events import attribute, record, request
from process import handler
from shared import orders
from tests.support.fakes import FakeDynamoDB, FakeSqs
from tests.support.process import counts, failures, order, process
from tests.support.runtime import invoke
from tests.support.versions import NUMBER, TIME, set_versions

pytestmark = pytest.mark.usefixtures("quick_calls")

FROM_INGEST = {"request_id": attribute("r")}


@pytest.fixture(autouse=True)
def _numbers(sqs: FakeSqs, dynamodb: FakeDynamoDB, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both functions as with a version that is the number in "revision"."""
    set_versions(monkeypatch, NUMBER, dynamodb)


@pytest.fixture
def times(dynamodb: FakeDynamoDB, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both functions as with a version that is the time in "updated_at"."""
    set_versions(monkeypatch, TIME, dynamodb)


def post(body: str) -> tuple[int, dict[str, Any]]:
    answer = invoke(ingest.handle, request(body)).answer
    return answer["statusCode"], json.loads(answer["body"])


def body(literal: str | None, name: str = "revision", order_id: str = "1") -> str:
    member = "" if literal is None else f',"{name}":{literal}'
    return f'{{"order_id":"{order_id}","item":"Kopi"{member}}}'


def delivered(text: str, accepted_at: int, message_id: str = "m", *, by_ingest: bool = True) -> Any:
    one = record(text, message_id, accepted_at)
    one["messageAttributes"] |= FROM_INGEST if by_ingest else {}
    return one


# Ingest


@pytest.mark.parametrize(
    "literal", ["1", "-1.50", "0", "-0", "0E999", "1E125", "1E-130", "9" * 38, "1" + "0" * 120]
)
def test_a_number_that_can_be_stored_is_accepted_as_sent(sqs: FakeSqs, literal: str) -> None:
    assert post(body(literal))[0] == 202
    assert sqs.sent[0]["MessageBody"] == body(literal)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-26T10:00:00Z",
        "2026-11-26T10:00Z",
        "2026-11-26T10:00:00+00:00",
        "2026-11-26T10:00:00.1Z",
        "2026-11-26T10:00:00.123456789Z",
        "2026-11-26T10:00:00.120000+00:00",
        "2024-02-29T00:00:00Z",
        "2000-02-29T23:59:59Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999999Z",
    ],
)
@pytest.mark.usefixtures("times")
def test_a_time_in_utc_is_accepted_as_sent(sqs: FakeSqs, text: str) -> None:
    sent = body(f'"{text}"', "updated_at")
    assert post(sent)[0] == 202
    assert sqs.sent[0]["MessageBody"] == sent


MISSING = "is missing: it is the order's version"
NOT_A_NUMBER = "must be a number: it is the order's version"
NOT_A_TIME = (
    'must be a date and time in UTC, such as "2026-11-26T10:00:00.123Z", with at most 9 digits '
    "after the seconds: it is the order's version"
)


def faults(text: str) -> list[tuple[str | None, str]]:
    status, problem = post(text)
    assert (status, problem["type"]) == (400, "urn:async-ingest:problem:invalid-order")
    return [(error.get("attribute"), error["detail"]) for error in problem["errors"]]


@pytest.mark.parametrize(
    ("literal", "fault"),
    [
        (None, MISSING),
        *((each, NOT_A_NUMBER) for each in ('"1"', "true", "null", "[1]", '{"N":"1"}', '""')),
        ('"2026-11-26T10:00:00Z"', NOT_A_NUMBER),
    ],
)
def test_a_version_that_is_no_number_is_refused(
    sqs: FakeSqs, literal: str | None, fault: str
) -> None:
    assert faults(body(literal)) == [("revision", fault)]
    assert sqs.sent == []


@pytest.mark.parametrize("literal", ["9" * 39, "1E126", "1E-131", "1E999999999999"])
def test_a_number_that_cannot_be_stored_has_one_fault(literal: str) -> None:
    ((name, detail),) = faults(body(literal))
    assert name == "revision"
    assert detail.startswith("has a number")


@pytest.mark.parametrize(
    "literal",
    [
        *("1", "true", "null", "[]", '""', '"now"', '" 2026-11-26T10:00:00Z"'),
        *('"2026-11-26T10:00:00Z\\n"', '"2026-11-26t10:00:00z"', '"2026-11-26 10:00:00Z"'),
        *('"2026-11-26T10:00:00"', '"2026-11-26"', '"2026-11-26T10Z"', '"20261126T100000Z"'),
        *('"2026-11-26T10:00:00+01:00"', '"2026-11-26T10:00:00-00:00"'),
        *('"2026-11-26T10:00:00+0000"', '"2026-11-26T10:00:00+00"'),
        *('"2026-11-26T10:00:00.1234567890Z"', '"2026-11-26T10:00:00.Z"'),
        *('"2026-11-26T10:00:00,5Z"', '"2026-11-26T10:00.5Z"'),
        *('"2026-11-26T23:59:60Z"', '"2026-11-26T24:00:00Z"', '"2026-11-26T10:60:00Z"'),
        *('"2026-02-29T10:00:00Z"', '"2100-02-29T10:00:00Z"', '"2026-04-31T10:00:00Z"'),
        *('"2026-00-10T10:00:00Z"', '"2026-13-10T10:00:00Z"', '"2026-10-00T10:00:00Z"'),
        *('"0000-01-01T00:00:00Z"', '"12026-11-26T10:00:00Z"', '"-2026-11-26T10:00:00Z"'),
        '"\\u0662026-11-26T10:00:00Z"',
        '"2026-11-26T10:00:00Z2026-11-26T10:00:00Z"',
        f'"{"2" * 10_000}"',
    ],
)
@pytest.mark.usefixtures("times")
def test_a_version_that_is_no_time_in_utc_is_refused(sqs: FakeSqs, literal: str) -> None:
    assert faults(body(literal, "updated_at")) == [("updated_at", NOT_A_TIME)]
    assert sqs.sent == []


@pytest.mark.usefixtures("times")
def test_a_refusal_shows_no_value() -> None:
    status, problem = post(body('"1999-02-03T04:05:06+07:00"', "updated_at"))

    assert status == 400
    assert "1999" not in json.dumps(problem)


def test_every_order_of_an_array_gets_its_faults() -> None:
    kept = NUMBER.kept_in
    documents = [
        body("1", order_id="a"),
        body(None, order_id="b"),
        f'{{"item":"Kopi","revision":"1","{kept}":1}}',
        body("2", order_id="a"),
    ]
    status, problem = post(f"[{','.join(documents)}]")

    assert status == 400
    assert [(e["order"], e["attribute"], e["detail"]) for e in problem["errors"]] == [
        (1, "revision", MISSING),
        (2, "order_id", "is missing: it is a key"),
        (2, kept, "is reserved for the order's version"),
        (2, "revision", NOT_A_NUMBER),
        (3, "order_id", "repeats the key of order 0"),
    ]


def test_a_version_counts_only_at_the_top_level() -> None:
    assert faults('{"order_id":"1","item":"a","note":{"revision":1}}') == [("revision", MISSING)]


def test_what_is_kept_counts_towards_the_size_of_the_item() -> None:
    without = handler.SCHEMA._replace(version=None)
    text = '{"order_id":"1","item":"a","revision":1,"x":"XXX"}'

    def is_accepted(size: int, schema: orders.Schema) -> bool:
        try:
            orders.read(text.replace("XXX", "x" * size), schema)
        except orders.InvalidDocumentError:
            return False
        return True

    most = max(size for size in range(409_400, 409_600) if is_accepted(size, without))
    reserved = len(NUMBER.kept_in) + orders.MAX_NUMBER_BYTES
    assert is_accepted(most - reserved, handler.SCHEMA)
    assert not is_accepted(most - reserved + 1, handler.SCHEMA)


# Process: which order stays


def test_the_order_is_stored_as_sent_with_accepted_at_and_the_number(
    dynamodb: FakeDynamoDB,
) -> None:
    process(delivered(body("1.50"), 7))

    assert dynamodb.table["1", "Kopi"] == {
        "order_id": {"S": "1"},
        "item": {"S": "Kopi"},
        "revision": {"N": "1.50"},
        "accepted_at": {"N": "7"},
        NUMBER.kept_in: {"N": "1.50"},
    }


@pytest.mark.usefixtures("times")
def test_a_time_is_kept_as_nanoseconds_since_1970(dynamodb: FakeDynamoDB) -> None:
    process(delivered(body('"2026-11-26T10:00:00.5Z"', "updated_at"), 7))

    item = dynamodb.table["1", "Kopi"]
    assert item["updated_at"] == {"S": "2026-11-26T10:00:00.5Z"}
    assert item[TIME.kept_in] == {"N": "1795687200500000000"}


# From the oldest to the newest: revision and accepted_at, a revision of None being none at all.
AGES = [
    *((None, 1), (None, 9), ("-2E100", 5), ("-1", 5), ("0", 5), ("1E-130", 5), ("1", 5)),
    *(("2", 8), ("2.0", 4), ("20E-1", 3), ("9" * 37 + "8", 1), ("9" * 38, 1)),
]


@pytest.mark.parametrize(
    ("older", "newer"), [*itertools.combinations(AGES, 2)], ids=lambda age: f"{age[0]}@{age[1]}"
)
@pytest.mark.parametrize("is_inserted", [True, False], ids=["by INSERT", "by PutItem"])
@pytest.mark.parametrize("delivery", ["older, newer", "newer, older", "both", "both, swapped"])
def test_the_newer_order_stays_however_it_is_delivered(
    dynamodb: FakeDynamoDB,
    older: tuple[str | None, int],
    newer: tuple[str | None, int],
    delivery: str,
    is_inserted: bool,
) -> None:
    """A neighbour in the batch makes the writer try an INSERT first."""
    both = [delivered(body(literal), at, f"{literal} {at}") for literal, at in (older, newer)]
    if delivery in ("newer, older", "both, swapped"):
        both.reverse()
    batches = [both] if delivery.startswith("both") else [[one] for one in both]
    for number, batch in enumerate(batches):
        if is_inserted:
            batch.append(delivered(body("1", order_id=f"other {number}"), 1, str(number)))

    for batch in [*batches, *batches]:
        assert failures(process(*batch)) == []

    item = dynamodb.table["1", "Kopi"]
    assert item["accepted_at"] == {"N": str(newer[1])}
    stored = item.get("revision", {}).get("N")
    assert (stored and Fraction(stored)) == (newer[0] and Fraction(newer[0]))


def test_the_same_order_twice_is_written_once(dynamodb: FakeDynamoDB) -> None:
    one = delivered(body("1"), 5, "one")
    assert counts(process(one)) == (1, 0, 0, 0)
    assert counts(process(one)) == (0, 1, 0, 0)
    assert counts(process(delivered(body("1"), 6, "replayed"))) == (0, 1, 0, 0)
    assert dynamodb.table["1", "Kopi"]["accepted_at"] == {"N": "5"}


def test_if_the_newest_is_refused_the_next_one_is_written(dynamodb: FakeDynamoDB) -> None:
    dynamodb.refuses = lambda item: item["revision"] == {"N": "3"}
    batch = [delivered(body(str(n)), 10 - n, str(n)) for n in (1, 3, 2)]

    assert counts(process(*batch)) == (1, 1, 0, 1)
    assert dynamodb.table["1", "Kopi"]["revision"] == {"N": "2"}


# Rows and orders without a version


@pytest.mark.parametrize(
    "kept", [None, {"S": "9"}, {"NULL": True}, {"S": "2026-11-26T10:00:00Z"}], ids=str
)
def test_a_row_without_a_number_counts_as_older(dynamodb: FakeDynamoDB, kept: Any) -> None:
    row = {"order_id": {"S": "1"}, "item": {"S": "Kopi"}, "accepted_at": {"N": "9"}}
    dynamodb.table["1", "Kopi"] = row | ({} if kept is None else {NUMBER.kept_in: kept})

    assert counts(process(delivered(body("-5"), 1))) == (1, 0, 0, 0)
    assert dynamodb.table["1", "Kopi"]["revision"] == {"N": "-5"}


@pytest.mark.parametrize("literal", [None, '"5"', '"2026-11-26T10:00:00Z"', "null"])
def test_what_ingest_accepted_before_is_stored_but_counts_as_older(
    dynamodb: FakeDynamoDB, sqs: FakeSqs, caplog: pytest.LogCaptureFixture, literal: str | None
) -> None:
    before = delivered(body(literal), 9)
    assert counts(process(before)) == (1, 0, 0, 0)
    assert "Orders without a version count as older" in caplog.messages
    assert NUMBER.kept_in not in dynamodb.table["1", "Kopi"]

    assert counts(process(delivered(body("1"), 1))) == (1, 0, 0, 0)
    assert counts(process(before)) == (0, 1, 0, 0)
    assert dynamodb.table["1", "Kopi"]["revision"] == {"N": "1"}
    assert sqs.sent == []


@pytest.mark.parametrize(
    ("literal", "reason"),
    [(None, MISSING), ('"5"', NOT_A_NUMBER), ("true", NOT_A_NUMBER)],
)
def test_other_producers_orders_without_one_fail_permanently(
    dynamodb: FakeDynamoDB, sqs: FakeSqs, literal: str | None, reason: str
) -> None:
    assert counts(process(delivered(body(literal), 9, by_ingest=False))) == (0, 0, 0, 1)

    stated = sqs.sent[0]["MessageAttributes"]["failure_reason"]["StringValue"]
    assert stated == f'order 0: "revision" {reason}'
    assert dynamodb.table == {}


@pytest.mark.parametrize("literal", [None, "1"])
@pytest.mark.parametrize("by_ingest", [True, False])
def test_no_producer_writes_what_is_kept(
    dynamodb: FakeDynamoDB, sqs: FakeSqs, literal: str | None, by_ingest: bool
) -> None:
    """A row with a version of the client's choice would never be overwritten again."""
    text = body(literal).replace("{", f'{{"{NUMBER.kept_in}":9E125,')

    assert counts(process(delivered(text, 9, by_ingest=by_ingest))) == (0, 0, 0, 1)

    stated = sqs.sent[0]["MessageAttributes"]["failure_reason"]["StringValue"]
    assert stated == f'order 0: "{NUMBER.kept_in}" is reserved for the order\'s version'
    assert dynamodb.table == {}


def test_a_row_versioned_by_another_attribute_counts_as_older(
    dynamodb: FakeDynamoDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    both: dict[str, Any] = {"revision": 1, "updated_at": "2026-11-26T10:00:00Z"}
    process(record(order(**both), accepted_at=5))
    set_versions(monkeypatch, TIME, dynamodb)

    process(record(order(**both | {"updated_at": "1970-01-01T00:00:00Z"}), accepted_at=6))

    item = dynamodb.table["1", "Kopi"]
    assert item[TIME.kept_in] == {"N": "0"}
    assert NUMBER.kept_in not in item


def test_off_again_the_latest_accepted_wins_and_the_number_goes(
    dynamodb: FakeDynamoDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    process(delivered(body("9"), 5))
    set_versions(monkeypatch, None, dynamodb)

    process(delivered(body("1"), 6))

    assert dynamodb.table["1", "Kopi"] == {
        "order_id": {"S": "1"},
        "item": {"S": "Kopi"},
        "revision": {"N": "1"},
        "accepted_at": {"N": "6"},
    }
