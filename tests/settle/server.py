"""Serves a table and a dead-letter queue over HTTP, as slow and limited as AWS's.

python -m tests.settle.server prints its port, and serves until its input ends. Waiting for a slow
answer costs no CPU. It knows only the calls that the write path makes.
"""

import asyncio
import hashlib
import json
import math
import re
import sys
import threading
import zlib
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass, field
from random import Random
from typing import Any

from local.latency import Latency

KEYS = ("id", "sort")
ACCEPTED_AT = "accepted_at"
VERSION = "order_version_N_revision"
CONDITION = "NOT #accepted_at >= :accepted_at"
VERSION_CONDITION = (
    "NOT (#version > :version OR (#version = :version AND #accepted_at <= :accepted_at))"
)
UNIT_BYTES = 1024  # per write unit: "Write capacity units", DynamoDB's developer guide
BURST_SECONDS = 0.1  # a partition can save up its units of so long
_STATEMENT = re.compile(r"""INSERT INTO "orders" VALUE \{(.*)\}""", re.DOTALL)
_MEMBER = re.compile(r"'((?:[^']|'')*)':\?")


@dataclass
class Settings:
    """How the table behaves, which can change while it runs."""

    # Durations in seconds of PutItem and of BatchExecuteStatement: median and 99th percentile.
    put: tuple[float, float] = (0.0, 0.0)
    batch: tuple[float, float] = (0.0, 0.0)
    units_per_second: float = math.inf  # per partition key; 1,000 in a real table
    stalled_share: float = 0.0  # share of the calls that take stalled_seconds
    stalled_seconds: float = 0.0
    failure: str = (
        ""  # error code of every call, or "closed" to close connections without an answer
    )


@dataclass
class Table:
    """The stored items, the dead letters, and counts of the calls."""

    settings: Settings = field(default_factory=Settings)
    accepted_at: dict[tuple[str, ...], int] = field(default_factory=dict)  # of the items, by key
    versions: dict[tuple[str, ...], int] = field(default_factory=dict)  # of those that have one
    dead_letters: list[str] = field(default_factory=list)  # bodies
    calls: Counter[str] = field(default_factory=Counter)
    random: Random = field(default_factory=lambda: Random(0))
    _units: dict[str, tuple[float, float]] = field(
        default_factory=lambda: defaultdict(lambda: (0.0, -math.inf))
    )

    def put_item(self, request: dict[str, Any], now: float) -> tuple[int, dict[str, Any]]:
        assert request["TableName"] == "orders"
        key = _key(request["Item"])
        if not self._has_units(key[0], request["Item"], now):
            return 400, _error("ProvisionedThroughputExceededException")
        if self._stays(key, request):
            return 400, _error("ConditionalCheckFailedException")
        self._store(key, request["Item"])
        return 200, {}

    def insert(self, request: dict[str, Any], now: float) -> tuple[int, dict[str, Any]]:
        items = [_inserted(**statement) for statement in request["Statements"]]
        keys = [_key(item) for item in items]
        if not 1 <= len(items) <= 25 or len(set(keys)) < len(keys):
            return 400, _error("ValidationException")
        codes = [self._inserts(key, item, now) for key, item in zip(keys, items, strict=True)]
        if set(codes) == {"ThrottlingError"}:
            return 400, _error("ProvisionedThroughputExceededException")
        return 200, {
            "Responses": [
                {"Error": {"Code": code, "Message": "…"}} if code else {"TableName": "orders"}
                for code in codes
            ]
        }

    def send_message(self, request: dict[str, Any], _now: float) -> tuple[int, dict[str, Any]]:
        self.dead_letters.append(request["MessageBody"])
        return 200, {
            "MessageId": str(len(self.dead_letters)),
            "MD5OfMessageBody": _md5(request["MessageBody"].encode()),
            "MD5OfMessageAttributes": _md5_of_attributes(request["MessageAttributes"]),
        }

    def _inserts(self, key: tuple[str, ...], item: dict[str, Any], now: float) -> str:
        if not self._has_units(key[0], item, now):
            return "ThrottlingError"
        if key in self.accepted_at:
            return "DuplicateItem"
        self._store(key, item)
        return ""

    def _stays(self, key: tuple[str, ...], request: dict[str, Any]) -> bool:
        """Whether a PutItem's condition keeps what is stored."""
        names = request["ExpressionAttributeNames"]
        values = {n: int(v["N"]) for n, v in request["ExpressionAttributeValues"].items()}
        at = self.accepted_at.get(key, 0)
        if request["ConditionExpression"] == CONDITION:
            assert names == {"#accepted_at": ACCEPTED_AT}
            return at >= values[":accepted_at"]
        assert request["ConditionExpression"] == VERSION_CONDITION
        assert names == {"#accepted_at": ACCEPTED_AT, "#version": VERSION}
        if key not in self.versions:
            return False
        stored, version = self.versions[key], values[":version"]
        return stored > version or (stored == version and at <= values[":accepted_at"])

    def _store(self, key: tuple[str, ...], item: dict[str, Any]) -> None:
        self.accepted_at[key] = int(item[ACCEPTED_AT]["N"])
        if VERSION in item:
            self.versions[key] = int(item[VERSION]["N"])

    def _has_units(self, partition: str, item: dict[str, Any], now: float) -> bool:
        """Consumes a write's units of its partition, even if the key exists."""
        limit = self.settings.units_per_second
        if math.isinf(limit):
            return True
        needed = math.ceil(len(json.dumps(item)) / UNIT_BYTES)
        left, at = self._units[partition]
        left = min(BURST_SECONDS * limit, left + limit * min(now - at, 1.0))
        self._units[partition] = (left - needed if left >= needed else left, now)
        return left >= needed

    def seconds(self, operation: str) -> float:
        """Returns the duration of the next call of an operation."""
        if self.random.random() < self.settings.stalled_share:
            return self.settings.stalled_seconds
        is_batch = operation == "BatchExecuteStatement"
        latency = Latency(*(self.settings.batch if is_batch else self.settings.put))
        return latency.sample(self.random) if latency.median else 0.0

    # Requests of the runner.

    def configure(self, request: dict[str, Any]) -> dict[str, Any]:
        self.settings = Settings(**asdict(self.settings) | request)
        return {}

    def store(self, request: dict[str, Any]) -> dict[str, Any]:
        self.accepted_at |= {tuple(key): at for key, at in request["accepted_at"]}
        return {}

    def dump(self, _request: dict[str, Any]) -> dict[str, Any]:
        accepted_at = list(self.accepted_at.items())
        return {"accepted_at": accepted_at, "dead_letters": self.dead_letters, "calls": self.calls}


