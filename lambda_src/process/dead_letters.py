"""Permanent failures go to the dead-letter queue at once, as a copy that states the reason."""

import logging
from typing import Any

from process.messages import Record, accepted_at
from shared import telemetry
from shared.aws import CallError, Deadline
from shared.queues import Attributes, Queue

MAX_ATTRIBUTES = 10  # of a message: "Amazon SQS message quotas"
MAX_REASON = 256  # characters

LOG = logging.getLogger()


def send(queue: Queue, record: Record, reason: str, deadline: Deadline, logged: str) -> bool:
    """Sends a copy of a message to the dead-letter queue.

    Args:
        queue: The dead-letter queue.
        record: The message.
        reason: Goes with the copy, up to MAX_REASON characters.
        deadline: By when SQS must confirm.
        logged: The reason as far as it is logged.

    Returns:
        Whether SQS confirmed it.
    """
    reason = reason[:MAX_REASON]
    extra = {"message_id": record["messageId"], "reason": logged[:MAX_REASON]}
    try:
        system = record["attributes"]
        trace = system.get("AWSTraceHeader")
        extra["trace_id"] = trace or ""
        attributes = _attributes(record, reason)
        queue.send(record["body"], attributes, trace, deadline, system.get("MessageGroupId"))
    except CallError as error:
        LOG.warning("Dead-lettering failed", extra=extra | error.details)
        return False
    except Exception as error:
        extra |= telemetry.describe(error)
        LOG.error("Dead-lettering failed", extra=extra)  # noqa: TRY400 - may quote an order
        return False
    LOG.warning("Dead-lettered", extra=extra)
    return True


def _attributes(record: Record, reason: str) -> Attributes:
    """Returns the message's own attributes, and as many of ours as there is room for.

    ``accepted_at`` comes first: without it, a redrive would make an old order the newest. A copy
    that is redriven and fails again gets a new reason, but keeps the id of its first message.
    """
    attributes: Attributes = {}
    for name, given in record.get("messageAttributes", {}).items():
        attributes[name] = {"DataType": given["dataType"]}
        if given.get("binaryValue") is None:
            attributes[name]["StringValue"] = given["stringValue"]
        else:
            attributes[name]["BinaryValue"] = given["binaryValue"]
    ours = {
        "accepted_at": _number(accepted_at(record)),
        "failure_reason": _string(reason),
        "failed_at": _number(telemetry.now_microseconds()),
        "original_message_id": attributes.get("original_message_id", _string(record["messageId"])),
    }
    for name, attribute in ours.items():
        if name in attributes or len(attributes) < MAX_ATTRIBUTES:
            attributes[name] = attribute
    return attributes


def _string(value: str) -> dict[str, str]:
    return {"DataType": "String", "StringValue": value}


def _number(value: int) -> dict[str, Any]:
    return {"DataType": "Number", "StringValue": str(value)}
