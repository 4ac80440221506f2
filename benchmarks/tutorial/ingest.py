"""HTTP in, one message out, as in tutorials."""

import json
import os
from typing import Any

import boto3

sqs = boto3.client("sqs")


def handle(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    answer = sqs.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=event["body"])
    print("sent", answer["MessageId"])
    return {"statusCode": 200, "body": json.dumps({"message_id": answer["MessageId"]})}
