"""Fair queueing: whose message it is, so that SQS can keep one tenant from delaying the others.

SQS takes the tenant from the message's MessageGroupId ("Amazon SQS fair queues"). On a standard
queue it neither orders nor limits messages; one without it counts as a tenant of its own.

Imported only if FAIR_QUEUE_ATTRIBUTE names the attribute of an order that has the tenant.
"""

import hashlib
import re
from typing import Any

from shared import orders

# "SendMessage" (Amazon SQS API Reference): 1 to 128 alphanumeric and punctuation characters.
_FITS = re.compile("[!-~]{1,128}")
_MAX_ZEROS = orders.MAX_DIGITS


def group_id(document: list[dict[str, Any]], attribute: str) -> str | None:
    """Returns the MessageGroupId of a message, or None unless all of its orders name one tenant.

    A string, a number or a boolean names a tenant, and equal numbers name the same one, however
    they are written. Where it does not fit into a MessageGroupId, its SHA-256 in hexadecimal does.
    """
    named = {_name(order.get(attribute)) for order in document}
    name = named.pop() if len(named) == 1 else None
    if not name or _FITS.fullmatch(name):
        return name or None
    return hashlib.sha256(name.encode()).hexdigest()


def _name(value: Any) -> str | None:
    kind = type(value)
    if kind is str:
        return str(value)
    if kind is orders.Number:
        return _plain(value)
    if kind is bool:
        return "true" if value else "false"
    return None  # null, an object or a list


def _plain(number: str) -> str:
    """Returns the one literal of a number: 42 for 42.0 and 4.2E1."""
    digits, _, exponent = orders.normal(number).partition("E")
    zeros = int(exponent or 0)
    return digits + "0" * zeros if 0 <= zeros <= _MAX_ZEROS else f"{digits}E{exponent}"
