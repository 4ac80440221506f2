"""Numbers reach a hook as Decimal and come back exact; everything else comes back as it is."""

import enum
import json
from collections import OrderedDict
from decimal import Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given

from async_ingest_hooks.values import from_hook, to_hook
from ingest import handler
from shared import orders
from shared.orders import Number
from tests.support.properties import examples
from tests.support.strategies import NAMES, VALUES, numerals


def parsed(literal: str) -> Any:
    text = f'{{"order_id":"1","item":"x","n":{literal}}}'
    return orders.read(text, handler.SCHEMA).orders[0]["n"]


LITERALS = [
    *("0", "-0", "0.000", "0E999", f"0E{'9' * 30}", "1", "1.10", "1e2", "1" + "0" * 100),
    *("1E-130", "9.99E125", f"0.{'0' * 129}1", "12345678901234567890.123456789012345678"),
]


@pytest.mark.parametrize("literal", LITERALS)
def test_a_number_comes_back_exact(literal: str) -> None:
    with localcontext() as context:
        context.prec = 2  # as a hook may have set it
        number = to_hook({"n": parsed(literal)})
        (back,) = from_hook(number).values()

    assert type(number["n"]) is Decimal
    assert orders.to_wire(back) == orders.to_wire(Number(literal))


@given(numerals())
@examples(200)
def test_any_number_that_is_accepted_comes_back_exact(literal: Number) -> None:
    try:
        number = parsed(literal)
    except orders.InvalidDocumentError:
        return
    back = from_hook({"n": to_hook(number)})["n"]

    assert json.loads(back) == json.loads(str(back))  # JSON
    assert orders.normal(back) == orders.normal(literal)


@given(VALUES, NAMES)
@examples(100)
def test_an_order_comes_back_as_it_was(value: Any, name: str) -> None:
    """Compared as DynamoDB gets it, which has one form for each number."""

    def normal(value: Any) -> Any:
        if type(value) is Number:
            return ("number", orders.normal(value))
        if type(value) is list:
            return [normal(element) for element in value]
        return {n: normal(m) for n, m in value.items()} if type(value) is dict else value

    order = {name: value}
    if all(number_fits(one) for one in numbers(value)):
        assert normal(from_hook(to_hook(order))) == normal(order)


def numbers(value: Any) -> list[Number]:
    if type(value) is Number:
        return [value]
    inner = value.values() if type(value) is dict else value if type(value) is list else ()
    return [number for element in inner for number in numbers(element)]


def number_fits(number: Number) -> bool:
    try:
        orders._number_bytes(number)
    except orders._UnstorableError:
        return False
    return True


class Size(enum.StrEnum):
    LARGE = "large"


class Count(enum.IntEnum):
    TWO = 2


class Odd(str):
    """As an ORM or a template engine has it."""

    __slots__ = ()

    def __str__(self) -> str:
        return "something else"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1, "1"),
        (True, "true"),
        (10**100, "1" + "0" * 100),
        (Size.LARGE, '"large"'),
        (Count.TWO, "2"),
        (Odd("as it is"), '"as it is"'),
        ((1, "a"), '[1,"a"]'),
        (OrderedDict(a=None), '{"a":null}'),
        (Decimal("1E+2"), "1E+2"),
    ],
    ids=repr,
)
def test_what_else_a_hook_may_return(value: Any, expected: str) -> None:
    assert orders.encode(from_hook({"x": value})["x"]) == expected


def test_a_part_that_appears_twice_is_copied_twice() -> None:
    part = {"a": [1]}

    back = from_hook({"x": part, "y": part})

    assert back["x"] == back["y"]
    assert back["x"] is not back["y"]
