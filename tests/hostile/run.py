"""Sends the corpus through the load balancer, and checks the effect of every request.

Each finding is of one of these kinds:

============= ====================================================================================
server_errors answers of 500 and above
wrong_status  answers whose status, kind or form is not what the corpus expects
enqueued      messages on the queue without an answer of 202, or with other content
lost          accepted orders missing on the queue, still there at the end, or not in the table as
              they were sent
echoed        answers and log lines of the functions that reveal content of a request
============= ====================================================================================
"""

import http.client
import io
import json
import re
import secrets
import socket
import ssl
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from boto3.dynamodb.types import TypeDeserializer
from botocore.exceptions import ClientError

from local.emulator import HOST
from local.http_client import Answer
from local.stack import Stack
from local.waiting import NotInTimeError, eventually
from tests.hostile.corpus import Endpoint, Request, categories, expand
from tests.support.stack import quick_retries

KINDS = ("server_errors", "wrong_status", "enqueued", "lost", "echoed")
CLIENTS = 4
PATIENCE_SECONDS = 20
# The timeout of process, and no longer: on a busy machine some messages take several deliveries.
VISIBILITY_SECONDS = 30
PROBLEMS = {405: "method-not-allowed", 413: "too-large", 415: "unsupported-media-type"}
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_REVEALING_LENGTHS = range(10, 1000)  # a shorter value may be in an answer by coincidence

Step = Callable[["Report"], None]


class _ExactDeserializer(TypeDeserializer):  # type: ignore[misc] # boto3 is not typed
    """Accepts 1E125, which DynamoDB returns as a one and 125 zeros; boto3's own does not."""

    def _deserialize_n(self, value: str) -> Decimal:
        return Decimal(value)


class Finding(NamedTuple):
    kind: str
    category: str
    request: str
    detail: str


@dataclass
class Report:
    requests: Counter[str] = field(default_factory=Counter)  # by category
    statuses: Counter[int] = field(default_factory=Counter)
    unanswered: int = 0  # the connection was closed, by the server or, on purpose, by the client
    stored: int = 0  # orders
    findings: list[Finding] = field(default_factory=list)

    def count(self, kind: str, category: str | None = None) -> int:
        return sum(one.kind == kind and category in (None, one.category) for one in self.findings)

    def content(self) -> dict[str, Any]:
        """Returns the content of build/hostile.json."""
        return {
            "requests": self.requests.total(),
            **{kind: self.count(kind) for kind in KINDS},
            "stored": self.stored,
            "unanswered": self.unanswered,
            "statuses": {str(status): n for status, n in sorted(self.statuses.items())},
            "categories": dict(self.requests),
            "faults": [finding._asdict() for finding in self.findings],
        }


@dataclass(frozen=True)
class Sent:
    """A request that was sent, and its answers."""

    request: Request
    marker: str
    answers: list[Answer]
    raw: bytes

    @property
    def text(self) -> str:
        return self.request.content(self.marker).decode("utf-8-sig", "replace")

    @property
    def message_ids(self) -> list[str]:
        return [str(answer.json["message_id"]) for answer in self.answers if answer.status == 202]


class Sender:
    """A client that sends any bytes over TLS."""

    def __init__(self, stack: Stack) -> None:
        url = urlsplit(stack.outputs["endpoint_url"])
        self._endpoint = Endpoint(url.netloc, url.path)
        self._address = (HOST, stack.emulator.port)
        self._tls = ssl.create_default_context(cafile=stack.emulator.ca_bundle)

    def send(self, request: Request, marker: str) -> Sent:
        wire = request.wire(self._endpoint, marker)
        raw = b""
        with (
            socket.create_connection(self._address, PATIENCE_SECONDS) as plain,
            self._tls.wrap_socket(plain, server_hostname=HOST) as connection,
        ):
            # The server may close it at any moment: what has been read counts.
            with suppress(OSError):
                connection.sendall(wire)
            with suppress(OSError):
                while not request.aborted and (data := connection.recv(65536)):
                    raw += data
        return Sent(request, marker, list(_answers(raw, request.method)), raw)


class Accepted(NamedTuple):
    sent: Sent
    document: Any  # of the message


