"""What is sent: keys, orders a request, sizes and tenants, by a file of weights.

Each request follows from the seed and its number alone, so that any process can make it, and the
ledger can make it again.
"""

from __future__ import annotations

import json
import math
import random
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, Self

from async_ingest.errors import USAGE, OpsError
from async_ingest.system import Key, System, decoded

MARK = "load_mark"  # the attribute of each order that says which it is
PADDING = "load_padding"
LIFETIME_SECONDS = 86400  # of a row, where the table has a time to live
KEYS = (Key("order_id", "S"), Key("item", "S"))  # the module's default

Order = dict[str, Any]
Weights = Mapping[Any, float]


class Mark(NamedTuple):
    """Which order of which run."""

    run: str
    request: int
    position: int

    @classmethod
    def read(cls, text: Any) -> Self | None:
        """Returns the mark of an order, or None if it has none."""
        parts = str(text).split(":")
        if len(parts) != 3 or not (parts[1].isdecimal() and parts[2].isdecimal()):
            return None
        return cls(parts[0], int(parts[1]), int(parts[2]))

    def __str__(self) -> str:
        return f"{self.run}:{self.request}:{self.position}"


@dataclass(frozen=True)
class Mix:
    """The shares of a file; by default one small order with a new key a request.

    Attributes:
        known_share: Of the orders, how many have a key of the known ones, from 0 to 1.
        known_keys: How many known keys there are; they are the same in each run.
        orders_per_request: A number, or weights by number; above 1 it is an array.
        bytes_per_order: The same, as compact JSON; an order may need more.
        tenants: Weights by name; the orders of a request share one.
        tenant_attribute: Whose value that is; by default the system's `fair_queue_attribute`.
        attributes: Of each order, such as what your hooks demand.
    """

    known_share: float = 0.0
    known_keys: int = 1000
    orders_per_request: Weights = field(default_factory=lambda: {1: 1.0})
    bytes_per_order: Weights = field(default_factory=lambda: {0: 1.0})
    tenants: Weights = field(default_factory=dict)
    tenant_attribute: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Reads a file in TOML or JSON. Raises OpsError, with what is wrong."""
        try:
            text = path.read_text()
            document = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
            return cls.of(document)
        except (OSError, ValueError, TypeError) as error:
            raise OpsError(f"{path}: {error}", USAGE) from None

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """Returns the mix of a document. Raises ValueError, or TypeError."""
        known = {one.name for one in fields(cls)}
        if unknown := set(document) - known:
            raise ValueError(f"unknown: {', '.join(sorted(unknown))}; known are {sorted(known)}")
        given = dict(document)
        for name, least in (("orders_per_request", 1), ("bytes_per_order", 0)):
            if name in given:
                given[name] = _weights(name, given[name], least)
        if "tenants" in given:
            given["tenants"] = {str(k): _weight(k, v) for k, v in dict(given["tenants"]).items()}
        made = cls(**given)
        if not 0 <= made.known_share <= 1:
            raise ValueError("known_share is from 0 to 1")
        if made.known_share and made.known_keys < max(made.orders_per_request):
            raise ValueError("known_keys must be at least the largest of orders_per_request")
        return made

    def as_json(self) -> dict[str, Any]:
        return dict(vars(self))


@dataclass(frozen=True)
class Generator:
    """Makes the requests of a run.

    Attributes:
        mix: Their shares.
        run: A name that no other run has.
        seed: The same seed has the same requests, apart from the run's name.
        keys: The table's.
        common: Attributes that the system demands of each order.
        version: The attribute that is an order's version, if there is one, and its type.
        epoch: From which versions count, in microseconds.
    """

    mix: Mix
    run: str
    seed: int = 0
    keys: Sequence[Key] = KEYS
    common: Mapping[str, Any] = field(default_factory=dict)
    version: Key | None = None
    epoch: int = 0

    def count(self, request: int) -> int:
        """Returns how many orders a request has."""
        return int(_drawn(self._random(request), self.mix.orders_per_request))

    def orders(self, request: int) -> list[Order]:
        """Returns the orders of a request. Their keys differ from each other."""
        draw = self._random(request)
        count = int(_drawn(draw, self.mix.orders_per_request))
        tenant = str(_drawn(draw, self.mix.tenants)) if self.mix.tenants else None
        places = range(count) if self.mix.known_share else ()
        known = [place for place in places if draw.random() < self.mix.known_share]
        numbers = dict(zip(known, draw.sample(range(self.mix.known_keys), len(known)), strict=True))
        made = []
        for place in range(count):
            order = self._order(Mark(self.run, request, place), numbers.get(place))
            if tenant is not None:
                order[str(self.mix.tenant_attribute)] = tenant
            made.append(_padded(order, int(_drawn(draw, self.mix.bytes_per_order))))
        return made

    def body(self, request: int) -> bytes:
        """Returns a request's body: an object, or an array of more than one."""
        orders = self.orders(request)
        return _compact(orders if len(orders) > 1 else orders[0])

    def _random(self, request: int) -> random.Random:
        return random.Random(f"{self.seed}:{request}")  # noqa: S311 - nothing is kept secret by it

    def _order(self, mark: Mark, known: int | None) -> Order:
        order: Order = {**self.common, **self.mix.attributes, MARK: str(mark)}
        for key in self.keys:
            if key.type == "N":  # negative, because numbers of orders rarely are
                new = -(self.epoch * 10**10 + mark.request * 10**4 + mark.position) - 10**6
                order[key.name] = new if known is None else -1 - known
            else:
                order[key.name] = f"load-{mark}" if known is None else f"load-known-{known}"
        if self.version:
            at = self.epoch + mark.request
            order[self.version.name] = at if self.version.type == "N" else _time(at)
        return order


