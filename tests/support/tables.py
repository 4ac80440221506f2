"""Tables of DynamoDB."""

from collections.abc import Mapping
from typing import Any

DEFAULT_KEYS = {"order_id": "S", "item": "S"}  # of the module


def create_table(
    dynamodb: Any, name: str, keys: Mapping[str, str] = DEFAULT_KEYS, **options: Any
) -> str:
    """Creates a table that is billed by request.

    Args:
        dynamodb: A boto3 client.
        name: Of the table.
        keys: Names and types, the partition key first.
        options: Of CreateTable.

    Returns:
        The ARN of the table.
    """
    table = dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[
            {"AttributeName": key, "KeyType": role}
            for key, role in zip(keys, ("HASH", "RANGE"), strict=False)
        ],
        AttributeDefinitions=[
            {"AttributeName": key, "AttributeType": kind} for key, kind in keys.items()
        ],
        **options,
    )["TableDescription"]
    return str(table["TableArn"])