def run(stack: Stack, step: Step = lambda _: None) -> Report:
    """Sends all requests, and calls `step` after each."""
    return _Run(stack, step).all()


class _Run:
    def __init__(self, stack: Stack, step: Step) -> None:
        self._stack = stack
        self._step = step
        self._report = Report()
        self._began = time.time()
        self._sender = Sender(stack)
        self._prefix = f"hx{secrets.token_hex(3)}"
        self._markers = re.compile(rf"{self._prefix}\d{{6}}")
        self._sent: dict[str, Sent] = {}  # by marker
        self._queued: dict[
            str, Accepted | None
        ] = {}  # by message ID; None if it should not be there

    def all(self) -> Report:
        self._stack.wait_for_empty_queue()
        dead = self._dead_letters()
        with quick_retries(self._stack, VISIBILITY_SECONDS):
            with self._stack.paused_mapping():
                for number, requests in enumerate(categories()):
                    self._send(requests, number)
                    self._compare_with_queue(requests[0].category)
            try:
                self._stack.wait_for_empty_queue()
            except NotInTimeError as error:
                detail = " ".join([str(error), *error.__notes__])
                self._report_finding("lost", "all", "", detail)
        for _ in range(self._dead_letters() - dead):
            self._report_finding("lost", "all", "", "a message is in the dead-letter queue")
        self._compare_with_table()
        self._search_logs()
        return self._report

    def _report_finding(self, kind: str, category: str, request: str, detail: str) -> None:
        self._report.findings.append(Finding(kind, category, request, detail))

    # One request

    def _send(self, requests: list[Request], category: int) -> None:
        with ThreadPoolExecutor(CLIENTS) as pool:
            markers = [f"{self._prefix}{category:02}{n:04}" for n in range(len(requests))]
            for sent in pool.map(self._sender.send, requests, markers):
                self._sent[sent.marker] = sent
                self._report.requests[sent.request.category] += 1
                self._report.statuses.update(answer.status for answer in sent.answers)
                self._report.unanswered += not sent.answers
                for kind, detail in check(sent):
                    self._report_finding(kind, sent.request.category, sent.request.name, detail)
                self._step(self._report)

    # One category

    def _compare_with_queue(self, category: str) -> None:
        """Checks that the queue holds the accepted orders, and nothing else."""
        messages = {one["MessageId"]: one["Body"] for one in self._stack.messages()}
        for sent in self._sent.values():
            if sent.request.category == category:
                for message_id in sent.message_ids:
                    self._compare(sent, message_id, messages.get(message_id))
        for message_id in messages.keys() - self._queued.keys():
            self._queued[message_id] = None
            body = messages[message_id]
            found = self._markers.search(body)
            name = self._sent[found[0]].request.name if found else "?"
            self._report_finding("enqueued", category, name, f"not accepted: {body[:200]}")

    def _compare(self, sent: Sent, message_id: str, body: str | None) -> None:
        """Checks that the message has what was sent."""
        category, name = sent.request.category, sent.request.name
        if body is None:
            self._report_finding("lost", category, name, "accepted, but not on the queue")
            return
        document = _parse(body)
        self._queued[message_id] = Accepted(sent, document)
        if sent.request.raw is None and document != _parse(sent.text):
            self._report_finding("enqueued", category, name, f"changed: {body[:200]}")

    # Effects

    def _dead_letters(self) -> int:
        answer = self._stack.sqs.get_queue_attributes(
            QueueUrl=self._stack.outputs["dead_letter_queue_url"],
            AttributeNames=["ApproximateNumberOfMessages"],
        )
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])

    def _compare_with_table(self) -> None:
        deserialize = _ExactDeserializer().deserialize
        for sent, document in filter(None, self._queued.values()):
            for order in document if isinstance(document, list) else [document]:
                row = self._row(order)
                row.pop("accepted_at", None)
                if {name: deserialize(value) for name, value in row.items()} == order:
                    self._report.stored += 1
                else:
                    detail = f"accepted, but stored as {str(row)[:200]}"
                    self._report_finding("lost", sent.request.category, sent.request.name, detail)

    def _row(self, order: Any) -> dict[str, Any]:
        with suppress(ClientError, TypeError, KeyError):  # the document may not even be an order
            return self._stack.row(order) or {}
        return {}

    def _search_logs(self) -> None:
        """Checks that the functions' logs reveal no content of a request."""
        answers = [answer for sent in self._sent.values() for answer in sent.answers]
        ids = {answer.headers.get("X-Request-Id", "") for answer in answers}
        invocations = set(filter(_UUID.fullmatch, ids))

        def complete() -> list[str]:
            """Returns the lines once they include those of every answer of ingest."""
            lines = list(self._log_lines())
            return lines if invocations <= set(_UUID.findall("".join(lines))) else []

        for line in eventually(complete, "the log lines of all requests"):
            for marker in set(self._markers.findall(line)):
                request = self._sent[marker].request
                self._report_finding(
                    "echoed", request.category, request.name, f"logged: {line[:300]}"
                )

    def _log_lines(self) -> Iterator[str]:
        for function in ("ingest", "process"):
            name = f"{self._stack.outputs['table_name']}-{function}"
            yield from self._stack.log_lines(name, self._began)


