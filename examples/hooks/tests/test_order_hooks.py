"""The hooks alone: no AWS, no Terraform, no server. README.md has the command."""

import json
from decimal import Decimal
from typing import Any

import pytest
from order_hooks import accept, prepare

from async_ingest_hooks import Refused, Request

WEB = Request(headers={"x-channel": "web"})


def order(text: str = "{}") -> Any:
    """Returns an order as hooks get it: every number is a Decimal."""
    given = json.loads(text, parse_int=Decimal, parse_float=Decimal)
    return {"order_id": "123", "item": "Kopi Susu", "qty": Decimal(2), **given}


def faults(given: Any) -> dict[str | None, str]:
    with pytest.raises(Refused) as refused:
        accept(given, WEB)
    return {attribute: reason for reason, attribute in refused.value.faults}


def test_an_order_as_in_the_schema_gets_its_channel() -> None:
    assert accept(order('{"price": 1.10}'), WEB) == order('{"price": 1.10, "channel": "web"}')
    assert accept(order(), Request())["channel"] == "unknown"


@pytest.mark.parametrize("quantity", ["1", "1.0", "9.99e2"])
def test_a_whole_number_is_an_integer_however_it_is_written(quantity: str) -> None:
    accept(order(f'{{"qty": {quantity}}}'), WEB)


@pytest.mark.parametrize(
    ("given", "attribute", "reason"),
    [
        ('{"qty": 0}', "qty", "must be bigger than or equal to 1"),
        ('{"qty": 1.5}', "qty", "must be integer"),
        ('{"qty": "2"}', "qty", "must be integer"),
        ('{"price": -0.01}', "price", "must be bigger than or equal to 0"),
        ('{"order_id": "1 2"}', "order_id", "must match pattern ^[0-9A-Za-z-]{1,36}$"),
        ('{"size": "huge"}', "size", "must be one of ['small', 'large']"),
    ],
)
def test_an_order_not_as_in_the_schema_is_refused(given: str, attribute: str, reason: str) -> None:
    assert faults(order(given)) == {attribute: reason}


def test_all_faults_are_reported_at_once() -> None:
    assert set(faults(order('{"qty": 0, "price": "1", "size": 7}'))) == {"qty", "price", "size"}


def test_a_missing_attribute_is_named_in_the_reason() -> None:
    given = order()
    del given["qty"]

    assert faults(given) == {None: "must contain ['qty'] properties"}


def test_the_total_is_exact_and_the_same_each_time() -> None:
    given = order('{"qty": 3, "price": 1.10}')

    assert prepare(given) == prepare(given) == {**given, "total": Decimal("3.30")}


def test_an_order_without_a_price_has_no_total() -> None:
    assert prepare(order()) == order()


def test_a_price_that_is_no_number_is_refused() -> None:
    with pytest.raises(Refused, match="must be a number"):
        prepare(order('{"price": "1"}'))
