"""Sends messages to SQS, and has each confirmed unaltered."""

import base64
import hashlib
import json
from typing import Any, TypeAlias

from shared import signing
from shared.aws import CallError, Client, Deadline

Attributes: TypeAlias = dict[str, dict[str, str]]
"""By name: DataType and either StringValue or BinaryValue (base64), as in the API reference."""


class Queue:
    def __init__(self, client: Client, url: str) -> None:
        self._client = client
        self._url = url

    def send(
        self,
        body: str,
        attributes: Attributes,
        trace: str | None,
        deadline: Deadline,
        group: str | None = None,
    ) -> str:
        """Sends a message.

        Args:
            body: Characters that SQS accepts; it rejects some control characters.
            attributes: At most 10.
            trace: The message's trace, used only where the call itself has none. Within Lambda, the
                call's trace becomes the message's, and recursive loop detection relies on it.
            deadline: By when SQS must confirm.
            group: The tenant that the message belongs to, if any ("Amazon SQS fair queues").

        Returns:
            The message's id.

        Raises:
            CallError: SQS did not confirm this very message.
            ValueError: A BinaryValue is not base64; nothing was sent.
        """
        digests = {"MD5OfMessageBody": _md5(body.encode())}
        if attributes:
            digests["MD5OfMessageAttributes"] = md5_of_attributes(attributes)
        message: dict[str, Any] = {
            "QueueUrl": self._url,
            "MessageBody": body,
            "MessageAttributes": attributes,
        }
        if group:
            message["MessageGroupId"] = group
        if trace and not signing.trace_header():
            trace_header = {"DataType": "String", "StringValue": trace}
            message["MessageSystemAttributes"] = {"AWSTraceHeader": trace_header}
        answer = self._client.call("SendMessage", json.dumps(message), deadline)
        if any(answer.get(name) != digest for name, digest in digests.items()):
            raise CallError("OtherMessageConfirmed", status=200)
        message_id = answer.get("MessageId")
        if not isinstance(message_id, str) or not message_id:
            raise CallError("NothingConfirmed", status=200)
        return message_id


def md5_of_attributes(attributes: Attributes) -> str:
    """Returns the digest by "Calculating the MD5 message digest for message attributes"."""
    digest = b""
    for name, attribute in sorted(attributes.items()):
        is_binary = "BinaryValue" in attribute
        value = (
            base64.b64decode(attribute["BinaryValue"], validate=True)
            if is_binary
            else attribute["StringValue"].encode()
        )
        for part in (name.encode(), attribute["DataType"].encode()):
            digest += len(part).to_bytes(4) + part
        digest += (b"\2" if is_binary else b"\1") + len(value).to_bytes(4) + value
    return _md5(digest)


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
