"""Sends a marked order, and follows it to its row. Leaves neither row nor message."""

from __future__ import annotations

import base64
import json
import time
import uuid
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from botocore.exceptions import ClientError

from async_ingest import http_client
from async_ingest.doctor import http
from async_ingest.doctor.findings import Finding, checks, failed, ok, unknown, warning
from async_ingest.receiving import Pass
from async_ingest.signing import Headers
from async_ingest.system import ALIAS, Key, System, decoded
from async_ingest.verdict import row_key

TABLE, PATH, PROCESS, DEAD = "table", "the whole path", "process function", "dead-letter queue"
MARK = "async-ingest-doctor"
ROW_SECONDS = 60.0
POLL_SECONDS = 0.5
LOOK_SECONDS = 20


class Probe:
    """A marked order.

    Args:
        system: Whose path it takes.
        url: Where it is posted; None finds out.
        headers: Of the request.
        extra: Attributes that hooks of the team demand.
    """

    def __init__(
        self,
        system: System,
        url: str | None,
        headers: Headers,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        self._system = system
        self._url = url
        self._headers = headers
        self.mark = str(uuid.uuid4())  # the value of its keys: of a form that most hooks accept
        self.order = self._attributes() | dict(extra or {})
        self.order |= {key.name: _key_value(key, self.mark) for key in system.keys}
        numbers = {name: Decimal(value) for name, value in self.order.items() if _is_number(value)}
        self._key = row_key(system, self.order | numbers)

    def write_directly(self) -> Iterator[Finding]:
        """Has process write the order, without the queue."""
        yield from checks(TABLE)(lambda _system: self._write_directly())(self._system)

    def send(self) -> Iterator[Finding]:
        """Posts the order, and waits for its row."""
        yield from checks(PATH)(lambda _system: self._send())(self._system)

    def remove(self) -> Iterator[Finding]:
        """Deletes the row, and the message if it was dead-lettered."""
        try:
            self._system.aws.client("dynamodb").delete_item(
                TableName=self._system.table_name, Key=self._key
            )
        except ClientError as error:
            what = f"the marked order {self.mark} stays in the table: {error}"
            yield warning(TABLE, what, "delete it")

    def _attributes(self) -> dict[str, Any]:
        variables = self._system.environment(self._system.ingest_function)
        made: dict[str, Any] = {"marked_by": MARK}
        if version := decoded(variables.get("ORDER_VERSION")):
            made[version["name"]] = 1 if version["type"] == "N" else "2000-01-01T00:00:00Z"
        if tenant := variables.get("FAIR_QUEUE_ATTRIBUTE"):
            made[tenant] = MARK
        if expiry := variables.get("TTL_ATTRIBUTE"):
            made[expiry] = int(time.time()) + 86400
        return made

    def _write_directly(self) -> Iterator[Finding]:
        now = time.time_ns() // 10**6
        message_id = str(uuid.uuid4())
        record = {
            "messageId": message_id,
            "receiptHandle": "none",
            "body": json.dumps(self.order),
            "attributes": {"SentTimestamp": str(now), "ApproximateReceiveCount": "1"},
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": self._system.queue_arn,
        }
        answer = self._system.aws.client("lambda").invoke(
            FunctionName=self._system.process_function,
            Qualifier=ALIAS,
            LogType="Tail",
            Payload=json.dumps({"Records": [record]}).encode(),
        )
        said = _problems_in(base64.b64decode(answer.get("LogResult", "")).decode(errors="replace"))
        payload = decoded(answer["Payload"].read().decode(errors="replace")) or {}
        log = f"the log /aws/lambda/{self._system.process_function}"
        if answer.get("FunctionError"):
            yield failed(PROCESS, f"it fails: {json.dumps(payload)[:300]}", f"see {log}")
        elif payload.get("batchItemFailures"):
            yield failed(
                TABLE,
                f"process cannot write the marked order: {said or 'its log has the cause'}",
                _advice(said, log),
            )
        elif self._row():
            yield ok(TABLE, "process has written the marked order")
        else:
            reason = self._take_dead_letter({message_id})
            what = f"process refuses the marked order: {reason or said or 'no row'}"
            yield unknown(PROCESS, what, "pass attributes that your hook demands with --attribute")

    def _send(self) -> Iterator[Finding]:
        url = http_client.url_of(self._system, self._url)
        begun = time.monotonic()
        try:
            answer = http_client.Client(url, self._headers).post(json.dumps(self.order).encode())
        except http_client.NoAnswerError as error:
            yield unknown(
                "load balancer",
                f"not reached from here at {url}: {error}",
                "run doctor where clients are, such as inside the VPC, or pass --url",
            )
            answer = self._invoke_ingest()
        if answer.status != 202:
            yield _refused(answer, self._system)
            return
        message_id = str(answer.document.get("message_id", ""))
        while not self._row():
            if time.monotonic() - begun > ROW_SECONDS:
                reason = self._take_dead_letter({message_id})
                hop, what = (DEAD, f"it is there: {reason}") if reason else (PATH, "no row")
                yield failed(
                    hop,
                    f"the marked order {self.mark}, message {message_id}, was accepted: {what} "
                    f"after {ROW_SECONDS:.0f} s",
                    f"see the log /aws/lambda/{self._system.process_function}",
                )
                return
            time.sleep(POLL_SECONDS)
        yield ok(PATH, f"posted, and in the table after {time.monotonic() - begun:.1f} s")

    def _invoke_ingest(self) -> http_client.Answer:
        """Has ingest take the order without the load balancer, which is out of reach from here."""
        body = json.dumps(self.order)
        headers = {name.lower(): text for name, text in self._headers.of(body.encode()).items()}
        event = {
            "httpMethod": "POST",
            "path": http.paths(self._system)[0],
            "headers": headers,
            "body": body,
            "isBase64Encoded": False,
            "requestContext": {"elb": {}},
        }
        answer = self._system.aws.client("lambda").invoke(
            FunctionName=self._system.ingest_function,
            Qualifier=ALIAS,
            Payload=json.dumps(event).encode(),
        )
        document = decoded(answer["Payload"].read().decode(errors="replace")) or {}
        said = str(document.get("body", document)).encode()
        status = int(document.get("statusCode", 502))
        return http_client.Answer(status, document.get("headers", {}), said)

    def _row(self) -> dict[str, Any] | None:
        row: dict[str, Any] | None = (
            self._system.aws.client("dynamodb")
            .get_item(TableName=self._system.table_name, Key=self._key, ConsistentRead=True)
            .get("Item")
        )
        return row

    def _take_dead_letter(self, ids: set[str]) -> str | None:
        """Deletes the marked order from the dead-letter queue. Returns why it was there."""
        with Pass(self._system, LOOK_SECONDS) as look:
            for letters in look.batches():
                for letter in letters:
                    if letter.original_id in ids or self.mark in letter.body:
                        look.delete([letter])
                        return letter.kind
        return None


def _key_value(key: Key, mark: str) -> Any:
    # Negative, because numbers of orders rarely are.
    return mark if key.type == "S" else -time.time_ns()


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _problems_in(log: str) -> str:
    """Returns what errors and warnings in JSON say, without what is known."""
    found = []
    for line in log.splitlines():
        record = decoded(line)
        if isinstance(record, dict) and record.get("level") in ("ERROR", "WARN", "WARNING"):
            parts = (record.get(name) for name in ("message", "error", "reason", "at"))
            found.append(" ".join(str(part) for part in parts if part))
    return "; ".join(dict.fromkeys(found))


def _advice(said: str, log: str) -> str:
    if "AccessDenied" in said:
        return (
            "the role's policy allows it, so look at the table's resource policy, its key, the "
            "endpoint's policy and service control policies"
        )
    return f"see {log}"


def _refused(answer: http_client.Answer, system: System) -> Finding:
    status, document = answer.status, answer.document
    detail = document.get("detail") or answer.body[:200].decode(errors="replace")
    if not answer.is_from_ingest:
        hop = {404: "listener rule", 502: "permission of the load balancer", 503: "target group"}
        return failed(
            hop.get(status, "load balancer"),
            f"the load balancer itself answers {status}: {detail}",
            "see the load balancer's access log and metrics",
        )
    if status == 503:
        log = f"the log /aws/lambda/{system.ingest_function}"
        return failed("queue", f"ingest cannot send: {detail}", _advice("", log))
    return unknown(
        "ingest function",
        f"ingest refuses the marked order, as it may: {status} {detail}",
        "pass what it lacks with --sign, --header or --attribute",
    )
