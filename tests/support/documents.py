"""Documents: what they are refused for, and their exact values."""

from decimal import Decimal
from typing import Any

from shared import orders

STRINGS = orders.Schema(
    (orders.KeyAttribute("p", "S"), orders.KeyAttribute("s", "S")), "accepted_at"
)
NUMBERS = orders.Schema((orders.KeyAttribute("p", "N"),), "accepted_at")


def faults(text: str, schema: orders.Schema = STRINGS) -> list[str]:
    """Returns what a document is refused for, nothing if it is accepted."""
    try:
        orders.read(text, schema)
    except orders.InvalidDocumentError as error:
        return [str(fault) for fault in error.faults]
    return []


def with_value(literal: str) -> str:
    """Returns an order with the value in the attribute ``x``."""
    return f'{{"p":"1","s":"2","x":{literal}}}'


def from_wire(attribute: dict[str, Any]) -> Any:
    """Returns the value of an attribute in wire format, with numbers as Decimal."""
    ((kind, value),) = attribute.items()
    if kind == "N":
        return Decimal(value)
    if kind == "L":
        return [from_wire(element) for element in value]
    if kind == "M":
        return {name: from_wire(member) for name, member in value.items()}
    return None if kind == "NULL" else value


def exact(value: Any) -> Any:
    """Returns a value in the same form as ``from_wire``."""
    if isinstance(value, orders.Number):
        # Decimal cannot hold every exponent, which does not matter for a zero.
        return Decimal(value) if value.strip("-0.").lower()[:1] not in ("", "e") else Decimal(0)
    if isinstance(value, list):
        return [exact(element) for element in value]
    if isinstance(value, dict):
        return {name: exact(member) for name, member in value.items()}
    return value
