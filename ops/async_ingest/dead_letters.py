"""Dead letters: why they are there, which of them are meant, and how they are sent again."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Any, Self

Attributes = dict[str, dict[str, Any]]
"""By name: DataType and either StringValue or BinaryValue (bytes), as boto3 has them."""

MAX_ATTRIBUTES = 10  # of a message: "Amazon SQS message quotas"
MAX_AHEAD_MICROSECONDS = 300 * 10**6  # as the process function allows a producer's clock
WITHOUT_REASON = "(no reason: every delivery failed; the process function's log has the cause)"
STRIPPED = ("failure_reason", "failed_at")  # what process adds, and what a new delivery is without

_MICROSECONDS = re.compile("[1-9][0-9]{0,15}")
_POSITION = re.compile("^order [0-9]+: ")


@dataclass(frozen=True)
class DeadLetter:
    """A message as ReceiveMessage returns it, with all attributes."""

    raw: Mapping[str, Any]

    @classmethod
    def from_export(cls, exported: Mapping[str, Any]) -> Self:
        attributes = {
            name: {
                part: base64.b64decode(value) if part == "BinaryValue" else value
                for part, value in attribute.items()
            }
            for name, attribute in exported["attributes"].items()
        }
        return cls(
            {
                "MessageId": exported["message_id"],
                "Body": exported["body"],
                "MessageAttributes": attributes,
                "Attributes": exported["system_attributes"],
            }
        )

    @property
    def id(self) -> str:
        return str(self.raw["MessageId"])

    @property
    def handle(self) -> str:
        return str(self.raw["ReceiptHandle"])

    @property
    def body(self) -> str:
        return str(self.raw["Body"])

    @property
    def attributes(self) -> Attributes:
        return self.raw.get("MessageAttributes") or {}

    @property
    def system(self) -> dict[str, str]:
        return self.raw.get("Attributes") or {}

    def text(self, name: str) -> str | None:
        """Returns the value of an attribute, unless it is absent or binary."""
        return self.attributes.get(name, {}).get("StringValue")

    @property
    def reason(self) -> str | None:
        return self.text("failure_reason")

    @property
    def kind(self) -> str:
        """The reason without the position of the order, so that equal ones can be counted."""
        return _POSITION.sub("", self.reason) if self.reason else WITHOUT_REASON

    @property
    def sent_ms(self) -> int:
        """When it was first enqueued. SQS keeps that when it moves a message here."""
        return int(self.system.get("SentTimestamp", 0))

    @property
    def accepted_at(self) -> int:
        """When its orders were accepted, in microseconds, by the rule of the process function."""
        given, sent_at = self.text("accepted_at") or "", self.sent_ms * 1000
        if _MICROSECONDS.fullmatch(given):
            return min(int(given), sent_at + MAX_AHEAD_MICROSECONDS)
        return sent_at

    @property
    def original_id(self) -> str:
        return self.text("original_message_id") or self.id

    @property
    def replays(self) -> int:
        given = self.text("replays") or "0"
        return int(given) if given.isdecimal() else 0

    @cached_property
    def orders(self) -> list[dict[str, Any]]:
        """The orders in it, with numbers as Decimal; none if it is not JSON."""
        try:
            document = json.loads(self.body, parse_float=Decimal, parse_int=Decimal)
        except (ValueError, RecursionError):
            return []
        found = document if isinstance(document, list) else [document]
        return [order for order in found if isinstance(order, dict)]

    def is_unaltered(self) -> bool:
        """Returns whether the body has the digest that SQS states."""
        return bool(self.raw.get("MD5OfBody") == md5(self.body))

    def attributes_to_send(self) -> Attributes | None:
        """Returns the attributes of a new delivery, or None if there is no room for accepted_at.

        Without it, the order would count as accepted now, and could overwrite a newer one.
        """
        kept = {
            name: {
                part: given[part]
                for part in ("DataType", "StringValue", "BinaryValue")
                if given.get(part) is not None
            }
            for name, given in self.attributes.items()
            if name not in STRIPPED
        }
        ours = {
            "accepted_at": ("Number", str(self.accepted_at)),
            "original_message_id": ("String", self.original_id),
            "replays": ("Number", str(self.replays + 1)),
        }
        for name, (kind, value) in ours.items():
            if name in kept or len(kept) < MAX_ATTRIBUTES:
                kept[name] = {"DataType": kind, "StringValue": value}
        return kept if "accepted_at" in kept else None

    def exported(self) -> dict[str, Any]:
        """Returns it as one JSON object, binary values in base64."""
        attributes = {
            name: {
                part: base64.b64encode(value).decode() if isinstance(value, bytes) else value
                for part, value in attribute.items()
            }
            for name, attribute in self.attributes.items()
        }
        return {
            "message_id": self.id,
            "body": self.body,
            "attributes": attributes,
            "system_attributes": self.system,
        }


@dataclass(frozen=True)
class Selection:
    """Which dead letters are meant; all by default."""

    reason: str | None = None  # a part of it, in any case
    without_reason: bool = False
    older_than: float | None = None  # seconds since acceptance
    newer_than: float | None = None
    keys: Mapping[str, str] = field(default_factory=dict)  # values of order attributes
    limit: int | None = None

    @property
    def is_everything(self) -> bool:
        return self == Selection()

    def matches(self, letter: DeadLetter, now: float | None = None) -> bool:
        """Returns whether a dead letter is meant, apart from the limit."""
        age = (now or time.time()) - letter.accepted_at / 1e6
        return (
            (self.reason is None or self.reason.lower() in (letter.reason or "").lower())
            and not (self.without_reason and letter.reason)
            and (self.older_than is None or age > self.older_than)
            and (self.newer_than is None or age < self.newer_than)
            and (not self.keys or any(map(self._names, letter.orders)))
        )

    def _names(self, order: Mapping[str, Any]) -> bool:
        return all(_is_value(order.get(name), value) for name, value in self.keys.items())

    def as_json(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if value not in (None, {}, False)}

    def __str__(self) -> str:
        words = {
            f"reason contains {self.reason!r}": self.reason is not None,
            "no reason": self.without_reason,
            f"accepted more than {self.older_than} s ago": self.older_than is not None,
            f"accepted less than {self.newer_than} s ago": self.newer_than is not None,
            f"at most {self.limit}": self.limit is not None,
            **{f"{name} = {value}": True for name, value in self.keys.items()},
        }
        return ", ".join(word for word, is_set in words.items() if is_set) or "all"


def _is_value(given: Any, wanted: str) -> bool:
    if isinstance(given, Decimal):
        try:
            return given == Decimal(wanted)
        except InvalidOperation:
            return False
    return isinstance(given, str) and given == wanted


def entry(letter: DeadLetter, number: int, attributes: Attributes) -> dict[str, Any]:
    """Returns an entry of SendMessageBatch: body, attributes, tenant and trace are kept."""
    made: dict[str, Any] = {
        "Id": str(number),
        "MessageBody": letter.body,
        "MessageAttributes": attributes,
    }
    if group := letter.system.get("MessageGroupId"):
        made["MessageGroupId"] = group
    if trace := letter.system.get("AWSTraceHeader"):
        header = {"DataType": "String", "StringValue": trace}
        made["MessageSystemAttributes"] = {"AWSTraceHeader": header}
    return made


def size(letter: DeadLetter, attributes: Attributes) -> int:
    """Returns the bytes of a message that count: its body, and attributes with their names."""
    texts: Iterable[str | bytes] = (
        part for name, one in attributes.items() for part in (name, *one.values())
    )
    return sum(
        len(one if isinstance(one, bytes) else one.encode()) for one in (letter.body, *texts)
    )


def md5(content: str | bytes) -> str:
    data = content.encode() if isinstance(content, str) else content
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def md5_of(attributes: Attributes) -> str:
    """Returns the digest by "Calculating the MD5 message digest for message attributes"."""

    def framed(part: str | bytes) -> bytes:
        data = part.encode() if isinstance(part, str) else part
        return len(data).to_bytes(4, "big") + data

    encoded = b""
    for name in sorted(attributes):
        one = attributes[name]
        mark, value = (
            (b"\x02", one["BinaryValue"]) if "BinaryValue" in one else (b"\x01", one["StringValue"])
        )
        encoded += framed(name) + framed(one["DataType"]) + mark + framed(value)
    return md5(encoded)