class Connection(asyncio.Protocol):
    """HTTP/1.1 with persistent connections and no pipelining, as the functions' client uses it."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._received = bytearray()
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head_ends = self._received.find(b"\r\n\r\n")
        if head_ends < 0:
            return
        first, *lines = self._received[:head_ends].decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value for name, _, value in (line.partition(": ") for line in lines)
        }
        ends = head_ends + 4 + int(headers.get("content-length", "0"))
        if len(self._received) < ends:
            return
        body = bytes(self._received[head_ends + 4 : ends])
        del self._received[:ends]
        target = headers.get("x-amz-target", "")
        if target:
            self._call(target.rpartition(".")[2], body)
        else:
            job = getattr(self._table, first.split("/")[1].split()[0])
            self._answer(200, json.dumps(job(json.loads(body))).encode())

    def _call(self, operation: str, body: bytes) -> None:
        """Carries out a call immediately, and answers after its duration."""
        self._table.calls[operation] += 1
        loop = asyncio.get_running_loop()
        failure = self._table.settings.failure
        if failure == "closed":
            self._transport.close()
            return
        if failure:
            answer = 400 if failure.startswith(("Throttl", "Provisioned")) else 500, _error(failure)
        else:
            answer = _OPERATIONS[operation](self._table, json.loads(body), loop.time())
        content = json.dumps(answer[1]).encode()
        seconds = self._table.seconds(operation)
        if seconds:
            loop.call_later(seconds, self._answer, answer[0], content)
        else:
            self._answer(answer[0], content)

    def _answer(self, status: int, content: bytes) -> None:
        head = (
            f"HTTP/1.1 {status} .\r\ncontent-length: {len(content)}\r\n"
            f"x-amz-crc32: {zlib.crc32(content)}\r\nx-amzn-requestid: settle\r\n\r\n"
        )
        self._transport.write(head.encode() + content)


_OPERATIONS = {
    "PutItem": Table.put_item,
    "BatchExecuteStatement": Table.insert,
    "SendMessage": Table.send_message,
}


def _error(code: str) -> dict[str, Any]:
    return {"__type": f"com.amazonaws#{code}", "message": "…"}


def _key(item: dict[str, Any]) -> tuple[str, ...]:
    return tuple(item[name]["S"] for name in KEYS)


def _inserted(Statement: str, Parameters: list[Any]) -> dict[str, Any]:  # noqa: N803
    match = _STATEMENT.fullmatch(Statement)
    assert match
    names = [name.replace("''", "'") for name in _MEMBER.findall(match[1])]
    return dict(zip(names, Parameters, strict=True))


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _md5_of_attributes(attributes: dict[str, dict[str, str]]) -> str:
    digest = b""
    for name, attribute in sorted(attributes.items()):
        for part in (name, attribute["DataType"]):
            digest += len(part.encode()).to_bytes(4) + part.encode()
        value = attribute["StringValue"].encode()
        digest += b"\1" + len(value).to_bytes(4) + value
    return _md5(digest)


async def _serve() -> None:
    table = Table()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(table), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    ended = asyncio.Event()

    def wait() -> None:
        sys.stdin.read()
        loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=wait, daemon=True).start()
    await ended.wait()


if __name__ == "__main__":
    asyncio.run(_serve())
