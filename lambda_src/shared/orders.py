"""Orders: JSON in, DynamoDB items out, with no value changed on the way.

An order is a JSON object with the table's key attributes. A document is one order or an array of
them. Both functions read documents with :func:`read`: ingest refuses what DynamoDB could not store,
and process applies the same rules, because others may send to its queue too.

**Numbers** remain the literals that the client wrote. DynamoDB stores 38 significant digits,
magnitudes from 1E-130 to 9.9…E+125, and zero. So ``1.10``, ``-0`` (stored as 0), ``0E999`` (sent as
0, because AWS rejects this literal) and a one with a hundred zeros are accepted; ``1E126``,
``1E400``, ``1E-131`` and anything of 39 significant digits are refused, never rounded. ``NaN`` and
``Infinity`` are not JSON.

**Time to live** is checked if the schema names its attribute, which only that of ingest does.
DynamoDB stores any value there, but never deletes an item by a value that it cannot use ("Using
time to live (TTL) in DynamoDB"). Clients of ingest can be told. Orders of other producers are
stored regardless: one that never expires is better than one in the dead-letter queue.

**Limits** are those of "Constraints in Amazon DynamoDB" and "DynamoDB item sizes and formats".
Where these are vague (which levels count, how digits are packed), the code follows DynamoDB Local.
"""

import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from json.encoder import encode_basestring_ascii as quote
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from shared.version import Version

MAX_ITEM_BYTES = 400 * 1024
MAX_KEY_BYTES = (2048, 1024)  # partition key, sort key
MAX_NAME_BYTES = 65535
MAX_LEVELS = 32  # of nested objects and arrays, counting the order itself
MAX_DIGITS = 38
MAX_NUMBER_BYTES = 21
EXPONENTS = range(-130, 126)  # of the first significant digit
MAX_EXPIRED_SECONDS = 5 * 365 * 86400  # DynamoDB deletes nothing that expired earlier
MAX_EXPIRY = 253402300799  # the end of the year 9999; in milliseconds, this would be in 1978
MAX_FAULTS = 20  # enough to fix a client
SHOWN_NAME = 64  # characters of an attribute's name that are reported

Value: TypeAlias = Any  # as json returns it, with Number for numbers
Key: TypeAlias = tuple[str, ...]


class KeyAttribute(NamedTuple):
    name: str
    type: str  # "S" or "N"


class Schema(NamedTuple):
    keys: tuple[KeyAttribute, ...]  # partition key, and sort key if there is one
    accepted_at_name: str  # the attribute that the system adds: microseconds since the epoch
    expiry: str | None = None  # the attribute of the time to live, if it is checked
    version: "Version | None" = None  # if the producer decides which order is the newest


class Document(NamedTuple):
    value: Value  # as sent, one order or an array
    orders: list[dict[str, Value]]
    keys: list[Key]  # of the orders; equal if DynamoDB considers them the same


class Fault(NamedTuple):
    order: int | None  # position in the document, from 0
    attribute: str | None
    detail: str

    def __str__(self) -> str:
        """Returns the fault in short ASCII text, whatever the attribute's name is."""
        order = "" if self.order is None else f"order {self.order}: "
        attribute = "" if self.attribute is None else f"{quote(self.attribute[:SHOWN_NAME])} "
        return f"{order}{attribute}{self.detail.encode('ascii', 'backslashreplace').decode()}"


class InvalidDocumentError(ValueError):
    """The document is not JSON or cannot be stored; up to MAX_FAULTS faults say why.

    Attributes:
        faults: In the order of the document.
        is_json: Whether it is.
        logged: What the log says: the first fault, without a detail that may quote an order.
    """

    def __init__(
        self, faults: list[Fault], *, is_json: bool = True, logged: str | None = None
    ) -> None:
        super().__init__(str(faults[0]))
        self.faults = faults
        self.is_json = is_json
        self.logged = logged or str(faults[0])


class Number(str):
    """A JSON number, as its literal in the document."""

    __slots__ = ()


class _RepeatedName(NamedTuple):
    """Stands in for an object with a repeated name, until its order is refused."""

    name: str


class _UnstorableError(Exception):
    """DynamoDB would reject the attribute. The message continues after the attribute's name."""


def read(text: str, schema: Schema) -> Document:
    """Parses and checks a document.

    Raises:
        InvalidDocumentError: It is not JSON or cannot be stored.
    """
    return check(_parse(text), schema)


