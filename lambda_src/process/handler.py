"""Messages in, rows out: writes a batch of messages, and answers for each message on its own.

Every message ends in one of three ways, never mixed up:

- done: each of its orders is written, or superseded by a newer one. Lambda deletes it.
- failed: not every order is written, but may be later (throttling, timeouts, all that is unknown).
  It is reported, and SQS delivers it again.
- hopeless: it is not orders, or not storable, or DynamoDB refuses it. It goes to the dead-letter
  queue at once, with the reason. If it does not arrive there, or DEAD_LETTER_IMMEDIATELY is false,
  it is reported, and the redrive policy takes it there in the end.
"""

import base64
import logging
import re
from collections.abc import Callable
from functools import cache
from itertools import islice
from typing import Any, NamedTuple

from process.writer import Entry, Outcome, Writer
from shared import aws, orders, settings, telemetry

MARGIN_SECONDS = 0.5  # to report, after the longest SDK call
MAX_ATTRIBUTES = 10  # of a message: "Amazon SQS message quotas"
MAX_REASON = 256  # characters

FUNCTION_NAME = settings.text("AWS_LAMBDA_FUNCTION_NAME")
REGION = settings.text("AWS_REGION")
READ_TIMEOUT_SECONDS = settings.seconds("SDK_READ_TIMEOUT_SECONDS")
SCHEMA = settings.schema()
DEAD_LETTER_QUEUE_URL = settings.text("DEAD_LETTER_QUEUE_URL")
DEAD_LETTER_IMMEDIATELY = settings.flag("DEAD_LETTER_IMMEDIATELY")
DYNAMODB = aws.client("dynamodb", REGION, READ_TIMEOUT_SECONDS)
WRITER = Writer(DYNAMODB, settings.text("TABLE_NAME"), SCHEMA.stamp)
NEEDED_MILLISECONDS = 1000 * (aws.worst_call_seconds(READ_TIMEOUT_SECONDS) + MARGIN_SECONDS)
LOG = logging.getLogger()

_STAMP = re.compile("[1-9][0-9]{0,15}")  # microseconds, until the year 2286


class _Message(NamedTuple):
    """A record that was read: entries to write, or a reason why it is hopeless, or failed."""

    record: dict[str, Any]
    entries: tuple[Entry, ...] = ()
    hopeless: str = ""
    failed: bool = False


@cache
def sqs() -> Any:
    """Made when it is needed: most instances never dead-letter, and it would slow their start."""
    return aws.client("sqs", REGION, READ_TIMEOUT_SECONDS)


def handle(event: dict[str, Any], context: Any) -> dict[str, list[dict[str, str]]]:
    """Writes a batch, and returns the ids of its failed messages.

    See "Implementing partial batch responses" in Lambda's developer guide.

    Raises:
        Exception: The event is none of SQS, or a message has no id to report it by. Lambda then
            takes every message for failed.
    """
    metrics: dict[str, int | list[int]] = {
        "Written": 0,
        "Superseded": 0,
        "Failed": 0,
        "DeadLettered": 0,
    }
    try:
        failed = _process(event["Records"], context, metrics)
    finally:
        telemetry.emit(FUNCTION_NAME, metrics, request_id=context.aws_request_id)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _process(
    records: list[dict[str, Any]], context: Any, metrics: dict[str, int | list[int]]
) -> list[str]:
    """Returns the ids of failed messages, and fills in the metrics."""

    def has_time() -> bool:
        return bool(context.get_remaining_time_in_millis() > NEEDED_MILLISECONDS)

    if not all(isinstance(record["messageId"], str) for record in records):
        raise TypeError("a message has no id")
    messages = [_read(record) for record in records]
    entries = [entry for message in messages for entry in message.entries]
    outcomes = WRITER.write(entries, has_time)
    ages = [
        max(0, telemetry.now_microseconds() - entry.stamp) // 1000
        for entry, outcome in zip(entries, outcomes, strict=True)
        if outcome is Outcome.WRITTEN
    ]

    failed: list[str] = []
    dead_lettered = 0
    rest = iter(outcomes)
    for message in messages:
        own = list(islice(rest, len(message.entries)))
        hopeless = message.hopeless
        if Outcome.REFUSED in own:
            hopeless = f"order {own.index(Outcome.REFUSED)}: DynamoDB refuses the item"
        if Outcome.FAILED in own or message.failed:
            failed.append(message.record["messageId"])
        elif hopeless and _dead_letter(message.record, hopeless[:MAX_REASON], has_time):
            dead_lettered += 1
        elif hopeless:
            failed.append(message.record["messageId"])

    metrics["Written"] = len(ages)
    metrics["Superseded"] = outcomes.count(Outcome.SUPERSEDED)
    metrics["Failed"] = len(failed)
    metrics["DeadLettered"] = dead_lettered
    if ages:
        metrics["Age"] = telemetry.thin_out(ages)
    return list(dict.fromkeys(failed))


