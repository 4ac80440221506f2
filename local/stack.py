"""The applied system, as a client and as an operator see it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode, urlsplit

from async_ingest import move_task
from async_ingest.aws import Aws
from async_ingest.system import System
from local.emulator import HOST, ROOT, Emulator
from local.http_client import Answer, send
from local.terraform import Terraform
from local.waiting import NotInTimeError, eventually

EXAMPLE = ROOT / "examples" / "minimal"
PATH = "/lambda/api"  # the default of the module's paths
# A message whose delivery failed, perhaps because the machine was busy, comes again after the
# visibility timeout, which is 180 s by default. This is two of them, and time for the rest.
SETTLED_SECONDS = 400
NOTED_MESSAGES = 5  # of a queue that does not get empty
NOTED_LENGTH = 200

Order = dict[str, Any]
Item = dict[str, Any]  # a row in DynamoDB's wire format: {"order_id": {"S": "123"}, ...}
Message = dict[str, Any]  # as receive_message returns it


class Stack:
    """The system that Terraform has applied to an emulator.

    Args:
        emulator: It must be running.
        terraform: Its outputs are read once, here.
        path: Where orders are posted. By default that of the output endpoint_url.
        port: Of the listener that requests are sent to.
        module: The output that has the module's outputs as its value, if they are not the
            configuration's own.
    """

    def __init__(
        self,
        emulator: Emulator,
        terraform: Terraform,
        *,
        path: str | None = None,
        port: int = 80,
        module: str | None = None,
    ) -> None:
        self.emulator = emulator
        self.terraform = terraform
        outputs = terraform.outputs()
        self.outputs: dict[str, Any] = outputs[module] if module else outputs
        self._path = path or urlsplit(self.outputs.get("endpoint_url") or "").path or PATH
        self._port = port
        self.sqs = emulator.client("sqs")
        self.dynamodb = emulator.client("dynamodb")
        self.iam = emulator.client("iam")
        self.lambda_ = emulator.client("lambda")
        self._tls = emulator.tls_context

    @property
    def system(self) -> System:
        """The system as async-ingest operates it."""
        aws = Aws(endpoint_url=self.emulator.endpoint_url, session=self.emulator)
        return System(self.outputs["queue_url"].rpartition("/")[2], aws, self.outputs)

    # Client

    @property
    def url(self) -> str:
        """Where orders are posted, on this machine."""
        return self.url_of(self._path)

    def url_of(self, path: str) -> str:
        return self.emulator.alb_url(self.outputs["load_balancer_name"]) + path

    def send(
        self,
        body: bytes | str,
        *,
        method: str = "POST",
        path: str | None = None,
        content_type: str = "application/json",
        port: int | None = None,
    ) -> Answer:
        """Sends a request to a listener of the load balancer, which the header Host selects.

        Raises:
            OSError: There is no answer.
        """
        return send(
            self.url_of(path or self._path),
            body.encode() if isinstance(body, str) else body,
            method=method,
            headers={"Content-Type": content_type, "Host": f"{HOST}:{port or self._port}"},
            tls=self._tls,
        )

    def post(self, order: Order | list[Order]) -> Answer:
        """Posts an order or an array of orders. Raises OSError if there is no answer."""
        return self.send(json.dumps(order))

    # Table

    def row(self, order: Order) -> Item | None:
        """Returns the row with the keys of an order, by a consistent read."""
        answer = self.dynamodb.get_item(
            TableName=self.outputs["table_name"],
            Key={name: {"S": order[name]} for name in ("order_id", "item")},
            ConsistentRead=True,
        )
        item: Item | None = answer.get("Item")
        return item

    def wait_for_row(self, order: Order, seconds: float = SETTLED_SECONDS) -> Item:
        """Waits for the row of an order. Raises NotInTimeError."""
        return eventually(lambda: self.row(order), f"the row of {order}", seconds)

    # Queues

    def queued(self) -> int:
        """Returns the number of messages on the queue, visible or in flight."""
        answer = self.sqs.get_queue_attributes(
            QueueUrl=self.outputs["queue_url"],
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )
        return sum(int(value) for value in answer["Attributes"].values())

    def wait_for_empty_queue(self, seconds: float = SETTLED_SECONDS) -> None:
        """Waits until nothing is on the queue or in flight.

        Raises:
            NotInTimeError: With notes: what Lambda's poller says, and what is on the queue.
        """
        try:
            eventually(self.queued, "an empty queue", seconds, until=lambda number: number == 0)
        except NotInTimeError as error:
            error.add_note(f"The event source mapping's last result: {self.mapping_result()}")
            for message in self.messages()[:NOTED_MESSAGES]:
                received = f"received {message['ReceiveCount']} times"
                error.add_note(f"On the queue, {received}: {message['Body'][:NOTED_LENGTH]}")
            raise

    def messages(self) -> list[Message]:
        """Returns what is on the queue, visible or in flight, without receiving it.

        Each is as the emulator shows it: MessageId, Body, ReceiveCount and more.
        """
        query = urlencode({"QueueUrl": self.outputs["queue_url"]})
        content = json.loads(self.emulator.request(f"/_ministack/sqs/messages?{query}"))
        return [
            message
            for regions in content["messages"].values()
            for queues in regions.values()
            for messages in queues.values()
            for message in messages
        ]

    def take(self, url: str) -> list[Message]:
        """Receives and deletes at most 10 messages, without waiting for any."""
        messages = self.sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            MessageAttributeNames=["All"],
            WaitTimeSeconds=0,
        ).get("Messages", [])
        for message in messages:
            self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return list(messages)

    def take_dead_letters(self) -> list[Message]:
        """Receives and deletes at most 10 messages of the dead-letter queue."""
        return self.take(self.outputs["dead_letter_queue_url"])

    def redrive(self) -> int:
        """Moves all dead letters back to the queue. Returns how many."""
        system = self.system
        move_task.start(system)
        return move_task.follow(system, lambda _moved: None)

    @contextmanager
    def paused_mapping(self) -> Iterator[None]:
        """Disables the event source mapping, so that messages stay on the queue."""
        mapping = self.outputs["event_source_mapping_id"]
        self.lambda_.update_event_source_mapping(UUID=mapping, Enabled=False)
        try:
            yield
        finally:
            self.lambda_.update_event_source_mapping(UUID=mapping, Enabled=True)

    def mapping_result(self) -> str:
        """Returns what the event source mapping says about its latest poll or batch."""
        mapping = self.lambda_.get_event_source_mapping(
            UUID=self.outputs["event_source_mapping_id"]
        )
        return str(mapping.get("LastProcessingResult", ""))

    # Functions

    def role_of(self, function: str) -> str:
        """Returns the ARN of a function's role."""
        answer = self.lambda_.get_function_configuration(FunctionName=function, Qualifier="live")
        return str(answer["Role"])

    def log_lines(self, function: str, since: float) -> Iterator[str]:
        """Yields what a function has logged since a time in seconds of the epoch."""
        pages = (
            self.emulator.client("logs")
            .get_paginator("filter_log_events")
            .paginate(logGroupName=f"/aws/lambda/{function}", startTime=int(1000 * since))
        )
        for page in pages:
            yield from (event["message"] for event in page["events"])
