"""The team's hooks: orders must be as in order.schema.json, and get a channel and a total."""

from decimal import Decimal
from typing import Any

from async_ingest_hooks import Refused, Request
from order_hooks.invalid import JsonSchemaValueException, JsonSchemaValuesException
from order_hooks.order_schema import validate


def accept(order: dict[str, Any], request: Request) -> dict[str, Any]:
    """Refuses an order that is not as in the schema; tells the others where they came from."""
    try:
        validate(_with_integers(order))
    except JsonSchemaValuesException as invalid:
        raise Refused.together(_refusal(error) for error in invalid.errors) from None
    return {**order, "channel": request.headers.get("x-channel", "unknown")}


def prepare(order: dict[str, Any]) -> dict[str, Any]:
    """Adds the total, which is the same whenever the order is delivered.

    Orders of other producers have not passed ``accept``, so nothing is taken for granted.
    """
    quantity, price = order.get("qty"), order.get("price")
    if price is None:
        return order
    if not isinstance(price, Decimal) or not isinstance(quantity, Decimal):
        raise Refused("must be a number, and so must qty", attribute="price")
    return {**order, "total": quantity * price}


def _with_integers(value: Any) -> Any:
    """Returns the value as a validator expects it: whole numbers as int, not Decimal."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else value
    if isinstance(value, dict):
        return {name: _with_integers(member) for name, member in value.items()}
    return [_with_integers(element) for element in value] if isinstance(value, list) else value


def _refusal(error: JsonSchemaValueException) -> Refused:
    """Returns the validator's "data.qty must be …" as a reason for the attribute qty."""
    _, _, path = error.name.partition(".")
    return Refused(error.message.removeprefix(error.name).strip(), attribute=path or None)
