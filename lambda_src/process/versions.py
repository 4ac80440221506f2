"""The writer where orders have a version: the highest one stays, whenever it was accepted.

Of equal versions, the one that was accepted first stays. Orders and rows without a version count as
older than all that have one; among them, the one that was accepted last stays, as ever.

Only imported where ORDER_VERSION is set. docs/decisions has the reasons.
"""

from json.encoder import encode_basestring_ascii as quote
from typing import Any

from process.messages import Entry
from process.writer import Writer
from shared.aws import Client
from shared.version import rank

# A comparison with an attribute that is missing or of another type is false.
_AGAINST_A_VERSION = (
    "NOT (#version > :version OR (#version = :version AND #accepted_at <= :accepted_at))"
)
_AGAINST_NONE = "NOT (attribute_type(#version, :number) OR #accepted_at >= :accepted_at)"


class VersionedWriter(Writer):
    """Writes orders that have a version to a table."""

    def __init__(
        self,
        client: Client,
        table: str,
        accepted_at_name: str,
        parallel_calls: int,
        version_name: str,
    ) -> None:
        """Initializes a writer.

        Args:
            client: Of DynamoDB.
            table: Name of the table.
            accepted_at_name: The attribute that has an order's ``accepted_at``.
            parallel_calls: How many calls run at the same time at most.
            version_name: The attribute that has an order's version as a number.
        """
        super().__init__(client, table, accepted_at_name, parallel_calls)
        names = {"#accepted_at": accepted_at_name, "#version": version_name}
        members = ",".join([f'"{short}":{quote(name)}' for short, name in names.items()])
        self._version_name = version_name
        self._conditions = [
            f'"TableName":{quote(table)},"ConditionExpression":"{expression}",'
            f'"ExpressionAttributeNames":{{{members}}}'
            for expression in (_AGAINST_A_VERSION, _AGAINST_NONE)
        ]

    def _rank(self, entry: Entry) -> Any:
        if entry.version is None:
            return (0, (), entry.accepted_at)
        return (1, rank(entry.version), -entry.accepted_at)

    def _condition_of(self, entry: Entry) -> tuple[str, str]:
        if entry.version is None:
            return self._conditions[1], ',":number":{"S":"N"}'
        return self._conditions[0], f',":version":{entry.item[self._version_name]}'
