"""The functions' calls to AWS, each bounded by a deadline.

``client(...)`` returns an object with a single method, ``call``. It takes an operation of a JSON
service, its parameters as JSON text, and the deadline for its answer. CLIENT_IMPLEMENTATION chooses
between two implementations that behave alike:

- ``builtin`` (the default) is the class below, with signing.py, connections.py, credentials.py and
  endpoints.py. It needs only the standard library; docs/decisions/own-aws-client.md has the price.
- ``botocore`` makes the same calls through the SDK in Lambda's Python runtime: for tracing layers
  that instrument botocore, for proxies, and as a fallback.

A call is retried if another attempt can go differently: without a valid answer, after a server
error (5xx) or throttling, with a corrected clock, or with renewed credentials. A write that got no
answer may have happened.
"""

import json
import os
import time
import zlib
from collections.abc import Callable
from typing import Any, Protocol

from shared import connections, credentials, endpoints, settings, signing

ATTEMPTS = 3
FIRST_PAUSE_SECONDS = 0.05  # doubled for each further attempt, then shortened by full jitter
MAX_PAUSE_SECONDS = 5.0
MIN_SECONDS = 0.05  # an attempt cannot be expected to take less
# AWS accepts a signature for five minutes ("Authenticating requests", IAM User Guide).
SKEW_CODES = frozenset(
    {"InvalidSignatureException", "RequestExpired", "RequestTimeTooSkewed", "SignatureDoesNotMatch"}
)
SKEW_SECONDS = 60  # a smaller difference does not explain a rejected signature
EXPIRED_CODES = frozenset({"ExpiredToken", "ExpiredTokenException", "UnrecognizedClientException"})
# Those without "Throttling" in their names: API references of DynamoDB and SQS.
THROTTLING_CODES = frozenset(
    {
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "TooManyRequestsException",
    }
)
_TARGETS = {
    "sqs": ("AmazonSQS.", "application/x-amz-json-1.0"),
    "dynamodb": ("DynamoDB_20120810.", "application/x-amz-json-1.0"),
    "secretsmanager": ("secretsmanager.", "application/x-amz-json-1.1"),
}


