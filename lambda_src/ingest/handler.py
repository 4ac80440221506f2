"""HTTP request in, one SQS message out: answers as soon as SQS has confirmed the orders.

202 means that SQS has them. Any other answer is a problem as in RFC 9457, of one of the kinds
below; its ``type`` is "urn:async-ingest:problem:" followed by the kind. A bug in this code is also
answered 503, and logged as an error. The answer has the shape of the request, with single-value or
multi-value headers ("Lambda functions as targets for Application Load Balancers").
"""

import base64
import json
import re
import time
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any

from shared import aws, orders, settings, telemetry
from shared.queues import Queue

# Attributes count towards a message's size ("Amazon SQS message quotas"). Those of ingest take 100
# bytes and those of dead-lettering up to 450, so whatever is accepted here also fits into the
# dead-letter queue.
RESERVED_BYTES = 1024
RETRY_AFTER_SECONDS = 5
MARGIN_SECONDS = 0.5  # to answer, after the last attempt to send
# What the user agent begins with: "Health checks for your target groups".
HEALTH_CHECKER = "ELB-HealthChecker/"

FUNCTION_NAME = settings.text("AWS_LAMBDA_FUNCTION_NAME")
PATHS = settings.paths("HTTP_PATHS")
MAX_BODY_BYTES = settings.whole_number("MAX_MESSAGE_BYTES", above=RESERVED_BYTES) - RESERVED_BYTES
MAX_ORDERS = settings.whole_number("MAX_ORDERS", above=0)
SCHEMA = settings.schema_with_expiry()
LOG = telemetry.logger(settings.text("LOG_LEVEL"))
HOOK = settings.hook("accept")
_QUEUE_URL = settings.text("QUEUE_URL")
_READ_TIMEOUT = settings.seconds("READ_TIMEOUT_SECONDS")
QUEUE = Queue(aws.client("sqs", settings.text("AWS_REGION"), _READ_TIMEOUT, _QUEUE_URL), _QUEUE_URL)
FAIR_QUEUE_ATTRIBUTE = settings.optional("FAIR_QUEUE_ATTRIBUTE")
if FAIR_QUEUE_ATTRIBUTE:
    from ingest import fair_queue

SIGNATURE = None
if settings.optional("SIGNATURE_SECRET_ARN"):
    from ingest.signature import Verifier

    SIGNATURE = Verifier.from_environment(settings.text("AWS_REGION"), _READ_TIMEOUT)
CLIENT_SUBJECT: Callable[[dict[str, list[str]]], str | None] | None = None
LOGGED_SUBJECT: Callable[[dict[str, list[str]]], str] | None = None
if settings.switch("CLIENT_CERTIFICATES"):
    from ingest import client_certificate

    CLIENT_SUBJECT = client_certificate.client_subject
    if settings.switch("LOG_CLIENT_SUBJECT"):
        LOGGED_SUBJECT = client_certificate.logged_subject

_PROBLEMS = {
    "not-found": (404, "There is nothing at this path"),
    "method-not-allowed": (405, "This path accepts only POST"),
    "unauthorized": (401, "The request is not signed as it must be"),
    "unsupported-media-type": (415, "The body must be JSON in UTF-8"),
    "invalid-json": (400, "The body is not JSON in UTF-8"),
    "invalid-order": (400, "Not every order can be stored"),
    "too-large": (413, "The orders do not fit into one request"),
    "unavailable": (503, "The orders cannot be accepted right now"),
}
_AGAIN = f"Send the same request again in {RETRY_AFTER_SECONDS} seconds."
_JSON_TYPE = re.compile(r"application/([a-z0-9!#$&^_.+-]+\+)?json")
# As X-Ray and SQS accept it. The load balancer puts "Self=…;" before the Root of a client.
_TRACE = re.compile(
    r"(?:^|;)(Root=1-[0-9a-f]{8}-[0-9a-f]{24}(;Parent=[0-9a-f]{16})?(;Sampled=[01])?)(?=;|\Z)"
)