def check(value: Value, schema: Schema) -> Document:
    """Checks a document that has been parsed.

    Raises:
        InvalidDocumentError: It cannot be stored.
    """
    orders = value if type(value) is list else [value]
    faults = [] if orders else [Fault(None, None, "the array has no order")]
    positions: dict[Key, int] = {}
    for position, order in enumerate(orders):
        found = [Fault(position, *fault) for fault in _faults(order, schema)]
        if not found:
            twin = positions.setdefault(_key(order, schema), position)
            if twin != position:
                found = [Fault(position, schema.keys[0].name, f"repeats the key of order {twin}")]
        faults += found
        if len(faults) >= MAX_FAULTS:
            break
    if faults:
        raise InvalidDocumentError(faults[:MAX_FAULTS])
    return Document(value, orders, list(positions))


def min_encoded_length(text: str) -> int:
    r"""Returns a lower bound for the length of the encoded document, without parsing it.

    Encoding drops a byte order mark and white space, and may shorten an escape of six characters
    to one, and "\/" to "/".
    """
    length = sum(map(len, text.removeprefix("\ufeff").split()))
    if "\\" in text:
        length -= 5 * text.count("\\u") + text.count("\\/")
    return length


def encode(value: Value) -> str:
    """Returns compact ASCII JSON, which SQS accepts entirely, with numbers as they were written."""
    kind = type(value)
    if kind is str:
        return quote(value)
    if kind is Number:
        return str(value)
    if kind is dict:
        return "{" + ",".join([f"{quote(k)}:{encode(v)}" for k, v in value.items()]) + "}"
    if kind is list:
        return "[" + ",".join([encode(element) for element in value]) + "]"
    return "null" if value is None else "true" if value else "false"


def to_wire(value: Value) -> str:
    """Returns DynamoDB's wire format as JSON text, such as ``{"S":"Kopi"}`` or ``{"N":"2"}``."""
    kind = type(value)
    if kind is str:
        return f'{{"S":{quote(value)}}}'
    if kind is Number:
        plain = len(value) <= MAX_DIGITS and "e" not in value and "E" not in value
        return f'{{"N":"{value if plain else normal(value)}"}}'
    if kind is dict:
        members = [f"{quote(name)}:{to_wire(member)}" for name, member in value.items()]
        return f'{{"M":{{{",".join(members)}}}}}'
    if kind is list:
        return f'{{"L":[{",".join([to_wire(element) for element in value])}]}}'
    return '{"NULL":true}' if value is None else '{"BOOL":true}' if value else '{"BOOL":false}'


def _parse(text: str) -> Value:
    try:
        # RFC 8259 lets a parser ignore a byte order mark, which some shells and editors add.
        return _DECODER.decode(text.removeprefix("\ufeff"))
    except json.JSONDecodeError as error:
        detail = f"{error.msg}, line {error.lineno}, column {error.colno}"
    except RecursionError:
        detail = "nested too deeply"
    raise _not_json(detail)


def _not_json(detail: str) -> InvalidDocumentError:
    return InvalidDocumentError([Fault(None, None, f"not valid JSON: {detail}")], is_json=False)


def _members(pairs: list[tuple[str, Value]]) -> dict[str, Value] | _RepeatedName:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    return _RepeatedName(Counter(name for name, _ in pairs).most_common(1)[0][0])


def _refuse_constant(name: str) -> Value:
    raise _not_json(f"{name} is not a number")


_DECODER = json.JSONDecoder(
    parse_int=Number,
    parse_float=Number,
    parse_constant=_refuse_constant,
    object_pairs_hook=_members,
)


def _faults(order: Value, schema: Schema) -> Iterator[tuple[str | None, str]]:
    """Yields what is wrong with an order, with the attribute's name if it is about one."""
    if type(order) is _RepeatedName:
        yield order.name, "appears more than once"
        return
    if type(order) is not dict:
        yield None, "must be a JSON object"
        return
    for key, limit in zip(schema.keys, MAX_KEY_BYTES, strict=False):
        if fault := _key_fault(order.get(key.name), key.type, limit):
            yield key.name, f"{fault if key.name in order else 'is missing'}: it is a key"
    size = len(schema.accepted_at_name.encode()) + _ACCEPTED_AT_BYTES
    for name, value in order.items():
        if name == schema.accepted_at_name:
            yield name, "is reserved for the time of acceptance"
            continue
        try:
            size += _name_bytes(name) + _value_bytes(value, 2)
        except _UnstorableError as error:
            yield name, str(error)
    if schema.expiry in order and (fault := _expiry_fault(order[schema.expiry])):
        yield schema.expiry, fault
    if version := schema.version:
        size += version.reserved_bytes
        yield from version.faults(order)
    if size > MAX_ITEM_BYTES:
        yield None, f"is an item of {size} bytes, and DynamoDB stores {MAX_ITEM_BYTES}"


