"""Entries for the write path, and a table to write them to: an engine's or one in memory."""

import json
from collections.abc import Sequence
from typing import Any, Self
from unittest.mock import Mock

from local.engines import Engine
from process.messages import Entry, Outcome
from process.versions import VersionedWriter
from process.writer import Writer
from shared.aws import Deadline
from tests.support.engines import functions_client
from tests.support.fakes import FakeDynamoDB

WRITTEN, SUPERSEDED, TRANSIENT_FAILURE, PERMANENT_FAILURE = Outcome
ACCEPTED_AT = "it's ü accepted_at"  # an attribute name that has to be quoted
VERSION = "it's ü version"
ENOUGH = Deadline(lambda: 30.0)


def entry(key: str, accepted_at: int = 1, **attributes: Any) -> Entry:
    item = {"order_id": {"S": key}, "item": {"S": "Kopi"}, **attributes}
    item[ACCEPTED_AT] = {"N": str(accepted_at)}
    wire = {name: json.dumps(value) for name, value in item.items()}
    return Entry((key, "Kopi"), accepted_at, wire)


def versioned_entry(key: str, accepted_at: int, version: str | None) -> Entry:
    kept = {} if version is None else {VERSION: {"N": version}}
    return entry(key, accepted_at, **kept)._replace(version=version)


def item_of(entry: Entry) -> dict[str, Any]:
    return {name: json.loads(value) for name, value in entry.item.items()}


class Table:
    """A table with a writer for it; without an engine, the table is a fake one."""

    def __init__(
        self,
        engine: Engine | None = None,
        implementation: str = "builtin",
        *,
        parallel_calls: int = 1,
        has_versions: bool = False,
    ) -> None:
        self.fake = FakeDynamoDB()
        self._engine = engine
        self.client: Any = self.fake
        if engine:
            engine.create_table("orders", order_id="S", item="S")
            self.client = functions_client(engine, implementation=implementation)
        arguments = (self.client, "orders", ACCEPTED_AT, parallel_calls)
        self._writer = VersionedWriter(*arguments, VERSION) if has_versions else Writer(*arguments)

    def write(self, *entries: Entry, deadline: Deadline = ENOUGH) -> Sequence[Outcome]:
        return self._writer.write(entries, deadline)

    def without_put_item(self) -> Self:
        """Fails instead of using PutItem, which would hide what a statement does wrong."""
        self._writer._put = Mock(side_effect=AssertionError)  # type: ignore[method-assign]
        return self

    def put(self, item: dict[str, Any]) -> None:
        assert self._engine
        self._engine.client.put_item(TableName="orders", Item=item)

    def items(self) -> dict[str, dict[str, Any]]:
        """Returns the items by order_id."""
        items = self._engine.items("orders") if self._engine else list(self.fake.table.values())
        return {item["order_id"]["S"]: item for item in items}

    def accepted_at(self) -> dict[str, int]:
        """Returns when the stored orders were accepted, by order_id."""
        return {key: int(item[ACCEPTED_AT]["N"]) for key, item in self.items().items()}
