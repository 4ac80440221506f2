"""The queues of a system, as the tests of async-ingest use them."""

from dataclasses import dataclass
from typing import Any

from async_ingest.system import System


@dataclass
class Queues:
    """The queues of a system."""

    system: System
    sqs: Any

    def put(self, body: str = '{"order_id": "1", "item": "Kopi"}', **options: Any) -> str:
        """Sends a message to the dead-letter queue. Returns its id."""
        attributes = {
            name: value
            if isinstance(value, dict)
            else {
                "DataType": "Number" if isinstance(value, int) else "String",
                "StringValue": str(value),
            }
            for name, value in options.pop("attributes", {}).items()
        }
        sent = self.sqs.send_message(
            QueueUrl=self.system.dead_letter_url,
            MessageBody=body,
            MessageAttributes=attributes,
            **options,
        )
        return str(sent["MessageId"])

    def moved(self) -> list[dict[str, Any]]:
        """Receives and deletes all messages of the queue."""
        return self._all(self.system.queue_url)

    def left(self) -> list[dict[str, Any]]:
        """Receives and deletes all visible messages of the dead-letter queue."""
        return self._all(self.system.dead_letter_url)

    def _all(self, url: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        names = ["All"]
        while messages := self.sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            MessageAttributeNames=names,
            MessageSystemAttributeNames=names,
            WaitTimeSeconds=0,
        ).get("Messages"):
            for message in messages:
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            found += messages
        return found