def _read(record: dict[str, Any]) -> _Message:
    """Reads a record. Nothing in it is an error to the other messages."""
    try:
        document = orders.read(record["body"], SCHEMA)
        stamp = _stamp(record)
    except orders.InvalidDocumentError as error:
        return _Message(record, hopeless=str(error))
    except Exception as error:
        extra = {**telemetry.describe(error), "message_id": record["messageId"]}
        LOG.error("Unexpected exception", extra=extra)  # noqa: TRY400 - its text may quote an order
        return _Message(record, failed=True)
    entries = []
    for key, order in zip(document.keys, document.orders, strict=True):
        item = {name: orders.to_attribute_value(value) for name, value in order.items()}
        item[SCHEMA.stamp] = {"N": str(stamp)}
        entries.append(Entry(key, stamp, item))
    return _Message(record, tuple(entries))


def _stamp(record: dict[str, Any]) -> int:
    """When the orders were accepted, in microseconds since the epoch.

    Messages of other producers may not say so: then, when SQS took them. Only then, for a redrive
    gives a message a new time there, and an old order would win by it.
    """
    stamp = record.get("messageAttributes", {}).get("accepted_at", {}).get("stringValue")
    if isinstance(stamp, str) and _STAMP.fullmatch(stamp):
        return int(stamp)
    return int(record["attributes"]["SentTimestamp"]) * 1000


def _dead_letter(record: dict[str, Any], reason: str, has_time: Callable[[], bool]) -> bool:
    """Sends a copy to the dead-letter queue; False if it is not known to be there."""
    if not (DEAD_LETTER_IMMEDIATELY and has_time()):
        return False
    extra = {"message_id": record["messageId"], "reason": reason}
    try:
        message = {
            "QueueUrl": DEAD_LETTER_QUEUE_URL,
            "MessageBody": record["body"],
            "MessageAttributes": _attributes(record, reason),
        }
        if trace := record["attributes"].get("AWSTraceHeader"):
            trace_header = {"DataType": "String", "StringValue": trace}
            message["MessageSystemAttributes"] = {"AWSTraceHeader": trace_header}
        confirmed = bool(sqs().send_message(**message)["MessageId"])
    except Exception as error:
        LOG.warning("Dead-lettering failed", extra={**extra, "error": aws.error_code(error)})
        return False
    LOG.warning("Dead-lettered", extra=extra)
    return confirmed


def _attributes(record: dict[str, Any], reason: str) -> dict[str, dict[str, Any]]:
    """The message's own attributes, and ours as long as there is room.

    A copy that was redriven and fails again gets a new reason, and keeps its first message's id.
    """
    attributes: dict[str, dict[str, Any]] = {}
    for name, given in record.get("messageAttributes", {}).items():
        attributes[name] = {"DataType": given["dataType"]}
        if given.get("binaryValue") is None:
            attributes[name]["StringValue"] = given["stringValue"]
        else:
            attributes[name]["BinaryValue"] = base64.b64decode(given["binaryValue"], validate=True)
    first_id = {"DataType": "String", "StringValue": record["messageId"]}
    ours = {
        "failure_reason": {"DataType": "String", "StringValue": reason},
        "failed_at": {"DataType": "Number", "StringValue": str(telemetry.now_microseconds())},
        "original_message_id": attributes.get("original_message_id", first_id),
    }
    for name, attribute in ours.items():
        if name in attributes or len(attributes) < MAX_ATTRIBUTES:
            attributes[name] = attribute
    return attributes
