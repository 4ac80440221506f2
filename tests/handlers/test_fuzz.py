"""Fuzzing: any text that a client may send. ``make fuzz`` does more.

Each is refused or can be stored, and no refusal shows a value.
"""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import handler as ingest
from local.engines import Engine
from local.events import request
from shared import orders
from tests.support.documents import exact, from_wire
from tests.support.fakes import FakeSqs
from tests.support.ingest import ANSWERS, message_of
from tests.support.properties import examples
from tests.support.runtime import invoke
from tests.support.strategies import EVERYDAY_VALUES, numerals

pytestmark = pytest.mark.usefixtures("quick_calls")

SECRET = "31415926535"  # may be part of a number too
ACCEPTED_AT = {"N": "1700000000123456"}
TOKENS = [
    *('{"order_id":"1","item":"2"', '"order_id":"1"', '"item":"2"', '"x":', '"accepted_at":1'),
    *("{", "}", "[", "]", ",", ":", '"', "\\", "[[[[[[[[[[[[[[[[", "]]]]]]]]]]]]]]]]", "{}", "[]"),
    *("true", "null", "NaN", "-Infinity", "nul", "undefined", "/**/", "//", "#", "'", "\ufeff"),
    *("0", "-0", "01", "1.", ".5", "1e", "1E126", "1E-131", "-1.50", "9" * 38, "9" * 39, "1_0"),
    *("\u0663", "\uff10", "0x1", "+1"),
    *('""', '"a"', '"\\u0000"', '"\\ud83d"', '"\\ud83d\\ude00"', '"\\x"', '"\t"', '"é😀\ud800"'),
    *(" ", "\n", "\0", "\x0b", "\u2028", "\u00a0"),
]
SOUP = st.lists(st.sampled_from(TOKENS), max_size=25).map("".join)
# If everything were hostile at once, hardly anything would be accepted.
GOOD = EVERYDAY_VALUES.map(orders.encode) | st.sampled_from(["[" * 31 + "]" * 31, "-0", "1E125"])
# What lax parsers accept, or DynamoDB does not store.
BAD = st.sampled_from(
    [
        *("NaN", "-Infinity", '"\\ud83d"', '{"a":1,"b":2,"a":1}', '1,"X":1,"X":2', '[{"":1}]'),
        *("[" * 32 + "]" * 32, "[" * 100_000 + "]" * 100_000, "1E126", "1" * 39, '"a', '"\t"'),
    ]
)
LITERALS = GOOD | GOOD | GOOD | BAD | BAD | BAD | numerals() | st.text().map(json.dumps)
NAMES_IN_ORDERS = st.sampled_from([*"abcdefxyé", "z" * 300, "it's", "order_id", "", "accepted_at"])
ORDERS = st.builds(
    lambda order_id, members: (
        f'{{"order_id":"{order_id}","item":"2"'
        + "".join(f",{json.dumps(name)}:{literal}" for name, literal in members)
        + "}"
    ),
    st.integers(1, 9),
    st.dictionaries(NAMES_IN_ORDERS, LITERALS, max_size=3).map(dict.items),
)


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """An order, or an array of orders, with something cut out, inserted or doubled."""
    text = draw(ORDERS | st.lists(ORDERS, max_size=3).map(lambda some: f"[{','.join(some)}]"))
    for _ in range(draw(st.integers(0, 3))):
        start, end = sorted(draw(st.tuples(*[st.integers(0, len(text))] * 2)))
        instead = draw(st.sampled_from(["", text[start:end] * 2]) | st.sampled_from(TOKENS))
        text = text[:start] + instead + text[end:]
    return text


TEXTS = SOUP | ORDERS | ORDERS | damaged() | damaged() | st.text()


@pytest.fixture(scope="module")
def table(dynamodb_local: Engine) -> Engine:
    dynamodb_local.create_table("fuzz", order_id="S", item="S")
    return dynamodb_local


def read(text: str) -> orders.Document | None:
    """Returns the document if it is accepted, and asserts that a refusal is well-formed."""
    try:
        return orders.read(text, ingest.SCHEMA)
    except orders.InvalidDocumentError as error:
        refusal = error
    assert 1 <= len(refusal.faults) <= orders.MAX_FAULTS
    assert all(str(fault).isascii() for fault in refusal.faults)
    return None


def by_library(text: str) -> Any:
    """Reads a text with the standard library, keeping number literals and repeated names."""
    return json.loads(text, parse_int=str, parse_float=str, object_pairs_hook=list)


