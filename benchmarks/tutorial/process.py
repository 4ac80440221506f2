"""Messages in, rows out, as in tutorials."""

import json
import os
from typing import Any

import boto3

table = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])


def handle(event: dict[str, Any], context: object) -> None:  # noqa: ARG001
    for record in event["Records"]:
        table.put_item(Item=json.loads(record["body"]))
    print("stored", len(event["Records"]))
