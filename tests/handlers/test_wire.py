"""The wire format: items as boto3 writes them, sizes as DynamoDB counts them."""

import json
from decimal import Context, Decimal
from itertools import islice
from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from local.engines import Engine
from shared import orders
from shared.orders import Number
from tests.support.documents import exact, faults, with_value
from tests.support.properties import examples
from tests.support.strategies import EVERYDAY_VALUES, VALUES, numerals

# DynamoDB's arithmetic, as in boto3, which refuses numbers that would be rounded.
DYNAMODB = Context(prec=38, Emin=-128, Emax=126)


def for_boto3(value: Any) -> Any:
    """Returns a value as boto3 expects it."""
    if type(value) is Number:
        return DYNAMODB.create_decimal(value)
    if isinstance(value, list):
        return [for_boto3(element) for element in value]
    if isinstance(value, dict):
        return {name: for_boto3(member) for name, member in value.items()}
    return value


def by_value(attribute: dict[str, Any]) -> Any:
    """Returns an attribute in wire format in a form that compares numbers by value."""
    ((kind, value),) = attribute.items()
    if kind == "N":
        assert isinstance(value, str)
        return kind, Decimal(value)
    if kind == "L":
        return kind, [by_value(element) for element in value]
    if kind == "M":
        return kind, {name: by_value(member) for name, member in value.items()}
    return kind, value


@examples(300)
@given(value=EVERYDAY_VALUES)
def test_values_are_serialized_as_by_boto3(value: Any) -> None:
    wire = orders.to_wire(value)

    assert wire.isascii()
    assert by_value(json.loads(wire)) == by_value(TypeSerializer().serialize(for_boto3(value)))


@examples(300)
@given(number=numerals())
def test_numbers_are_sent_with_their_value(number: Number) -> None:
    if faults(with_value(number)):
        return  # refused, and never sent
    literal = json.loads(orders.to_wire(number))["N"]

    assert len(literal) <= 48
    assert Decimal(literal) == exact(number)
    # AWS rejects a zero with a large exponent.
    assert Decimal(literal) or "e" not in literal.lower()


@pytest.mark.parametrize(
    ("literal", "wire"),
    [
        ("1.10", "1.10"),
        ("-0", "-0"),
        ("0e126", "0"),
        ("-0.0E7", "0"),
        ("1E2", "1E2"),
        ("0." + "0" * 40 + "1", "1E-41"),
        ("1" + "0" * 40, "1E40"),
        ("-12" + "0" * 40 + "E-40", "-12E0"),
    ],
)
def test_a_long_number_is_sent_in_canonical_form(literal: str, wire: str) -> None:
    assert json.loads(orders.to_wire(Number(literal))) == {"N": wire}


@pytest.mark.parametrize(
    "literal",
    [
        *("-1000000000000000000000000000000000000.10", "9" * 38, "-" + "9" * 38, "1", "-1", "0"),
        *("-1E-130", "9.9E125", "-" + "9" * 19 + "." + "9" * 19, "-9" + "0" * 35 + ".01"),
    ],
)
@pytest.mark.parametrize("excess", [0, 1])
def test_a_number_takes_the_bytes_that_dynamodb_counts(
    dynamodb_local: Engine, literal: str, excess: int
) -> None:
    """An item with the number just fits, and with a byte more it does not."""
    size = orders._number_bytes(literal)
    assert size <= 21
    names = len("order_id1itemKopi") + len("nx") + len("accepted_at") + orders._ACCEPTED_AT_BYTES
    filling = "x" * (orders.MAX_ITEM_BYTES - names - size + excess)
    order = {"order_id": "1", "item": "Kopi", "n": Number(literal), "x": filling}
    dynamodb_local.create_table("sizes", order_id="S", item="S")
    item = {name: json.loads(orders.to_wire(value)) for name, value in order.items()}
    item["accepted_at"] = {"N": "1700000000123456"}

    def put() -> None:
        dynamodb_local.client.put_item(TableName="sizes", Item=item)

    if excess:
        with pytest.raises(dynamodb_local.client.exceptions.ClientError, match="size"):
            put()
    else:
        put()


# The minimum length of an encoded text


def written_otherwise(draw: st.DrawFn, text: str) -> str:
    r"""Returns the same JSON with white space, and with characters as \u escapes or "\/"."""
    written = []
    is_in_string = False
    rest = iter(text)
    for character in rest:
        if character == "\\":
            escape = next(rest)
            written.append(character + escape + "".join(islice(rest, 4 * (escape == "u"))))
            continue
        if character == '"':
            is_in_string = not is_in_string
        if is_in_string and character != '"':
            written.append(
                draw(st.sampled_from([character, character, f"\\u{ord(character):04x}"]))
                if character != "/"
                else draw(st.sampled_from(["/", "\\/", "\\u002F"]))
            )
        else:
            space = draw(st.sampled_from(["", "", " ", "\t\r\n "])) if character in "{}[],:" else ""
            written.append(space + character + space)
    return "".join(written)


@st.composite
def texts(draw: st.DrawFn) -> str:
    text = written_otherwise(draw, orders.encode(draw(VALUES | st.text('/\\"u\n é'))))
    around = draw(st.sampled_from(["", "", "\ufeff", " ", "\n"]))
    return around + text + around.strip("\ufeff")


@examples(500)
@given(text=texts())
def test_no_text_encodes_to_less_than_its_minimum_length(text: str) -> None:
    value = orders._parse(text)

    assert orders.min_encoded_length(text) <= len(orders.encode(value))


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ('{"a":1}', 7),
        (' { "a" :\t1 }\r\n', 7),
        ('\ufeff{"a":1}', 7),
        ('{"\\u0061":"\\/"}', 9),
        ('"é"', 3),
        (f'"{"x" * 100}"', 102),
    ],
)
def test_the_minimum_length_is_exact(text: str, length: int) -> None:
    """More would refuse bodies that fit, and less would parse bodies that do not."""
    assert orders.min_encoded_length(text) == length