def check(sent: Sent) -> Iterator[tuple[str, str]]:
    """Yields what is wrong with the answers to a request: kind and detail."""
    request = sent.request
    statuses = [answer.status for answer in sent.answers]
    for status in statuses:
        if status >= 500:
            yield "server_errors", f"{status}"
    if statuses != request.statuses:
        yield "wrong_status", f"{statuses}, not {request.statuses}: {sent.raw[-300:]!r}"
    elif request.by == "ingest":
        for answer in sent.answers:
            if wrong := _wrong_form(answer, request):
                yield "wrong_status", wrong
    value = expand(request.value or "", sent.marker)
    for own in (sent.marker, value):
        if len(own) in _REVEALING_LENGTHS and own.encode() in sent.raw:
            yield "echoed", f"{own} in {sent.raw[-300:]!r}"


def _wrong_form(answer: Answer, request: Request) -> str | None:
    """Returns what is wrong with an answer of ingest besides its status, or None."""
    headers = answer.headers
    if not _UUID.fullmatch(headers.get("X-Request-Id", "")):
        return "no X-Request-Id"
    if headers.get("Cache-Control") != "no-store":
        return "no Cache-Control"
    if headers.get("Allow") != ("POST" if answer.status == 405 else None):
        return f"Allow: {headers.get('Allow')}"
    if answer.status == 202:
        is_right = headers.get("Content-Type") == "application/json" and answer.json["orders"] >= 1
        return None if is_right else "no confirmation"
    if headers.get("Content-Type") != "application/problem+json":
        return f"Content-Type: {headers.get('Content-Type')}"
    if request.method == "HEAD":
        return None if not answer.body else "a body to HEAD"
    kind = f"urn:async-ingest:problem:{request.problem or PROBLEMS[answer.status]}"
    if (answer.json["type"], answer.json["status"]) != (kind, answer.status):
        return f"not {kind}: {answer.json}"
    return None


class _Stream(io.BytesIO):
    """A stream that several HTTPResponses read one after another."""

    def makefile(self, *_: Any, **__: Any) -> "_Stream":
        return self

    def close(self) -> None:
        pass


def _answers(raw: bytes, method: str) -> Iterator[Answer]:
    stream = _Stream(raw)
    with suppress(http.client.HTTPException):  # malformed answers do not count
        while stream.tell() < len(raw):
            response = http.client.HTTPResponse(stream, method=method)  # type: ignore[arg-type]
            response.begin()
            yield Answer(response.status, response.headers, response.read())


def _parse(text: str) -> Any:
    """Parses JSON without rounding numbers. Returns the text itself if it is no JSON."""
    try:
        return json.loads(text, parse_int=_number, parse_float=_number)
    except ValueError:
        return text


def _number(literal: str) -> Decimal | str:
    try:
        return Decimal(literal)
    except InvalidOperation:  # the exponent is too large, which does not matter for zero
        return Decimal(0) if literal.strip("-0.").lower()[:1] in ("", "e") else literal
