import base64
import json
import os
from typing import Any

import boto3

SQS = boto3.client("sqs")


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    try:
        body = event["body"]
        text = base64.b64decode(body).decode() if event["isBase64Encoded"] else body
        order = json.loads(text)
    except ValueError:
        return answer(400, {"error": "not JSON"})
    if not isinstance(order, dict) or not isinstance(order.get("order_id"), str):
        return answer(400, {"error": "order_id is missing"})
    sent = SQS.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=json.dumps(order))
    return answer(202, {"status": "accepted", "message_id": sent["MessageId"]})


def answer(status: int, body: dict[str, Any]) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps(body),
    }
