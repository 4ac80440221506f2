"""The calls to AWS that the functions make, each by one deadline.

``client(...)`` gives an object with one method, ``call``: an operation of a JSON service, its
parameters as JSON text, and the deadline by which the answer must be there. CLIENT_IMPLEMENTATION
chooses between two that behave alike:

- ``builtin`` (the default) is the class below: signing.py, connections.py, credentials.py and
  endpoints.py, all of the standard library. docs/decisions/own-aws-client.md has the price.
- ``botocore`` makes the same calls by the SDK of Lambda's Python: for tracing layers that
  instrument botocore, for proxies, and as a way out.

What may be retried is what another attempt can change: no valid answer, a server's failure (5xx),
throttling, a clock that was off, credentials that have just been renewed. Whoever calls knows that
a write without an answer may have happened.
"""

import json
import os
import time
import zlib
from collections.abc import Callable
from typing import Any, Protocol

from shared import connections, credentials, endpoints, settings, signing

ATTEMPTS = 3
FIRST_PAUSE_SECONDS = 0.05  # doubled for each further attempt; full jitter makes it 0 to as much
LONGEST_PAUSE_SECONDS = 5.0
LEAST_SECONDS = 0.05  # in less of it no attempt can be expected to end
# AWS accepts a signature for five minutes ("Authenticating requests", IAM User Guide).
SKEW_CODES = frozenset(
    {"InvalidSignatureException", "RequestExpired", "RequestTimeTooSkewed", "SignatureDoesNotMatch"}
)
SKEW_SECONDS = 60  # a smaller difference is no reason for a refused signature
EXPIRED_CODES = frozenset({"ExpiredToken", "ExpiredTokenException", "UnrecognizedClientException"})
# Without "Throttling" in their names: API references of DynamoDB and SQS.
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
}


class CallError(Exception):
    """A call that did not succeed.

    Attributes:
        code: AWS's error code, such as "ThrottlingException", or what kept an answer from coming,
            such as "ReadTimeout".
        status: HTTP status, 0 without an answer.
        request_id: AWS's id of the request, "" without one.
        is_transient: Whether another attempt may succeed.
        pause_seconds: How long AWS asks to wait before it, 0 if it does not say.
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
        """For a log line."""
        return {"error": self.code, "aws_request_id": self.request_id}


class Deadline:
    """The moment by which all calls of an invocation must have ended."""

    def __init__(self, remaining: Callable[[], float]) -> None:
        """``remaining`` gives the seconds that are left, negative once it has passed."""
        self.remaining = remaining

    @classmethod
    def before_the_end_of(cls, context: Any, margin_seconds: float) -> "Deadline":
        """Leaves the invocation ``margin_seconds`` after its last call, to answer."""
        remaining = context.get_remaining_time_in_millis
        return cls(lambda: remaining() / 1000 - margin_seconds)

    def pause(self, seconds: float, least_seconds: float = LEAST_SECONDS) -> bool:
        """Sleeps, unless less than ``least_seconds`` would be left then. Returns whether it has."""
        if self.remaining() - seconds < least_seconds:
            return False
        time.sleep(seconds)
        return True


class Client(Protocol):
    def call(self, operation: str, parameters: str, deadline: Deadline) -> dict[str, Any]:
        """Makes a call.

        Args:
            operation: As AWS names it, such as "PutItem".
            parameters: The operation's input as JSON text.
            deadline: By when the last attempt ends.

        Returns:
            The operation's output, as its JSON says.

        Raises:
            CallError: The call did not succeed, or not that we know of.
        """


def client(
    service: str, region: str, read_timeout_seconds: float, queue_url: str | None = None
) -> Client:
    """Makes a client of a service ("sqs" or "dynamodb").

    Args:
        service: Name of the service.
        region: Region whose endpoint is called and for which is signed.
        read_timeout_seconds: How long an attempt waits for its answer.
        queue_url: For SQS: its host is the endpoint, unless AWS_ENDPOINT_URL… names another.

    Raises:
        SettingsError: An environment variable is not as it must be.
    """
    if settings.choice("CLIENT_IMPLEMENTATION", ("builtin", "botocore")) == "botocore":
        from shared import botocore_client  # noqa: PLC0415 - a tenth of a second that few pay

        return botocore_client.BotocoreClient(service, region, read_timeout_seconds)
    endpoints.refuse_proxies()
    return BuiltinClient(
        service, region, endpoints.url(service, region, queue_url), read_timeout_seconds
    )


def is_throttling(code: str) -> bool:
    """Whether an error code, of a call or of a statement, says that it came too fast."""
    return "Throttl" in code or code in THROTTLING_CODES


def is_transient(status: int, code: str) -> bool:
    """Whether what an answer says may be otherwise at the next attempt."""
    return status >= 500 or status in (408, 429) or is_throttling(code)


def jitter(attempt: int, first_seconds: float = FIRST_PAUSE_SECONDS) -> float:
    """A pause before the attempt after this one, from 1: "Exponential Backoff And Jitter"."""
    longest = min(first_seconds * 2.0 ** (attempt - 1), LONGEST_PAUSE_SECONDS)
    return longest * int.from_bytes(os.urandom(2)) / 0xFFFF


def with_retries(
    attempt: Callable[[], dict[str, Any]],
    deadline: Deadline,
    least_seconds: float = LEAST_SECONDS,
) -> dict[str, Any]:
    """Makes attempts until one succeeds, none can, or the deadline leaves no room for another.

    Args:
        attempt: Makes one, and raises CallError if it does not succeed.
        deadline: By when the last one ends.
        least_seconds: With less of it left, no attempt is made.

    Raises:
        CallError: That of the last attempt, or "NoTime" if there was none.
    """
    if deadline.remaining() < least_seconds:
        raise CallError("NoTime")
    for number in range(1, ATTEMPTS):
        try:
            return attempt()
        except CallError as error:
            own = jitter(number)
            # As SDKs do with a hint: not earlier, and not much later than one would without it.
            pause = min(max(own, error.pause_seconds), own + LONGEST_PAUSE_SECONDS)
            if not error.is_transient or not deadline.pause(pause, least_seconds):
                raise
    return attempt()


class BuiltinClient:
    """Signs and sends a service's calls over connections that are kept, one for each thread."""

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
            CallError: It did not succeed.
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
        """The request line and the headers, signed at a time in seconds since the epoch."""
        signed = {
            "content-type": self._content_type,
            "host": self._connections.host,
            "x-amz-date": time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(at)),
            "x-amz-target": self._target + operation,
        }
        if identity.token:
            signed["x-amz-security-token"] = identity.token
        if self._has_query_codes:
            # SQS then names its errors as it has always done, in x-amzn-query-error.
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
        """What an answer says that is not a success, to a request signed as the last two say."""
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
        """Whether AWS's clock says something else than what was signed; then it is believed."""
        # Few clocks are off, and no start has to pay for that.
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
    """A body's JSON, None if it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def retry_after(headers: Any) -> float:
    """Seconds, from the SDKs' header in milliseconds or HTTP's in seconds; 0 without either."""
    for name, unit in (("x-amz-retry-after", 0.001), ("retry-after", 1.0)):
        value = headers.get(name, "")
        if value.isascii() and value.isdigit() and len(value) < 8:
            return int(value) * unit
    return 0.0
