"""The producer's version of an order: which order of a key is the newest is its decision.

An attribute of the order is its version: a number, or a date and time in UTC as ISO 8601 text. The
order is stored as sent. A number made from the version is kept beside it, in an attribute that no
client may send, and compared there: by DynamoDB exactly, and by process without a binary float.

The name of that attribute contains the version's type and name. So a row whose version came from
another attribute, or from another type, has none of this one, and counts as older.

**Times** are nanoseconds since 1970. The text is that of RFC 3339, with "T" and "Z" in upper case,
"+00:00" as another way to write "Z", and seconds that may be left out: what Java, Python,
JavaScript, Go and .NET write. Refused is what would have to be guessed or rounded: another offset
("-00:00" is an unknown one), a tenth digit of the fraction, and the second 60, which in nanoseconds
since 1970 is the next minute's first.

Only imported where ORDER_VERSION is set.
"""

import re
from collections.abc import Iterator
from datetime import date
from typing import Any, NamedTuple, TypeAlias

from shared.orders import MAX_NUMBER_BYTES, Number, analyse

Rank: TypeAlias = tuple[int, int, str]

_TIME = re.compile(
    r"([0-9]{4})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"T([01][0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9])(?:\.([0-9]{1,9}))?)?(?:Z|\+00:00)"
)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_NINES_COMPLEMENT = str.maketrans("0123456789", "9876543210")
_AFTER_ANY_DIGIT = ":"


class Version(NamedTuple):
    name: str  # of the order's attribute
    type: str  # "N" or "S"
    kept_in: str  # the attribute that the system adds
    is_required: bool = True  # of each order, or else it may have none

    @property
    def reserved_bytes(self) -> int:
        """Of an item, for the attribute that the system adds."""
        return len(self.kept_in.encode()) + MAX_NUMBER_BYTES if self.is_required else 0

    def faults(self, order: dict[str, Any]) -> Iterator[tuple[str, str]]:
        """Yields what is wrong with an order's version, each with the attribute's name."""
        if self.kept_in in order:
            yield self.kept_in, "is reserved for the order's version"
        if not self.is_required:
            return
        if self.name not in order:
            yield self.name, "is missing: it is the order's version"
        elif self.number(order) is None:
            yield (
                self.name,
                "must be a number: it is the order's version"
                if self.type == "N"
                else 'must be a date and time in UTC, such as "2026-11-26T10:00:00.123Z", with at '
                "most 9 digits after the seconds: it is the order's version",
            )

    def number(self, order: dict[str, Any]) -> Number | None:
        """Returns an order's version as a number, None if it has none."""
        value = order.get(self.name)
        if self.type == "N":
            return value if type(value) is Number else None
        return _nanoseconds(value) if type(value) is str else None


def rank(literal: str) -> Rank:
    """Returns what compares as the number does, however long or large it is.

    Digits without zeros at either end compare as text if their first one has the same power of ten.
    """
    sign, digits, first = analyse(literal)
    if not digits:
        return (0, 0, "")
    if not sign:
        return (1, first, digits)
    return (-1, -first, digits.translate(_NINES_COMPLEMENT) + _AFTER_ANY_DIGIT)


def _nanoseconds(text: str) -> Number | None:
    match = _TIME.fullmatch(text)
    if not match:
        return None
    *parts, fraction = match.groups("0")
    year, month, day, hour, minute, second = map(int, parts)
    try:
        days = date(year, month, day).toordinal() - _EPOCH_DAY
    except ValueError:  # no such day, or the year 0
        return None
    seconds = ((days * 24 + hour) * 60 + minute) * 60 + second
    return Number(seconds * 10**9 + int(fraction.ljust(9, "0")))
