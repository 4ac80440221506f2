"""The write path: the newest order of each key wins, at the price of a bulk write.

Orders of keys that the table does not have yet, nearly all, are written 25 in a call by PartiQL
``INSERT``, which puts an item if its key is absent and answers for each item on its own. A
conditional ``PutItem`` settles the others and has the last word. docs/decisions has the reasons.

Nothing is written a second time here, but for the SDK's second attempt: a throttled partition needs
seconds, which are billed while the function waits, and SQS delivers again anyway.
"""

import logging
from collections.abc import Callable, Sequence
from enum import Enum
from functools import lru_cache
from typing import Any, NamedTuple

from shared import aws

MAX_STATEMENTS = 25  # in a call: API reference, "BatchExecuteStatement"
MAX_STATEMENT_BYTES = 8192  # API reference, "BatchStatementRequest"; DynamoDB Local counts UTF-8

LOG = logging.getLogger()


class Entry(NamedTuple):
    key: tuple[str, ...]
    stamp: int  # microseconds since the epoch
    item: dict[str, dict[str, Any]]  # in wire format, the stamp included


class Outcome(Enum):
    WRITTEN = 1
    SUPERSEDED = 2  # a newer order of the key, or this very one, is stored
    FAILED = 3  # perhaps not stored; another attempt may succeed
    REFUSED = 4  # DynamoDB will never store this item


class Writer:
    """Writes to a table whose items have their stamp in the attribute ``stamp_name``."""

    def __init__(self, client: Any, table: str, stamp_name: str) -> None:
        self._client = client
        self._table = table
        self._stamp_name = stamp_name

    def write(self, entries: Sequence[Entry], has_time: Callable[[], bool]) -> list[Outcome]:
        """Writes the newest entry of each key, in the order in which the keys first come.

        An older one shares its fate: superseded if the newest is stored, failed if that failed,
        or nothing would be left should the newest end in the dead-letter queue. Only if DynamoDB
        refuses the newest, the next is tried. Of two with the same stamp, the first is the newer.

        Args:
            entries: In any order.
            has_time: Whether the invocation has time for one more call. If not, the rest fails.

        Returns:
            The outcomes of the entries.
        """
        outcomes = [Outcome.FAILED] * len(entries)
        rivals: dict[tuple[str, ...], list[int]] = {}
        for index, entry in enumerate(entries):
            rivals.setdefault(entry.key, []).append(index)
        for indexes in rivals.values():
            indexes.sort(key=lambda index: -entries[index].stamp)
        pending = list(rivals.values())
        while pending:
            chunk, pending = pending[:MAX_STATEMENTS], pending[MAX_STATEMENTS:]
            results = self._write_chunk([entries[newest] for newest, *_ in chunk], has_time)
            for (newest, *older), outcome in zip(chunk, results, strict=True):
                outcomes[newest] = outcome
                if outcome is Outcome.REFUSED:
                    pending += [older] if older else []
                    continue
                failed = outcome is Outcome.FAILED
                for index in older:
                    outcomes[index] = Outcome.FAILED if failed else Outcome.SUPERSEDED
        return outcomes

    def _write_chunk(self, entries: list[Entry], has_time: Callable[[], bool]) -> list[Outcome]:
        """Writes at most 25 entries, all of different keys."""
        statements = [_insert_statement(self._table, tuple(entry.item)) for entry in entries]
        batch = [
            {"Statement": statement, "Parameters": list(entry.item.values())}
            for entry, statement in zip(entries, statements, strict=True)
            if statement
        ]
        if batch and not has_time():
            return [Outcome.FAILED] * len(entries)
        results = iter(self._insert(batch) if batch else ())
        settled = [next(results) if statement else None for statement in statements]
        return [
            outcome or (self._put(entry) if has_time() else Outcome.FAILED)
            for entry, outcome in zip(entries, settled, strict=True)
        ]

    def _insert(self, batch: list[dict[str, Any]]) -> list[Outcome | None]:
        """Inserts in one call; None stands for what PutItem has to settle."""
        try:
            answers = self._client.batch_execute_statement(Statements=batch)["Responses"]
            codes = [answer["Error"]["Code"] if "Error" in answer else None for answer in answers]
            if len(codes) != len(batch):
                raise ValueError("DynamoDB answers other statements")
        except Exception as error:
            code = aws.error_code(error)
            if code == "ValidationException":
                # One statement has failed the whole call. Each item gets a call of its own.
                return [None] * len(batch)
            LOG.warning("BatchExecuteStatement failed", extra={"error": code})
            return [Outcome.FAILED] * len(batch)
        outcomes = [_OUTCOMES.get(code, Outcome.FAILED) for code in codes]
        if Outcome.FAILED in outcomes:
            LOG.warning("Statements failed", extra={"errors": sorted(filter(None, set(codes)))})
        return outcomes

    def _put(self, entry: Entry) -> Outcome:
        """Puts the item unless the stored one is as new.

        One without a stamp, or whose stamp is no number, was not written here. It counts as older,
        or an accepted order would vanish behind it.
        """
        try:
            self._client.put_item(
                TableName=self._table,
                Item=entry.item,
                ConditionExpression="NOT #stamp >= :stamp",
                ExpressionAttributeNames={"#stamp": self._stamp_name},
                ExpressionAttributeValues={":stamp": {"N": str(entry.stamp)}},
            )
        except Exception as error:
            code = aws.error_code(error)
            if code == "ConditionalCheckFailedException":
                return Outcome.SUPERSEDED
            LOG.warning("PutItem failed", extra={"error": code})
            return Outcome.REFUSED if code == "ValidationException" else Outcome.FAILED
        return Outcome.WRITTEN


# By the error code of a statement. Any other may pass.
_OUTCOMES: dict[str | None, Outcome | None] = {
    None: Outcome.WRITTEN,
    "DuplicateItem": None,
    "ValidationError": None,
}


@lru_cache(maxsize=64)
def _insert_statement(table: str, names: tuple[str, ...]) -> str | None:
    """An INSERT with a parameter for each attribute, or None if it would be too long.

    Each name is quoted, and every quote in it doubled, so that none can end its quotes.
    """
    members = ",".join(["'" + name.replace("'", "''") + "':?" for name in names])
    statement = f'INSERT INTO "{table}" VALUE {{{members}}}'
    return statement if len(statement.encode()) <= MAX_STATEMENT_BYTES else None
