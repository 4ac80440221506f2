"""A stand-in for DynamoDB with one table, as slow as AWS's.

It sleeps before it answers, so that any number of calls can wait in parallel. It supports the two
calls that process makes, the tutorial's PutItem without a condition, and BatchWriteItem to fill it.
"""

import json
import re
import time
from threading import Lock
from typing import Any, ClassVar, TypeAlias

from benchmarks import sides
from benchmarks.stub import Stub, serve

SECONDS = {"PutItem": 0.006, "BatchExecuteStatement": 0.012, "BatchWriteItem": 0.0}

Item: TypeAlias = dict[str, Any]

KEYS = [key["name"] for key in json.loads(sides.ENVIRONMENT["TABLE_KEYS"])]
ACCEPTED_AT = sides.ENVIRONMENT["ACCEPTED_AT_ATTRIBUTE"]
NAMES = re.compile(r"'((?:[^']|'')*)':\?")


class DynamoDBStub(Stub):
    table: ClassVar[dict[tuple[str, ...], Item]] = {}
    lock = Lock()

    def answer(self, operation: str, parameters: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        until = time.monotonic() + SECONDS[operation]
        with self.lock:
            status, output = getattr(self, operation)(**parameters)
        time.sleep(max(0, until - time.monotonic()))
        return status, output

    def PutItem(self, Item: Item, **condition: Any) -> tuple[int, dict[str, Any]]:  # noqa: N802, N803
        stored = self.table.get(_key(Item), {}).get(ACCEPTED_AT)
        if (
            "ConditionExpression" in condition
            and stored
            and int(stored["N"]) >= int(Item[ACCEPTED_AT]["N"])
        ):
            code = "ConditionalCheckFailedException"
            return 400, {"__type": f"com.amazonaws.dynamodb.v20120810#{code}"}
        self.table[_key(Item)] = Item
        return 200, {}

    def BatchExecuteStatement(self, Statements: list[Any]) -> tuple[int, dict[str, Any]]:  # noqa: N802, N803
        return 200, {"Responses": [self._insert(**statement) for statement in Statements]}

    def BatchWriteItem(self, RequestItems: dict[str, Any]) -> tuple[int, dict[str, Any]]:  # noqa: N802, N803
        for request in RequestItems[sides.TABLE]:
            item = request["PutRequest"]["Item"]
            self.table[_key(item)] = item
        return 200, {"UnprocessedItems": {}}

    def _insert(self, Statement: str, Parameters: list[Any]) -> dict[str, Any]:  # noqa: N803
        names = [name.replace("''", "'") for name in NAMES.findall(Statement)]
        item = dict(zip(names, Parameters, strict=True))
        if self.table.setdefault(_key(item), item) is not item:
            return {"TableName": sides.TABLE, "Error": {"Code": "DuplicateItem", "Message": "…"}}
        return {"TableName": sides.TABLE}


def _key(item: Item) -> tuple[str, ...]:
    return tuple(item[name]["S"] for name in KEYS)


if __name__ == "__main__":
    serve(DynamoDBStub)
