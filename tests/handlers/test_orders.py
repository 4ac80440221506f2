"""Orders: what is accepted, that DynamoDB accepts the same, and that no value changes."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.engines import Engine
from shared import orders
from tests.support.documents import NUMBERS, STRINGS, exact, faults, from_wire, with_value
from tests.support.properties import examples
from tests.support.strategies import NAMES, VALUES, numerals

pytestmark = pytest.mark.usefixtures("quick_calls")


@pytest.mark.parametrize(
    "literal",
    [
        *("0", "-0", "0.0", "-0e5", "0E999", "0e-99999999999999999999", "0." + "0" * 5000),
        *("1", "1.10", "1E2", "1e+2", "1E-2", "-12.5", "1E" + "0" * 5000 + "5"),
        *("1E-130", "1.5e-130", "0.1E-129", "1E125", "9.99E125", "0." + "0" * 129 + "1"),
        *("9" * 38, "-" + "9" * 38 + "E88", "1." + "0" * 5000, "1" + "0" * 125, "0.1E126"),
        *("0." + "0" * 4000 + "1E4000", "1" + "0" * 4000 + "E-4000"),
        *('""', "true", "false", "null", "[]", "{}", '"\\u0000"', '"\\ud83d\\ude00"'),
        "[" * 31 + "]" * 31,
        '{"a":' * 31 + "0" + "}" * 31,
    ],
)
def test_a_valid_value_is_accepted(literal: str) -> None:
    assert faults(with_value(literal)) == []


@pytest.mark.parametrize(
    ("literal", "fault"),
    [
        ("1E126", "magnitudes"),
        ("1E400", "magnitudes"),
        ("-1E400", "magnitudes"),
        ("1E-131", "magnitudes"),
        ("9.9E-131", "magnitudes"),
        ("1" + "0" * 126, "magnitudes"),
        ("1E99999999999999999999", "magnitudes"),
        ("1E-" + "9" * 5000, "magnitudes"),
        ("1" * 39, "38 significant digits"),
        ("0." + "1" * 39, "38 significant digits"),
        ("1" + "0" * 37 + "1", "38 significant digits"),
        ("9" * 5000, "38 significant digits"),
        ("[" * 32 + "]" * 32, "32 levels"),
        ('{"a":' * 32 + "0" + "}" * 32, "32 levels"),
        ('"\\ud83d"', "surrogate"),
        ('["\\ude00\\ud83d"]', "surrogate"),
        ('{"\\ud83d":1}', "surrogate"),
        ('{"":1}', "name"),
        ('{"a":1,"a":1}', "more than once"),
        ('[{"b":{"a":1,"b":2,"\\u0061":3}}]', "more than once"),
    ],
)
def test_an_invalid_value_is_refused(literal: str, fault: str) -> None:
    (found,) = faults(with_value(literal))
    assert found.startswith('order 0: "x" ')
    assert fault in found


@pytest.mark.parametrize(
    ("document", "found"),
    [
        ("[]", "the array has no order"),
        ("1", "order 0: must be a JSON object"),
        ("null", "order 0: must be a JSON object"),
        ('"p"', "order 0: must be a JSON object"),
        ("[[]]", "order 0: must be a JSON object"),
        ('{"s":"2"}', 'order 0: "p" is missing: it is a key'),
        ('{"p":"1"}', 'order 0: "s" is missing: it is a key'),
        ('{"p":1,"s":"2"}', 'order 0: "p" must be a string, and not empty: it is a key'),
        ('{"p":null,"s":"2"}', 'order 0: "p" must be a string, and not empty: it is a key'),
        ('{"p":"","s":"2"}', 'order 0: "p" must be a string, and not empty: it is a key'),
        ('{"p":"1","s":""}', 'order 0: "s" must be a string, and not empty: it is a key'),
        ('{"p":"1","s":"2","accepted_at":1}', 'order 0: "accepted_at" is reserved for'),
        ('{"p":"1","s":"2","p":"1"}', 'order 0: "p" appears more than once'),
        ('[{"p":"1","s":"2"},{"s":"2","p":"1"}]', 'order 1: "p" repeats the key of order 0'),
        (
            '{"p":"1","s":"2","":0}',
            'order 0: "" has or contains a name that is not 1 to 65535 bytes',
        ),
        ('{"p":"\\ud83d","s":"2"}', 'order 0: "p" contains half a surrogate pair'),
    ],
)
def test_an_invalid_document_is_refused(document: str, found: str) -> None:
    (fault,) = faults(document)
    assert fault.startswith(found)


@pytest.mark.parametrize("value", ['"1"', "true", "null", "[1]"])
def test_a_number_key_must_be_a_number(value: str) -> None:
    assert faults(f'{{"p":{value}}}', NUMBERS) == ['order 0: "p" must be a number: it is a key']


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("1", "1.0", True),
        ("1", "10E-1", True),
        ("1", "0.001e+3", True),
        ("0", "-0.0E7", True),
        ("-1", "1", False),
        ("1", "10", False),
        ("12", "1.2", False),
        ("1E2", "100", True),
        ("1" * 38, "1" * 37 + "2", False),
    ],
)
def test_number_keys_are_compared_by_value(one: str, other: str, same: bool) -> None:
    assert bool(faults(f'[{{"p":{one}}},{{"p":{other}}}]', NUMBERS)) is same


# No value changes


@examples(300)
@given(order=st.dictionaries(NAMES, VALUES, max_size=5))
def test_reading_and_encoding_change_nothing(order: dict[str, Any]) -> None:
    text = orders.encode(order | {"p": "1", "s": "2"})
    assert text.isascii()
    # The standard library's reading of the text, for comparison.
    assert json.loads(text, parse_int=orders.Number, parse_float=orders.Number) == order | {
        "p": "1",
        "s": "2",
    }
    try:
        document = orders.read(text, STRINGS)
    except orders.InvalidDocumentError:
        return
    assert orders.encode(document.value) == text
    wire = {name: json.loads(orders.to_wire(value)) for name, value in document.orders[0].items()}
    assert from_wire({"M": wire}) == exact(document.value)


# DynamoDB accepts the same


def engine_accepts(engine: Engine, table: str, text: str) -> bool:
    """Returns whether DynamoDB stores the order, which is sent unchecked."""
    order = orders._parse(text)
    item = {name: json.loads(orders.to_wire(value)) for name, value in order.items()}
    item["accepted_at"] = {"N": "1700000000123456"}
    try:
        engine.client.put_item(TableName=table, Item=item)
    except engine.client.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "ValidationException":
            raise
        return False
    return True


@pytest.fixture(scope="module")
def engine(dynamodb_local: Engine) -> Engine:
    dynamodb_local.create_table("strings", p="S", s="S")
    dynamodb_local.create_table("numbers", p="N")
    dynamodb_local.create_table("twins", p="N")
    return dynamodb_local


@examples(400)
@given(number=numerals())
def test_a_number_is_accepted_if_dynamodb_accepts_it(engine: Engine, number: orders.Number) -> None:
    assert (not faults(with_value(number))) == engine_accepts(engine, "strings", with_value(number))
    key = f'{{"p":{number}}}'
    assert (not faults(key, NUMBERS)) == engine_accepts(engine, "numbers", key)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[orders.Number, orders.Number]:
    """Two numbers that DynamoDB stores, often the same number written differently."""
    forms = []
    for _ in range(2):
        digits, power = draw(st.integers(0, 12)), draw(st.integers(-2, 2))
        sign, length = draw(st.sampled_from(["", "-"])), len(str(digits))
        forms += [
            f"{sign}{digits}E{power}",
            f"{sign}{digits * 100}.0e{power - 2}",
            f"{sign}0.{digits}E{power + length}",
        ]
    one, other = draw(st.permutations(forms))[:2]
    return orders.Number(one), orders.Number(other)


@examples(200)
@given(pair=pairs())
def test_number_keys_are_equal_if_they_are_to_dynamodb(
    engine: Engine, pair: tuple[orders.Number, orders.Number]
) -> None:
    one, other = pair
    same = bool(faults(f'[{{"p":{one}}},{{"p":{other}}}]', NUMBERS))
    engine.client.put_item(
        TableName="twins", Item={"p": json.loads(orders.to_wire(one)), "is": {"S": "one"}}
    )
    key = {"p": json.loads(orders.to_wire(other))}
    found = engine.client.get_item(TableName="twins", Key=key, ConsistentRead=True)
    engine.client.delete_item(TableName="twins", Key={"p": json.loads(orders.to_wire(one))})
    assert same == ("Item" in found)


@examples(100)
@given(
    brackets=st.lists(st.sampled_from(["[", '{"a":']), min_size=29, max_size=34),
    core=st.sampled_from(["0", '""', "[]", "{}", "null"]),
)
def test_a_depth_is_accepted_if_dynamodb_accepts_it(
    engine: Engine, brackets: list[str], core: str
) -> None:
    closing = "".join("]" if bracket == "[" else "}" for bracket in reversed(brackets))
    text = with_value("".join(brackets) + core + closing)
    assert (not faults(text)) == engine_accepts(engine, "strings", text)


@examples(80)
@given(order=st.dictionaries(NAMES, VALUES, max_size=6), excess=st.sampled_from([-1, 0, 1]))
def test_a_size_is_accepted_if_dynamodb_accepts_it(
    engine: Engine, order: dict[str, Any], excess: int
) -> None:
    order = order | {"p": "1", "s": "2", "filling": ""}
    if faults(orders.encode(order)):
        return
    size = sum(orders._name_bytes(n) + orders._value_bytes(v, 2) for n, v in order.items())
    size += len("accepted_at") + 9
    order["filling"] = "x" * (orders.MAX_ITEM_BYTES - size + excess)
    text = orders.encode(order)

    assert (not faults(text)) == (excess <= 0)
    assert engine_accepts(engine, "strings", text) == (excess <= 0)


@examples(60)
@given(
    lengths=st.tuples(st.integers(2046, 2050), st.integers(1022, 1026)),
    filling=st.sampled_from("xéक😀"),
)
def test_a_key_length_is_accepted_if_dynamodb_accepts_it(
    engine: Engine, lengths: tuple[int, int], filling: str
) -> None:
    keys = []
    for length in lengths:
        whole, rest = divmod(length, len(filling.encode()))
        keys.append(filling * whole + "x" * rest)
    text = json.dumps({"p": keys[0], "s": keys[1]})
    assert (not faults(text)) == engine_accepts(engine, "strings", text)


@pytest.mark.parametrize("length", [1, 255, 256, 65535, 65536])
@pytest.mark.parametrize("filling", ["x", "é"])
def test_a_name_length_is_accepted_if_dynamodb_accepts_it(
    engine: Engine, length: int, filling: str
) -> None:
    whole, rest = divmod(length, len(filling.encode()))
    name = filling * whole + "x" * rest
    text = orders.encode({"p": "1", "s": "2", name: ""})
    assert (not faults(text)) == engine_accepts(engine, "strings", text)


@pytest.mark.parametrize("name", ["", "\0", " ", "a.b", "select", "#a", ":a"])
@pytest.mark.parametrize("nested", [False, True])
def test_a_name_is_accepted_if_dynamodb_accepts_it(engine: Engine, name: str, nested: bool) -> None:
    inner: Any = {"p": "1", "s": "2"} | ({"x": [{name: ""}]} if nested else {name: ""})
    text = orders.encode(inner)
    assert (not faults(text)) == engine_accepts(engine, "strings", text)
