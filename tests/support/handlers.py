"""What the tests of both functions need: environment, events, contexts and stand-ins for AWS."""

import contextlib
import hashlib
import io
import json
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from shared.aws import CallError, Deadline
from shared.queues import md5_of_attributes

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
    """Lambda's context; ``remaining`` gives the remaining milliseconds at each look."""

    aws_request_id = REQUEST_ID

    def __init__(self, remaining: Callable[[], int] = lambda: 30_000) -> None:
        self.get_remaining_time_in_millis = remaining


class Invocation(NamedTuple):
    answer: dict[str, Any]
    metrics: dict[str, Any]


def invoke(handle: Callable[[Any, Any], Any], event: Any, context: Any = None) -> Invocation:
    """Calls a handler, and asserts that it writes one line, of metrics, and nothing else."""
    with one_line_of_metrics() as metrics:
        answer = handle(event, context or Context())
    return Invocation(answer, metrics)


@contextlib.contextmanager
def one_line_of_metrics() -> Iterator[dict[str, Any]]:
    """Gives the metrics afterwards, even if an exception passes."""
    metrics: dict[str, Any] = {}
    with contextlib.redirect_stdout(io.StringIO()) as output:
        try:
            yield metrics
        finally:
            (line,) = output.getvalue().splitlines()
            metrics |= json.loads(line)
            (directive,) = metrics["_aws"]["CloudWatchMetrics"]
            assert directive["Namespace"] == "AsyncIngest"
            assert directive["Dimensions"] == [["FunctionName"]]
            assert metrics["FunctionName"] == "function"
            for definition in directive["Metrics"]:
                values = metrics[definition["Name"]]
                assert isinstance(values, int) or 0 < len(values) <= 100
                unit = "Milliseconds" if definition["Name"] == "Age" else "Count"
                assert definition["Unit"] == unit


def request(body: Any = '{"order_id":"1","item":"Kopi"}', **changes: Any) -> dict[str, Any]:
    """What the load balancer sends, with single-value headers."""
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


def record(body: Any, message_id: str = "1", stamp: int | None = 1, **changes: Any) -> Any:
    """A message as Lambda's event has it; ``stamp`` None leaves the attribute out."""
    stamped = {"accepted_at": {"stringValue": str(stamp), "dataType": "Number"}}
    return {
        "messageId": message_id,
        "receiptHandle": "…",
        "body": body if isinstance(body, str) else json.dumps(body),
        "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1700000000000"},
        "messageAttributes": {} if stamp is None else stamped,
        "eventSource": "aws:sqs",
        **changes,
    }


def error(code: str) -> CallError:
    """What AWS answers with this code."""
    status = 500 if code in ("500", "InternalServerError") else 400
    return CallError(code, status=status)


class FakeSqs:
    """A client of SQS that keeps what is sent.

    ``troubles`` are raised one after another, before anything is sent; ``answers`` are given
    instead of right ones.
    """

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.troubles: list[Exception] = []
        self.answers: list[Any] = []

    def call(self, operation: str, parameters: str, deadline: Deadline) -> Any:
        assert operation == "SendMessage"
        if self.troubles:
            raise self.troubles.pop(0)
        message = json.loads(parameters)
        self.sent.append(message)
        if self.answers:
            return self.answers.pop(0)
        return self.right_answer(message)

    def right_answer(self, message: dict[str, Any]) -> dict[str, str]:
        digest = hashlib.md5(message["MessageBody"].encode(), usedforsecurity=False).hexdigest()
        return {
            "MessageId": f"message-{len(self.sent)}",
            "MD5OfMessageBody": digest,
            "MD5OfMessageAttributes": md5_of_attributes(message["MessageAttributes"]),
        }


class FakeDynamoDB:
    """A client of DynamoDB in memory, for the two calls that process makes.

    test_write_path proves it right. ``plan`` is asked before each call and each statement what
    shall happen: "ok", an error code, or "lost": it is done, and the answer does not arrive.
    """

    CONDITION = "NOT #accepted_at >= :accepted_at"

    def __init__(self, keys: tuple[str, ...] = ("order_id", "item")) -> None:
        self.keys = keys
        self.table: dict[tuple[str, ...], dict[str, Any]] = {}
        self.calls: list[str] = []
        self.plan: Callable[[str], str] = lambda _: "ok"
        self.refuses: Callable[[dict[str, Any]], bool] = lambda _: False
        self._lock = threading.Lock()  # process calls from several threads

    def call(self, operation: str, parameters: str, deadline: Deadline) -> dict[str, Any]:
        arguments = json.loads(parameters)
        with self._lock:
            if operation == "PutItem":
                return self._put_item(**arguments)
            assert operation == "BatchExecuteStatement"
            return self._execute(**arguments)

    def _execute(self, Statements: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        self.calls.append(f"insert {len(Statements)}")
        plan = self.plan("call")
        items = [self._parse(**statement) for statement in Statements]
        keys = [self._key(item) for item in items]
        if len(set(keys)) < len(keys) or len(Statements) > 25:
            raise error("ValidationException")
        if plan not in ("ok", "lost"):
            raise error(plan)
        answers: list[dict[str, Any]] = []
        for key, item in zip(keys, items, strict=True):
            code = self.plan("statement")
            if code == "ok" and self.refuses(item):
                code = "ValidationError"
            if code == "ok" and key in self.table:
                code = "DuplicateItem"
            if code == "ok":
                self.table[key] = item
            answers.append({} if code == "ok" else {"Error": {"Code": code, "Message": "…"}})
        if plan == "lost":
            raise CallError("ReadTimeout")
        return {"Responses": answers}

    def _put_item(
        self,
        TableName: str,  # noqa: N803
        Item: dict[str, Any],  # noqa: N803
        ConditionExpression: str,  # noqa: N803
        ExpressionAttributeNames: dict[str, str],  # noqa: N803
        ExpressionAttributeValues: dict[str, Any],  # noqa: N803
    ) -> dict[str, Any]:
        self.calls.append("put")
        plan = self.plan("call")
        if plan not in ("ok", "lost"):
            raise error(plan)
        if self.refuses(Item):
            raise error("ValidationException")
        assert ConditionExpression == self.CONDITION
        stamp = ExpressionAttributeNames["#accepted_at"]
        limit = int(ExpressionAttributeValues[":accepted_at"]["N"])
        stored = self.table.get(self._key(Item), {}).get(stamp, {}).get("N")
        if stored is not None and int(stored) >= limit:
            raise error("ConditionalCheckFailedException")
        self.table[self._key(Item)] = Item
        if plan == "lost":
            raise CallError("ReadTimeout")
        return {}

    def _key(self, item: dict[str, Any]) -> tuple[str, ...]:
        return tuple(item[key]["S"] for key in self.keys)

    @staticmethod
    def _parse(Statement: str, Parameters: list[Any]) -> dict[str, Any]:  # noqa: N803
        names = re.findall(r"'((?:[^']|'')*)':\?", Statement)
        assert len(names) == len(Parameters)
        return {name.replace("''", "'"): v for name, v in zip(names, Parameters, strict=True)}
