"""Messages in, rows out: writes a batch of messages, and answers for each message on its own.

Every message ends in one of three ways, never mixed up:

- done: each of its orders is written, or superseded by a newer one. Lambda deletes it.
- transient failure: not every order is written, but may be later (throttling, timeouts, all that is
  unknown). It is reported, and SQS delivers it again.
- permanent failure: it is not orders, or not storable, or DynamoDB refuses it. It goes to the
  dead-letter queue at once, with the reason. If it does not arrive there, or with
  DEAD_LETTER_IMMEDIATELY false, it is reported, and the redrive policy takes it there in the end.

The steps are in messages.py (which message next, and what it says), writer.py, dead_letters.py.
"""

from itertools import islice
from typing import Any

from process import dead_letters, messages
from process.messages import Message, Record
from process.writer import Outcome, Writer
from shared import aws, settings, telemetry
from shared.queues import Queue

# With the CPU of the default memory, 512 MB: to end what runs, and to report.
MARGIN_SECONDS = 1.5
# For reading the largest message. With less of it none is begun.
LEAST_SECONDS = 1.5

FUNCTION_NAME = settings.text("AWS_LAMBDA_FUNCTION_NAME")
SCHEMA = settings.schema()
DEAD_LETTER_IMMEDIATELY = settings.flag("DEAD_LETTER_IMMEDIATELY")
MAX_RECEIVE_COUNT = settings.whole_number("MAX_RECEIVE_COUNT", above=0)


def _client(service: str, queue_url: str | None = None) -> aws.Client:
    read_timeout = settings.seconds("READ_TIMEOUT_SECONDS")
    return aws.client(service, settings.text("AWS_REGION"), read_timeout, queue_url)


WRITER = Writer(
    _client("dynamodb"),
    settings.text("TABLE_NAME"),
    SCHEMA.stamp,
    settings.whole_number("PARALLEL_CALLS", above=0),
)
_DEAD_LETTER_URL = settings.text("DEAD_LETTER_QUEUE_URL")
DEAD_LETTER_QUEUE = Queue(_client("sqs", _DEAD_LETTER_URL), _DEAD_LETTER_URL)
LOG = telemetry.logger(settings.text("LOG_LEVEL"))


def handle(event: dict[str, Any], context: Any) -> dict[str, list[dict[str, str]]]:
    """Writes a batch, and returns the ids of its failed messages.

    See "Implementing partial batch responses" in Lambda's developer guide.

    Raises:
        Exception: Not an SQS event, or a message has no id to report it by. Lambda then takes every
            message for failed.
    """
    batch = _Batch(aws.Deadline.before_the_end_of(context, MARGIN_SECONDS))
    try:
        records = event["Records"]
        if not all(isinstance(record["messageId"], str) for record in records):
            raise TypeError("a message has no id")
        for group in messages.groups(records, MAX_RECEIVE_COUNT):
            batch.process(group)
    finally:
        telemetry.emit(FUNCTION_NAME, batch.metrics(), request_id=context.aws_request_id)
    failed = dict.fromkeys(batch.failed)  # a message may be twice in a batch
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


class _Batch:
    """What has come of the messages so far."""

    def __init__(self, deadline: aws.Deadline) -> None:
        self._deadline = deadline
        self.failed: list[str] = []  # ids of messages
        self._dead_lettered = 0
        self._superseded = 0
        self._ages: list[int] = []  # of the orders written, in milliseconds

    def process(self, records: list[Record]) -> None:
        """Reads, writes and settles some messages, and holds nothing of them afterwards."""
        read = [message for record in records if (message := self._read(record))]
        entries = [entry for message in read for entry in message.entries]
        try:
            outcomes = WRITER.write(entries, self._deadline)
        except Exception as error:
            LOG.error("Unexpected exception", extra=telemetry.describe(error))  # noqa: TRY400 - may quote an order
            self.failed += [message.record["messageId"] for message in read]
            return
        now = telemetry.now_microseconds()
        for entry, outcome in zip(entries, outcomes, strict=True):
            if outcome is Outcome.WRITTEN:
                self._ages.append(max(0, now - entry.stamp) // 1000)
        self._superseded += outcomes.count(Outcome.SUPERSEDED)
        rest = iter(outcomes)
        for message in read:
            self._settle(message, list(islice(rest, len(message.entries))))

    def _read(self, record: Record) -> Message | None:
        """A bad record never affects its neighbours, and none is begun in too little time."""
        if self._deadline.remaining() >= LEAST_SECONDS:
            try:
                return messages.read(record, SCHEMA)
            except Exception as error:
                extra = {**telemetry.describe(error), "message_id": record["messageId"]}
                LOG.error("Unexpected exception", extra=extra)  # noqa: TRY400 - may quote an order
        self.failed.append(record["messageId"])
        return None

    def _settle(self, message: Message, outcomes: list[Outcome]) -> None:
        reason = message.reason
        if Outcome.REFUSED in outcomes:
            reason = f"order {outcomes.index(Outcome.REFUSED)}: DynamoDB refuses the item"
        if not reason and Outcome.FAILED not in outcomes:
            return
        if (
            Outcome.FAILED not in outcomes
            and DEAD_LETTER_IMMEDIATELY
            and dead_letters.send(DEAD_LETTER_QUEUE, message.record, reason, self._deadline)
        ):
            self._dead_lettered += 1
        else:
            self.failed.append(message.record["messageId"])

    def metrics(self) -> dict[str, int | list[int]]:
        counts: dict[str, int | list[int]] = {
            "Written": len(self._ages),
            "Superseded": self._superseded,
            "Failed": len(self.failed),
            "DeadLettered": self._dead_lettered,
        }
        return counts | ({"Age": telemetry.thin_out(self._ages)} if self._ages else {})
