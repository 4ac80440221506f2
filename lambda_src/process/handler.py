"""SQS messages in, table items out: each group of messages is read, written and settled.

- reader.py decides which messages to process together, and parses them.
- writer.py writes their orders to the table.
- settlement.py decides how each message ends: deleted, delivered again, or dead-lettered.

The types that these steps pass on are in messages.py.
"""

import time
from typing import Any

from process import reader
from process.messages import Record
from process.settlement import Settlement
from process.writer import Writer
from shared import aws, settings, telemetry
from shared.queues import Queue

# Enough with the CPU of the default memory, 512 MB, to end what is running and to report.
MARGIN_SECONDS = 1.5

FUNCTION_NAME = settings.text("AWS_LAMBDA_FUNCTION_NAME")
SCHEMA = settings.schema()
DEAD_LETTER_IMMEDIATELY = settings.flag("DEAD_LETTER_IMMEDIATELY")
MAX_RECEIVE_COUNT = settings.whole_number("MAX_RECEIVE_COUNT", above=0)


def _client(service: str, queue_url: str | None = None) -> aws.Client:
    read_timeout = settings.seconds("READ_TIMEOUT_SECONDS")
    return aws.client(service, settings.text("AWS_REGION"), read_timeout, queue_url)


def _writer() -> Writer:
    arguments = (
        _client("dynamodb"),
        settings.text("TABLE_NAME"),
        SCHEMA.accepted_at_name,
        settings.whole_number("PARALLEL_CALLS", above=0),
    )
    if SCHEMA.version is None:
        return Writer(*arguments)
    from process.versions import VersionedWriter  # noqa: PLC0415 - only where there are versions

    return VersionedWriter(*arguments, SCHEMA.version.kept_in)


WRITER = _writer()
_DEAD_LETTER_URL = settings.text("DEAD_LETTER_QUEUE_URL")
DEAD_LETTER_QUEUE = Queue(_client("sqs", _DEAD_LETTER_URL), _DEAD_LETTER_URL)
LOG = telemetry.logger(settings.text("LOG_LEVEL"))
HOOK = settings.hook("prepare")
FRESHNESS_TARGET = settings.optional_seconds("FRESHNESS_TARGET_SECONDS")


def handle(event: dict[str, Any], context: Any) -> dict[str, list[dict[str, str]]]:
    """Processes a batch, and returns the ids of the messages that failed.

    See "Implementing partial batch responses" in Lambda's developer guide.

    Raises:
        Exception: Not an SQS event, or a message has no id to report it by. Lambda then treats the
            whole batch as failed.
    """
    started = time.monotonic_ns()
    deadline = aws.Deadline.before_the_end_of(context, MARGIN_SECONDS)
    queue = DEAD_LETTER_QUEUE if DEAD_LETTER_IMMEDIATELY else None
    settlement = Settlement(queue, deadline, FRESHNESS_TARGET)
    try:
        records = event["Records"]
        if not all(isinstance(record["messageId"], str) for record in records):
            raise TypeError("a message has no id")
        for group in reader.groups(records, MAX_RECEIVE_COUNT):
            _process(group, settlement, deadline)
    finally:
        metrics = settlement.metrics() | (HOOK.metrics() if HOOK else {})
        request_id = context.aws_request_id
        telemetry.emit(FUNCTION_NAME, metrics, started, settlement.trail, request_id=request_id)
    failed = dict.fromkeys(settlement.failed)  # a batch may contain a message twice
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _process(group: list[Record], settlement: Settlement, deadline: aws.Deadline) -> None:
    """Reads, writes and settles a group, and holds nothing of it afterwards."""
    messages = reader.read_group(group, SCHEMA, deadline, HOOK)
    entries = [entry for message in messages for entry in message.entries]
    try:
        outcomes = WRITER.write(entries, deadline)
    except Exception as error:
        LOG.error("Unexpected exception", extra=telemetry.describe(error))  # noqa: TRY400 - may quote an order
        settlement.fail(messages)
    else:
        settlement.settle(messages, outcomes)