def generator(mix: Mix, run: str, seed: int, system: System | None, now: float) -> Generator:
    """Returns what makes the requests of a run, as the system demands them.

    Raises:
        OpsError: The mix has tenants, and nothing says which attribute names them.
    """
    variables = system.environment(system.ingest_function) if system else {}
    attribute = mix.tenant_attribute or variables.get("FAIR_QUEUE_ATTRIBUTE")
    if mix.tenants and not attribute:
        raise OpsError(
            "The mix has tenants, and the system has no fair_queue_attribute: set tenant_attribute "
            "in the mix, or leave tenants out.",
            USAGE,
        )
    version = decoded(variables.get("ORDER_VERSION"))
    expiry = variables.get("TTL_ATTRIBUTE")
    return Generator(
        replace(mix, tenant_attribute=attribute),
        run,
        seed,
        system.keys if system else KEYS,
        {expiry: int(now) + LIFETIME_SECONDS} if expiry else {},
        Key(version["name"], version["type"]) if version else None,
        int(now * 1e6),
    )


def _weights(name: str, given: Any, least: int) -> dict[int, float]:
    """Returns weights by number, of one number or of a table."""
    if isinstance(given, int):
        given = {given: 1}
    made = {int(number): _weight(number, weight) for number, weight in dict(given).items()}
    if not made or min(made) < least:
        raise ValueError(f"{name} needs numbers from {least}")
    return made


def _weight(name: Any, given: Any) -> float:
    weight = float(given)
    if not 0 < weight < math.inf:
        raise ValueError(f"the weight of {name} must be above 0")
    return weight


def _drawn(draw: random.Random, weights: Weights) -> Any:
    if len(weights) == 1:
        return next(iter(weights))
    return draw.choices(list(weights), list(weights.values()))[0]


def _padded(order: Order, size: int) -> Order:
    """Returns an order of so many bytes, or as it is if it lacks fewer than an attribute needs."""
    lacks = size - len(_compact(order)) - len(f',"{PADDING}":""')
    return order | {PADDING: "x" * lacks} if lacks >= 0 else order


def _compact(document: Any) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def _time(microseconds: int) -> str:
    time = datetime.fromtimestamp(microseconds // 10**6, UTC)
    return f"{time:%Y-%m-%dT%H:%M:%S}.{microseconds % 10**6:06}Z"
