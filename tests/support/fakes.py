"""Clients that stand in for the functions' own: an SQS and a DynamoDB in memory."""

import hashlib
import json
import math
import re
import threading
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from shared.aws import CallError, Deadline
from shared.queues import md5_of_attributes


def error(code: str) -> CallError:
    """Returns AWS's error with a code."""
    status = 500 if code in ("500", "InternalServerError") else 400
    return CallError(code, status=status)


class FakeSqs:
    """A client of SQS that keeps what is sent.

    Attributes:
        sent: Parameters of the calls of SendMessage.
        troubles: Raised one after another, before anything is sent.
        answers: Returned one after another instead of the right ones.
    """

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.troubles: list[Exception] = []
        self.answers: list[Any] = []

    def call(self, operation: str, parameters: str, deadline: Deadline) -> Any:
        assert operation == "SendMessage"
        if self.troubles:
            raise self.troubles.pop(0)
        message = json.loads(parameters)
        self.sent.append(message)
        if self.answers:
            return self.answers.pop(0)
        return self.right_answer(message)

    def right_answer(self, message: dict[str, Any]) -> dict[str, str]:
        digest = hashlib.md5(message["MessageBody"].encode(), usedforsecurity=False).hexdigest()
        return {
            "MessageId": f"message-{len(self.sent)}",
            "MD5OfMessageBody": digest,
            "MD5OfMessageAttributes": md5_of_attributes(message["MessageAttributes"]),
        }


NAN = float("nan")  # every comparison with it is false
Numbers = dict[str, Any]  # by the names in an expression, NAN for what is missing or no number

# Whether the stored item stays, by the condition of a PutItem; only of what process sends.
STAYS: dict[str, Callable[[Numbers], bool]] = {
    "NOT #accepted_at >= :accepted_at": lambda of: of["#accepted_at"] >= of[":accepted_at"],
    "NOT (#version > :version OR (#version = :version AND #accepted_at <= :accepted_at))": (
        lambda of: (
            of["#version"] > of[":version"]
            or (of["#version"] == of[":version"] and of["#accepted_at"] <= of[":accepted_at"])
        )
    ),
    "NOT (attribute_type(#version, :number) OR #accepted_at >= :accepted_at)": (
        lambda of: not math.isnan(of["#version"]) or of["#accepted_at"] >= of[":accepted_at"]
    ),
}


class FakeDynamoDB:
    """A client of DynamoDB in memory, for the two calls that process makes.

    test_fake_dynamodb holds it to DynamoDB Local.

    Attributes:
        keys: Names of the key attributes.
        table: The items by key.
        calls: The calls so far, such as "put" or "insert 25".
        plan: Called with "call" or "statement" before each of them; returns what happens to it:
            "ok", an error code, or "lost", if it is carried out and no answer arrives.
        refuses: Returns whether an item is one that DynamoDB would refuse.
    """

    def __init__(self, keys: tuple[str, ...] = ("order_id", "item")) -> None:
        self.keys = keys
        self.table: dict[tuple[str, ...], dict[str, Any]] = {}
        self.calls: list[str] = []
        self.plan: Callable[[str], str] = lambda _: "ok"
        self.refuses: Callable[[dict[str, Any]], bool] = lambda _: False
        self._lock = threading.Lock()  # process calls from several threads

    def call(self, operation: str, parameters: str, deadline: Deadline) -> dict[str, Any]:
        arguments = json.loads(parameters)
        with self._lock:
            if operation == "PutItem":
                return self._put_item(**arguments)
            assert operation == "BatchExecuteStatement"
            return self._execute(**arguments)

    def _execute(self, Statements: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        self.calls.append(f"insert {len(Statements)}")
        plan = self.plan("call")
        items = [self._parse(**statement) for statement in Statements]
        keys = [self._key(item) for item in items]
        if len(set(keys)) < len(keys) or len(Statements) > 25:
            raise error("ValidationException")
        if plan not in ("ok", "lost"):
            raise error(plan)
        answers: list[dict[str, Any]] = []
        for key, item in zip(keys, items, strict=True):
            code = self.plan("statement")
            if code == "ok" and self.refuses(item):
                code = "ValidationError"
            if code == "ok" and key in self.table:
                code = "DuplicateItem"
            if code == "ok":
                self.table[key] = item
            answers.append({} if code == "ok" else {"Error": {"Code": code, "Message": "…"}})
        if plan == "lost":
            raise CallError("ReadTimeout")
        return {"Responses": answers}

    def _put_item(
        self,
        TableName: str,  # noqa: N803
        Item: dict[str, Any],  # noqa: N803
        ConditionExpression: str,  # noqa: N803
        ExpressionAttributeNames: dict[str, str],  # noqa: N803
        ExpressionAttributeValues: dict[str, Any],  # noqa: N803
    ) -> dict[str, Any]:
        self.calls.append("put")
        plan = self.plan("call")
        if plan not in ("ok", "lost"):
            raise error(plan)
        if self.refuses(Item):
            raise error("ValidationException")
        stored = self.table.get(self._key(Item), {})
        numbers = {
            short: stored.get(n, {}).get("N") for short, n in ExpressionAttributeNames.items()
        }
        numbers |= {short: value.get("N") for short, value in ExpressionAttributeValues.items()}
        compared = {short: NAN if n is None else Fraction(n) for short, n in numbers.items()}
        if STAYS[ConditionExpression](compared):
            raise error("ConditionalCheckFailedException")
        self.table[self._key(Item)] = Item
        if plan == "lost":
            raise CallError("ReadTimeout")
        return {}

    def _key(self, item: dict[str, Any]) -> tuple[str, ...]:
        return tuple(item[key]["S"] for key in self.keys)

    @staticmethod
    def _parse(Statement: str, Parameters: list[Any]) -> dict[str, Any]:  # noqa: N803
        names = re.findall(r"'((?:[^']|'')*)':\?", Statement)
        assert len(names) == len(Parameters)
        return {name.replace("''", "'"): v for name, v in zip(names, Parameters, strict=True)}
