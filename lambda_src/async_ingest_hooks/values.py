"""Orders as a hook sees them: plain Python values, with numbers as decimal.Decimal.

Each is a copy, so a hook can change it without an effect on anything else.
"""

from decimal import Decimal, InvalidOperation
from typing import Any

from shared.orders import Number, Value


class NotAnOrderError(Exception):
    """What a hook returned is not an order; ``type_name`` is the type of what does not belong."""

    def __init__(self, value: object) -> None:
        super().__init__()
        self.type_name = type(value).__name__


def to_hook(value: Value) -> Any:
    """Returns a copy of an order, or of a part of it, for a hook."""
    kind = type(value)
    if kind is Number:
        return _decimal(value)
    if kind is dict:
        return {name: to_hook(member) for name, member in value.items()}
    if kind is list:
        return [to_hook(element) for element in value]
    return value


def from_hook(value: object) -> dict[str, Value]:
    """Returns a copy of an order that a hook returned.

    Raises:
        NotAnOrderError: It is not a dict, or contains something that JSON has not. A float is
            refused too: it would be stored with digits that nobody has written.
        RecursionError: It is nested too deeply, or contains itself.
    """
    if not isinstance(value, dict):
        raise NotAnOrderError(value)
    return _members(value)


def _members(value: dict[Any, Any]) -> dict[str, Value]:
    return {_name(name): _from_hook(member) for name, member in dict.items(value)}


def _from_hook(value: Any) -> Value:
    # The types' own methods, because a subclass may have others.
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, Decimal):
        if not Decimal.is_finite(value):
            raise NotAnOrderError(value)
        return Number(Decimal.__str__(value))
    if value is None or value is True or value is False:
        return value
    if isinstance(value, int):
        return Number(int.__repr__(value))
    if isinstance(value, dict):
        return _members(value)
    if isinstance(value, list):
        return [_from_hook(element) for element in list.__iter__(value)]
    if isinstance(value, tuple):
        return [_from_hook(element) for element in tuple.__iter__(value)]
    raise NotAnOrderError(value)


def _name(name: object) -> str:
    if not isinstance(name, str):
        raise NotAnOrderError(name)
    return str.__str__(name)


def _decimal(literal: str) -> Decimal:
    try:
        return Decimal(literal)
    except InvalidOperation:  # an exponent of 19 digits, which only a zero can have
        return Decimal(0)