@examples(500)
@given(text=TEXTS)
def test_any_text_is_refused_or_can_be_stored(table: Engine, text: str) -> None:
    document = read(text)
    if document is None:
        return
    message = orders.encode(document.value)
    assert all(" " <= character <= "~" for character in message)  # SQS accepts these
    # Nothing changes on the way to process, neither to our parser nor to the standard library's.
    assert read(message) == document
    assert by_library(message) == by_library(text.removeprefix("\ufeff"))
    json.dumps(by_library(message), ensure_ascii=False).encode()  # half a surrogate pair would fail
    keys = [(order["order_id"], order["item"]) for order in document.orders]
    assert len(set(keys)) == len(keys)
    for order in document.orders:
        item = {name: json.loads(orders.to_wire(value)) for name, value in order.items()}
        table.client.put_item(TableName="fuzz", Item=item | {"accepted_at": ACCEPTED_AT})
        assert "accepted_at" not in order
        key = {name: item[name] for name in ("order_id", "item")}
        stored = table.client.get_item(TableName="fuzz", Key=key, ConsistentRead=True)["Item"]
        assert from_wire({"M": stored}) == exact(
            order | {"accepted_at": orders.Number(ACCEPTED_AT["N"])}
        )


BYTES = st.binary(max_size=60) | st.builds(
    lambda text, encoding, cut: text.encode(encoding, "replace")[cut:],
    TEXTS,
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "latin-1"]),
    st.sampled_from([0, 0, 0, 1, 2]),
)


@examples(500)
@given(content=TEXTS | BYTES)
def test_any_body_is_accepted_exactly_if_its_document_is(
    sqs: FakeSqs, content: str | bytes
) -> None:
    if isinstance(content, bytes):
        text = content.decode(errors="surrogateescape")  # so that invalid UTF-8 is refused
        event = request(base64.b64encode(content).decode(), isBase64Encoded=True)
    else:
        text = content
        event = request(content)
    document = read(text)

    message = message_of(event, sqs)

    assert (message is None) == (document is None)
    if message and document:
        assert message["MessageBody"] == orders.encode(document.value)


READ = [  # by Python's json, if not by our parser
    *(
        f'"{SECRET}"',
        f'"{SECRET}\\ud83d"',
        SECRET,
        SECRET * 4,
        f"-{SECRET}E999",
        f'["{SECRET}",NaN]',
    ),
    *(f'{{"a":"{SECRET}","a":1}}', f'{{"":"{SECRET}"}}', f'["{SECRET}"]', f"[{SECRET},-Infinity]"),
    *(f'"{SECRET * 200}"', f'"{SECRET * 20_000}"', f'{"[" * 40}"{SECRET}"{"]" * 40}', "NaN", '""'),
]
NOT_READ = [
    *(f'"{SECRET}', f"'{SECRET}'", f"0x{SECRET}", f"0{SECRET}", f'"{SECRET}\n"', f'"\\x{SECRET}"'),
    *(f'"{SECRET}" {SECRET}', f'"{SECRET}",', f'"{SECRET}",{SECRET}', f"{SECRET}.", "", "]", "}"),
]
LITERALS_WITH_SECRETS = st.sampled_from(READ) | st.sampled_from(READ) | st.sampled_from(NOT_READ)
BODIES = st.builds(
    lambda order, around, cut: (text := around.replace("{}", order))[: len(text) - cut],
    st.fixed_dictionaries(
        dict.fromkeys(["order_id", "item"], st.just(f'"{SECRET}"') | st.sampled_from(READ)),
        optional=dict.fromkeys(["x", "y", "accepted_at"], LITERALS_WITH_SECRETS),
    ).map(lambda order: "{" + ",".join(f'"{name}":{text}' for name, text in order.items()) + "}"),
    st.sampled_from(["{}", "{}", "[{}]", "[{},{}]", "{}" + SECRET, SECRET + "{}", "{}{}"]),
    st.just(0) | st.just(0) | st.integers(0, 40),
)
HEADERS = st.dictionaries(
    st.sampled_from(["content-type", "content-encoding", "x-amzn-trace-id", "x-request-id"]),
    st.sampled_from([SECRET, f"application/{SECRET}", f"Root=1-{SECRET}-{SECRET * 3}0"]),
)
LINES = st.fixed_dictionaries(
    {}, optional={"path": st.just(f"/{SECRET}"), "httpMethod": st.just(SECRET)}
)


@examples(500)
@given(
    event=BODIES.map(request)
    | st.builds(
        lambda headers, line: request(
            headers={"content-type": "application/json"} | headers, **line
        ),
        HEADERS,
        LINES,
    )
)
def test_no_answer_and_no_log_shows_a_value(
    sqs: FakeSqs, caplog: pytest.LogCaptureFixture, event: dict[str, Any]
) -> None:
    answer, metrics = invoke(ingest.handle, event)

    assert answer["statusCode"] in ANSWERS
    assert SECRET not in str(answer)
    assert SECRET not in str(metrics)
    assert caplog.records == []