class CallError(Exception):
    """A call that did not succeed.

    Attributes:
        code: AWS's error code, such as "ThrottlingException"; or why there is no answer, such as
            "ReadTimeout".
        status: HTTP status, 0 without an answer.
        request_id: AWS's id of the request, "" without one.
        is_transient: Whether another attempt may succeed.
        pause_seconds: How long AWS asks to wait before another attempt, 0 if it does not say.
    """

    def __init__(
        self,
        code: str,
        *,
        status: int = 0,
        request_id: str = "",
        is_transient: bool = True,
        pause_seconds: float = 0.0,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.status = status
        self.request_id = request_id
        self.is_transient = is_transient
        self.pause_seconds = pause_seconds

    @property
    def details(self) -> dict[str, str]:
        """What a log line says about the error."""
        return {"error": self.code, "aws_request_id": self.request_id}


class Deadline:
    """The moment by which all calls of an invocation must have ended."""

    def __init__(self, remaining: Callable[[], float]) -> None:
        """``remaining`` returns the seconds left, negative once the deadline has passed."""
        self.remaining = remaining

    @classmethod
    def before_the_end_of(cls, context: Any, margin_seconds: float) -> "Deadline":
        """Returns a deadline that leaves an invocation ``margin_seconds`` to answer."""
        remaining = context.get_remaining_time_in_millis
        return cls(lambda: remaining() / 1000 - margin_seconds)

    def pause(self, seconds: float, min_seconds: float = MIN_SECONDS) -> bool:
        """Sleeps if that leaves at least ``min_seconds``; returns whether it did."""
        if self.remaining() - seconds < min_seconds:
            return False
        time.sleep(seconds)
        return True


class Client(Protocol):
    def call(self, operation: str, parameters: str, deadline: Deadline) -> dict[str, Any]:
        """Makes a call.

        Args:
            operation: AWS's name for it, such as "PutItem".
            parameters: The operation's input as JSON text.
            deadline: By when the last attempt must end.

        Returns:
            The operation's output.

        Raises:
            CallError: The call failed, or may have: there was no valid answer.
        """


def client(
    service: str, region: str, read_timeout_seconds: float, queue_url: str | None = None
) -> Client:
    """Returns a client for a service.

    Args:
        service: "sqs", "dynamodb" or "secretsmanager".
        region: Region to call and to sign for.
        read_timeout_seconds: How long an attempt waits for its answer.
        queue_url: For SQS: its host is the endpoint, unless AWS_ENDPOINT_URL… names another.

    Raises:
        SettingsError: An environment variable is invalid.
    """
    if settings.choice("CLIENT_IMPLEMENTATION", ("builtin", "botocore")) == "botocore":
        from shared import botocore_client  # noqa: PLC0415 - takes 0.1 s, needed by few

        return botocore_client.BotocoreClient(service, region, read_timeout_seconds)
    endpoints.refuse_proxies()
    return BuiltinClient(
        service, region, endpoints.url(service, region, queue_url), read_timeout_seconds
    )


def is_throttling(code: str) -> bool:
    """Returns whether the error code of a call or of a statement means throttling."""
    return "Throttl" in code or code in THROTTLING_CODES


def is_transient(status: int, code: str) -> bool:
    """Returns whether the next attempt may get another answer."""
    return status >= 500 or status in (408, 429) or is_throttling(code)


def jitter(attempt: int, first_seconds: float = FIRST_PAUSE_SECONDS) -> float:
    """Returns the pause after an attempt, counted from 1: "Exponential Backoff And Jitter"."""
    limit = min(first_seconds * 2.0 ** (attempt - 1), MAX_PAUSE_SECONDS)
    return limit * int.from_bytes(os.urandom(2)) / 0xFFFF


def with_retries(
    attempt: Callable[[], dict[str, Any]],
    deadline: Deadline,
    min_seconds: float = MIN_SECONDS,
) -> dict[str, Any]:
    """Makes attempts until one succeeds, another cannot help, or there is no time for it.

    Args:
        attempt: Makes one attempt, and raises CallError if it fails.
        deadline: By when the last attempt must end.
        min_seconds: No attempt is made with less time than this left.

    Raises:
        CallError: The error of the last attempt, or "NoTime" if none was made.
    """
    if deadline.remaining() < min_seconds:
        raise CallError("NoTime")
    for number in range(1, ATTEMPTS):
        try:
            return attempt()
        except CallError as error:
            own = jitter(number)
            # Like the SDKs: never before the hint, and not much later than without one.
            pause = min(max(own, error.pause_seconds), own + MAX_PAUSE_SECONDS)
            if not error.is_transient or not deadline.pause(pause, min_seconds):
                raise
    return attempt()


class BuiltinClient:
    """Signs and sends a service's calls, over one persistent connection per thread."""

    def __init__(self, service: str, region: str, url: str, read_timeout_seconds: float) -> None:
        self.url = url
        self._target, self._content_type = _TARGETS[service]
        self._has_query_codes = service == "sqs"
        self._connections = connections.Connections(url, read_timeout_seconds)
        self._signer = signing.Signer(service, region)
        self._clock_offset = 0.0  # seconds by which AWS's clock is ahead of ours

    def call(self, operation: str, parameters: str, deadline: Deadline) -> dict[str, Any]:
        """See Client."""
        body = parameters.encode()
        return with_retries(lambda: self.attempt(operation, body, deadline), deadline)

    def attempt(self, operation: str, body: bytes, deadline: Deadline) -> dict[str, Any]:
        """Makes one attempt at a call.

        Raises:
            CallError: It failed.
        """
        offset = self._clock_offset
        try:
            identity = credentials.current(deadline.remaining)
            head = self._head(operation, body, identity, time.time() + offset)
            answer = self._connections.exchange(head, body, deadline.remaining)
        except connections.ExchangeError as error:
            raise CallError(error.reason) from None
        checksum = answer.headers.get("x-amz-crc32")
        if checksum is not None and checksum != str(zlib.crc32(answer.body)):
            raise CallError("ChecksumMismatch", status=answer.status, request_id=answer.request_id)
        output = parsed(answer.body)
        if answer.status != 200:
            raise self._error(answer, output, identity, offset)
        if not isinstance(output, dict):
            raise CallError("MalformedAnswer", status=200, request_id=answer.request_id)
        return output

    def _head(
        self, operation: str, body: bytes, identity: credentials.Credentials, at: float
    ) -> bytes:
        """Returns request line and headers, signed for a time in seconds since the epoch."""
        signed = {
            "content-type": self._content_type,
            "host": self._connections.host,
            "x-amz-date": time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(at)),
            "x-amz-target": self._target + operation,
        }
        if identity.token:
            signed["x-amz-security-token"] = identity.token
        if self._has_query_codes:
            # SQS then also returns its traditional error codes, in x-amzn-query-error.
            signed["x-amzn-query-mode"] = "true"
        authorization = self._signer.authorization(self._connections.path, signed, body, identity)
        lines = [
            f"POST {self._connections.path} HTTP/1.1",
            *[f"{name}: {value}" for name, value in signed.items()],
            f"authorization: {authorization}",
            f"content-length: {len(body)}",
            "accept-encoding: identity",
            "user-agent: async-ingest",
        ]
        if trace := signing.trace_header():
            lines.append(f"x-amzn-trace-id: {trace}")
        return connections.request_head(lines)

    def _error(
        self,
        answer: connections.Answer,
        output: Any,
        identity: credentials.Credentials,
        offset: float,
    ) -> CallError:
        """Returns the error in an answer to a request signed by ``identity`` at ``offset``."""
        code = str(output.get("__type", "")) if isinstance(output, dict) else ""
        code = code.partition(":")[0].rpartition("#")[2] or str(answer.status)
        query_code, _, rest = answer.headers.get("x-amzn-query-error", "").partition(";")
        code = query_code if query_code and rest else code
        return CallError(
            code,
            status=answer.status,
            request_id=answer.request_id,
            is_transient=(
                is_transient(answer.status, code)
                or (code in SKEW_CODES and self._adjusts_clock(answer, offset))
                or (code in EXPIRED_CODES and credentials.renew(identity))
            ),
            pause_seconds=retry_after(answer.headers),
        )

    def _adjusts_clock(self, answer: connections.Answer, offset: float) -> bool:
        """Returns whether AWS's clock differs from the signed time, and adopts it if so."""
        # Imported here because few clocks are off, and every start would pay for it.
        from calendar import timegm  # noqa: PLC0415
        from email.utils import parsedate  # noqa: PLC0415

        try:
            date = parsedate(answer.headers.get("date", ""))
            theirs = timegm(date) - time.time() if date else offset
        except (ValueError, OverflowError):
            return False
        if abs(theirs - offset) < SKEW_SECONDS:
            return False
        self._clock_offset = theirs
        return True


def parsed(body: bytes) -> Any:
    """Returns the parsed JSON of a body, None if it is not JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def retry_after(headers: Any) -> float:
    """Returns the seconds to wait by AWS's header or by HTTP's, 0 without either."""
    for name, unit in (("x-amz-retry-after", 0.001), ("retry-after", 1.0)):
        value = headers.get(name, "")
        if value.isascii() and value.isdigit() and len(value) < 8:
            return int(value) * unit
    return 0.0