class _ProblemError(Exception):
    """An answer other than 202; ``errors`` is an extension member of RFC 9457."""

    def __init__(self, kind: str, detail: str, errors: list[dict[str, Any]] | None = None) -> None:
        super().__init__(kind)
        self.kind = kind
        self.status, self.title = _PROBLEMS[kind]
        self.detail = detail
        self.errors = errors

    @property
    def body(self) -> dict[str, Any]:
        body = {
            "type": f"urn:async-ingest:problem:{self.kind}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        return body | ({"errors": self.errors} if self.errors else {})

    @property
    def headers(self) -> dict[str, str]:
        headers = {"Content-Type": "application/problem+json"}
        if SIGNATURE and self.status == 401:
            headers["WWW-Authenticate"] = SIGNATURE.challenge
        if self.status == 405:
            headers["Allow"] = "POST"
        if self.status == 503:
            headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
        return headers


def handle(event: Any, context: Any) -> dict[str, Any]:
    """Answers a request from the load balancer, and writes one line of metrics."""
    started = time.monotonic_ns()
    request: dict[str, Any] = event if isinstance(event, dict) else {}
    headers = _headers(request)
    trace = _TRACE.search(headers.get("x-amzn-trace-id", [""])[-1])
    ids: dict[str, Any] = {
        "request_id": context.aws_request_id,
        "trace_id": trace[1] if trace else "",
    }
    if LOGGED_SUBJECT:
        ids["client_subject"] = LOGGED_SUBJECT(headers)
    metrics: dict[str, int | list[int]] = {"Accepted": 0, "Rejected": 0, "Failed": 0}
    try:
        deadline = aws.Deadline.before_the_end_of(context, MARGIN_SECONDS)
        ids["message_id"], count = _accept(request, headers, ids, deadline)
        metrics["Accepted"] = count
        status, answer_headers = 202, {"Content-Type": "application/json"}
        body = {"status": "accepted", "message_id": ids["message_id"], "orders": count}
    except Exception as error:
        problem = _problem(error, ids)
        ids["problem"] = problem.kind
        if headers.get("user-agent", [""])[0].startswith(HEALTH_CHECKER):
            metrics["HealthChecks"] = 1
        else:
            metrics["Failed" if problem.status == 503 else "Rejected"] = 1
        status, answer_headers, body = problem.status, problem.headers, problem.body
    if HOOK:
        metrics |= HOOK.metrics()
    telemetry.emit(FUNCTION_NAME, metrics, started, status=status, **ids)
    return _answer(request, status, answer_headers | _common_headers(ids), body)


def _problem(error: Exception, ids: dict[str, Any]) -> _ProblemError:
    """Returns the answer to an exception; an unexpected one is logged."""
    if isinstance(error, _ProblemError):
        return error
    extra = {**telemetry.describe(error), **ids}
    LOG.error("Unexpected exception", extra=extra)  # may quote an order, so without its text
    return _ProblemError("unavailable", "Send the same request again later.")


def _common_headers(ids: dict[str, Any]) -> dict[str, str]:
    headers = {"Cache-Control": "no-store", "X-Request-Id": ids["request_id"]}
    return headers | ({"X-Amzn-Trace-Id": ids["trace_id"]} if ids["trace_id"] else {})


def _answer(
    request: dict[str, Any], status: int, headers: dict[str, str], body: dict[str, Any]
) -> dict[str, Any]:
    """Returns an answer as the load balancer expects it, in the shape of the request."""
    is_multi_value = isinstance(request.get("multiValueHeaders"), dict)
    return {
        "statusCode": status,
        "statusDescription": f"{status} {HTTPStatus(status).phrase}",
        "isBase64Encoded": False,
        "multiValueHeaders" if is_multi_value else "headers": (
            {name: [value] for name, value in headers.items()} if is_multi_value else headers
        ),
        "body": "" if request.get("httpMethod") == "HEAD" else json.dumps(body),
    }


def _accept(
    request: dict[str, Any],
    headers: dict[str, list[str]],
    ids: dict[str, Any],
    deadline: aws.Deadline,
) -> tuple[str, int]:
    """Validates a request and sends its orders to the queue.

    Returns:
        The message's id, and the number of orders.

    Raises:
        _ProblemError: The request is refused, or SQS did not confirm the message.
    """
    if str(request.get("path")) not in PATHS:
        raise _ProblemError("not-found", "Send orders to a path that is configured for them.")
    if request.get("httpMethod") != "POST":
        raise _ProblemError("method-not-allowed", "Send orders with POST.")
    if SIGNATURE:
        ids["key_id"] = _key_id(SIGNATURE, request, headers, deadline)
    _check_media_type(headers)
    accepted_at = telemetry.now_microseconds()
    text = _text(request)
    _check_size(orders.min_encoded_length(text), "at least ")
    try:
        document = orders.read(text, SCHEMA)
        _check_count(len(document.orders))
        if HOOK:
            subject = CLIENT_SUBJECT(headers) if CLIENT_SUBJECT else None
            told = partial(HOOK.request, request, headers, ids, accepted_at, subject)
            # The rest of the time is for sending.
            document = HOOK.run(document, SCHEMA, deadline.remaining() / 2, told, _encoded)
    except orders.InvalidDocumentError as error:
        raise _refusal(error) from None
    body = _encoded(document.value)
    group = None
    if FAIR_QUEUE_ATTRIBUTE:
        group = fair_queue.group_id(document.orders, FAIR_QUEUE_ATTRIBUTE)
    return _send(body, accepted_at, ids, deadline, group), len(document.orders)


def _key_id(
    verifier: "Verifier",
    request: dict[str, Any],
    headers: dict[str, list[str]],
    deadline: aws.Deadline,
) -> str:
    """Returns the id of the key with which a request is signed."""
    try:
        key_id = verifier.key_id(request, headers, deadline)
    except aws.CallError:  # which the keyring has logged
        raise _ProblemError("unavailable", _AGAIN) from None
    if key_id is None:
        raise _ProblemError("unauthorized", "Sign each request with a valid key, when you send it.")
    return key_id


def _check_count(count: int) -> None:
    if count > MAX_ORDERS:
        raise _ProblemError(
            "too-large",
            f"The request has {count} orders; the limit is {MAX_ORDERS}. Split them into several "
            "requests.",
        )


def _check_size(length: int, qualification: str = "") -> None:
    if length > MAX_BODY_BYTES:
        raise _ProblemError(
            "too-large",
            f"As compact ASCII JSON, the orders take {qualification}{length} bytes; the limit is "
            f"{MAX_BODY_BYTES}. Split them into several requests.",
        )


def _encoded(value: orders.Value) -> str:
    body = orders.encode(value)
    _check_size(len(body))
    return body


def _send(
    body: str, accepted_at: int, ids: dict[str, Any], deadline: aws.Deadline, group: str | None
) -> str:
    """Returns the message's id once SQS has confirmed it, body and attributes."""
    ids["accepted_at"] = accepted_at  # logged even if it fails: SQS may have the message
    attributes = {
        "accepted_at": {"DataType": "Number", "StringValue": str(accepted_at)},
        "request_id": {"DataType": "String", "StringValue": ids["request_id"]},
    }
    try:
        return QUEUE.send(body, attributes, ids["trace_id"], deadline, group)
    except aws.CallError as error:
        extra = error.details | ids
        LOG.error("SQS did not confirm the message", extra=extra)  # noqa: TRY400 - the code says it all
        raise _ProblemError("unavailable", _AGAIN) from None


def _headers(request: dict[str, Any]) -> dict[str, list[str]]:
    """Returns the values of each header by its name in lower case, in either shape."""
    headers: dict[str, list[str]] = {}
    given = request.get("multiValueHeaders") or request.get("headers")
    for name, value in given.items() if isinstance(given, dict) else ():
        values = value if isinstance(value, list) else [value]
        if values and all(isinstance(value, str) for value in values):
            headers.setdefault(name.lower(), []).extend(values)
    return headers


def _check_media_type(headers: dict[str, list[str]]) -> None:
    given = {value.strip().lower() for value in headers.get("content-type", [])}
    media_type, *parameters = [part.strip() for part in (given.pop() if given else "").split(";")]
    if given or not _JSON_TYPE.fullmatch(media_type):
        raise _ProblemError("unsupported-media-type", "Set Content-Type to application/json.")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip(' "') not in ("utf-8", "utf8"):
            raise _ProblemError("unsupported-media-type", "Encode the body in UTF-8.")
    if any(value.strip().lower() != "identity" for value in headers.get("content-encoding", [])):
        raise _ProblemError("unsupported-media-type", "Send the body without Content-Encoding.")


def _text(request: dict[str, Any]) -> str:
    body = request.get("body")
    if not isinstance(body, str):
        return ""
    if not request.get("isBase64Encoded"):
        return body
    try:
        return base64.b64decode(body, validate=True).decode()
    except ValueError:
        raise _ProblemError("invalid-json", "The body is not text in UTF-8.") from None


def _refusal(error: orders.InvalidDocumentError) -> _ProblemError:
    if not error.is_json:
        return _ProblemError("invalid-json", f"The body is {error}.")
    errors = []
    for order, attribute, fault in error.faults:
        place = {"order": order, "attribute": attribute and attribute[: orders.SHOWN_NAME]}
        errors.append({k: v for k, v in place.items() if v is not None} | {"detail": fault})
    detail = f"Nothing is stored. Correct the orders, and send all of them again: {error}."
    return _ProblemError("invalid-order", detail, errors)
