"""The history of a scenario: every order that was sent, and what its sender knows of it."""

import itertools
import math
import time
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

Order = dict[str, Any]

_numbers = itertools.count(1)


class Outcome(Enum):
    """What the sender knows of an order."""

    ACKNOWLEDGED = "acknowledged"  # answered 202, or confirmed by SQS
    REFUSED = "refused"  # answered 4xx
    INDETERMINATE = "indeterminate"  # no answer, or an error: it may have arrived


def now() -> int:
    """Returns microseconds since the epoch, the unit of accepted_at."""
    return time.time_ns() // 1000


@dataclass
class Attempt:
    """One order that was sent once. Its number is in the order, and so in the row."""

    order: Order
    is_storable: bool = True
    is_genuine: bool = True  # or else signed with a secret that does not hold
    outcome: Outcome = Outcome.INDETERMINATE
    sent_at: int = 0  # microseconds since the epoch
    answered_at: float = math.inf  # accepted_at lies between the two

    @property
    def number(self) -> int:
        number: int = self.order["number"]
        return number

    @property
    def key(self) -> tuple[str, str]:
        return self.order["order_id"], self.order["item"]


@dataclass
class History:
    """The orders of one scenario, each attempt with a unique number."""

    name: str
    version: str = ""  # the attribute whose highest value must stay, if orders have versions
    attempts: dict[int, Attempt] = field(default_factory=dict)

    def order(self, key: int | str, *, is_genuine: bool = True, **attributes: Any) -> Attempt:
        """Adds an order to be sent. A key that was used before makes it a newer version."""
        order = {"order_id": f"{self.name}/{key}", "item": "Kopi Susu", **attributes}
        return self._add(Attempt(order | {"number": next(_numbers)}, is_genuine=is_genuine))

    def permanent_failure(self) -> Attempt:
        """Adds an order that no attempt can store: it lacks a key."""
        order = {"order_id": f"{self.name}/permanent-failure", "number": next(_numbers)}
        return self._add(Attempt(order, is_storable=False))

    def _add(self, attempt: Attempt) -> Attempt:
        self.attempts[attempt.number] = attempt
        return attempt

    def count(self, outcome: Outcome) -> int:
        return sum(attempt.outcome is outcome for attempt in self.attempts.values())