def _key_fault(value: Value, key_type: str, limit: int) -> str | None:
    if key_type == "N":
        return None if type(value) is Number else "must be a number"
    if type(value) is not str or not value:
        return "must be a string, and not empty"
    # Of at most 4 bytes a character.
    too_long = 4 * len(value) > limit and len(value.encode(errors="replace")) > limit
    return f"must be at most {limit} bytes in UTF-8" if too_long else None


def _expiry_fault(value: Value) -> str | None:
    """Returns why DynamoDB would never delete an item that expires at this time, if so."""
    if type(value) is not Number:
        return "must be a number of whole seconds since 1970, or be left out: the item expires then"
    sign, digits, first = analyse(value)
    if len(digits) > first + 1:
        return "must be whole seconds since 1970, without a fraction"
    # Thirteen digits are out of range anyway, and an exponent may ask for any number of them.
    seconds = int(sign + digits[:13].ljust(min(first, 12) + 1, "0"))
    if seconds > MAX_EXPIRY:
        return "is after the year 9999: it must be in seconds since 1970, not in milliseconds"
    if seconds < int(time.time()) - MAX_EXPIRED_SECONDS:
        return "is more than five years ago, so the item would stay: correct it, or leave it out"
    return None


def _key(order: dict[str, Value], schema: Schema) -> Key:
    """Returns the key as DynamoDB compares it: 1, 1.0 and 10E-1 are the same."""
    return tuple([normal(order[k]) if kind == "N" else order[k] for k, kind in schema.keys])


def _value_bytes(value: Value, level: int) -> int:
    """Returns how many bytes a value takes in an item.

    Raises:
        _UnstorableError: DynamoDB would reject it.
    """
    kind = type(value)
    if kind is str:
        return _utf8_bytes(value)
    if kind is Number:
        return _number_bytes(value) if len(value) > MAX_DIGITS else _short_number_bytes(value)
    if value is None or kind is bool:
        return 1
    if kind is _RepeatedName:
        raise _UnstorableError("contains an object that has a name more than once")
    if level > MAX_LEVELS:
        raise _UnstorableError(f"is nested deeper than DynamoDB's {MAX_LEVELS} levels")
    size = 3 + len(value)
    if kind is dict:
        for name in value:
            size += _name_bytes(name)
        value = value.values()
    for element in value:
        size += _value_bytes(element, level + 1)
    return size


def _utf8_bytes(text: str) -> int:
    try:
        return len(text) if text.isascii() else len(text.encode())
    except UnicodeEncodeError:
        raise _UnstorableError("contains half a surrogate pair, which is not a character") from None


def _name_bytes(name: str) -> int:
    size = _utf8_bytes(name)
    if not 0 < size <= MAX_NAME_BYTES:
        raise _UnstorableError(f"has or contains a name that is not 1 to {MAX_NAME_BYTES} bytes")
    return size


_NUMBER = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?)0*([0-9]*))?")


def analyse(literal: str) -> tuple[str, str, int]:
    """Returns sign, significant digits ("" for zero), and the first digit's power of ten."""
    match: Any = _NUMBER.fullmatch(literal)  # it always matches: json has found the number
    sign, whole, fraction, exponent_sign, exponent = match.groups("")
    digits = (whole + fraction).lstrip("0")
    # Nine digits of the exponent suffice: no document has enough zeros to make up for more.
    first = len(digits) - 1 - len(fraction) + int(exponent_sign + (exponent[:9] or "0"))
    digits = digits.rstrip("0")
    return (sign, digits, first) if digits else ("", "", 0)


def _number_bytes(literal: str) -> int:
    """Returns one byte per two digits, paired from the decimal point, and one or two more."""
    sign, digits, first = analyse(literal)
    if len(digits) > MAX_DIGITS:
        raise _UnstorableError(f"has a number of more than {MAX_DIGITS} significant digits")
    if first not in EXPONENTS:
        raise _UnstorableError("has a number beyond 1E-130 to 9.9E+125, DynamoDB's magnitudes")
    unpaired = len(digits[:1]) if first % 2 == 0 else 0
    size = 1 + len(sign) + unpaired + (len(digits) - unpaired + 1) // 2
    return min(size, MAX_NUMBER_BYTES)


# A document may have a hundred thousand numbers, but few distinct ones.
_short_number_bytes = lru_cache(maxsize=1024)(_number_bytes)

_ACCEPTED_AT_BYTES = _number_bytes("1234567890123456")  # microseconds, until the year 2286


def normal(literal: str) -> str:
    """Returns the canonical literal of a number, short however long the given one is."""
    sign, digits, first = analyse(literal)
    return f"{sign}{digits}E{first - len(digits) + 1}" if digits else "0"
