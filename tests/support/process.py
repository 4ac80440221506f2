"""Batches for process, with the assertions that hold for every invocation."""

from typing import Any

from local.events import REQUEST_ID, Context
from process import handler
from tests.support.runtime import Invocation, invoke


def order(order_id: str = "1", item: str = "Kopi", **attributes: Any) -> dict[str, Any]:
    return {"order_id": order_id, "item": item, **attributes}


def process(*records: Any, context: Context | None = None) -> Invocation:
    """Processes a batch, and asserts what holds for every answer and its metrics."""
    invocation = invoke(handler.handle, {"Records": list(records)}, context)
    ids = [record["messageId"] for record in records]
    failed = failures(invocation)
    assert len(set(failed)) == len(failed)
    assert set(failed) <= set(ids)
    assert set(invocation.answer) == {"batchItemFailures"}
    assert invocation.metrics["request_id"] == REQUEST_ID
    return invocation


def failures(invocation: Invocation) -> list[str]:
    """Returns the ids of the messages that an invocation reports."""
    return [failure["itemIdentifier"] for failure in invocation.answer["batchItemFailures"]]


def counts(invocation: Invocation) -> tuple[int, int, int, int]:
    """Returns how many were written, superseded, failed and dead-lettered."""
    names = ("Written", "Superseded", "Failed", "DeadLettered")
    written, superseded, failed, dead_lettered = (invocation.metrics[name] for name in names)
    return written, superseded, failed, dead_lettered
