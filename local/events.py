"""What Lambda gives the functions: their environment, events and context."""

import json
from collections.abc import Callable
from typing import Any

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_LAMBDA_FUNCTION_NAME": "function",
    "AWS_REGION": "us-east-1",
    "TABLE_KEYS": '[{"name":"order_id","type":"S"},{"name":"item","type":"S"}]',
    "ACCEPTED_AT_ATTRIBUTE": "accepted_at",
    "READ_TIMEOUT_SECONDS": "3",
    "QUEUE_URL": "https://sqs.invalid/orders",
    "HTTP_PATHS": '["/lambda/api"]',
    "MAX_MESSAGE_BYTES": "262144",
    "MAX_ORDERS": "1000",
    "TABLE_NAME": "orders",
    "DEAD_LETTER_QUEUE_URL": "https://sqs.invalid/dead-letter",
    "DEAD_LETTER_IMMEDIATELY": "true",
    "DNS_SUFFIX": "amazonaws.com",
    "LOG_LEVEL": "INFO",
    "MAX_RECEIVE_COUNT": "485",
    "PARALLEL_CALLS": "8",
}
REQUEST_ID = "5f1c4d2e-8d0b-4a53-9a8e-0c6f4b1d2a3c"
TRACE_ID = "Root=1-67891233-abcdef012345678912345678"


class Context:
    """Lambda's context."""

    aws_request_id = REQUEST_ID

    def __init__(self, remaining: Callable[[], int] = lambda: 30_000) -> None:
        """``remaining`` returns the milliseconds left whenever the function asks."""
        self.get_remaining_time_in_millis = remaining


def request(body: Any = '{"order_id":"1","item":"Kopi"}', **changes: Any) -> dict[str, Any]:
    """Returns an event of the load balancer, with single-value headers."""
    return {
        "requestContext": {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:…"}},
        "httpMethod": "POST",
        "path": "/lambda/api",
        "queryStringParameters": {},
        "headers": {"content-type": "application/json", "host": "example", "accept": "*/*"},
        "body": body,
        "isBase64Encoded": False,
        **changes,
    }


def record(body: Any, message_id: str = "1", accepted_at: int | None = 1, **changes: Any) -> Any:
    """Returns a record of an SQS event, without the attribute if ``accepted_at`` is None."""
    own = {} if accepted_at is None else {"accepted_at": attribute(str(accepted_at), "Number")}
    return {
        "messageId": message_id,
        "receiptHandle": "…",
        "body": body if isinstance(body, str) else json.dumps(body),
        "md5OfBody": "…",
        "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1700000000000"},
        "messageAttributes": own,
        "md5OfMessageAttributes": "…" if own else None,
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:orders",
        "awsRegion": "us-east-1",
        **changes,
    }


def attribute(value: str, kind: str = "String") -> dict[str, Any]:
    """Returns a message attribute of a record, in which Lambda has lists that are always empty."""
    lists: dict[str, Any] = {"stringListValues": [], "binaryListValues": []}
    return {"stringValue": value, "dataType": kind} | lists


def received(sent: dict[str, Any]) -> dict[str, Any]:
    """Returns the message attributes of a record from those of SendMessage, which are texts."""
    return {name: attribute(one["StringValue"], one["DataType"]) for name, one in sent.items()}
