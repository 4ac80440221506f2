import json
import logging
import os
from decimal import Decimal
from typing import Any

import boto3

LOG = logging.getLogger()
TABLE = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    failed = []
    for record in event["Records"]:
        try:
            TABLE.put_item(Item=json.loads(record["body"], parse_float=Decimal))
        except Exception:
            LOG.exception("not written: %s", record["messageId"])
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}
