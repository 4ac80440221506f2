"""AWS's own redrive: it moves all messages, without looking at any."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from async_ingest.errors import FOUND, OpsError, code_of, is_denied
from async_ingest.system import System

POLL_SECONDS = 1.0


class UnavailableError(Exception):
    """There are no move tasks here, or not for these credentials."""


def start(system: System, per_second: float | None = None) -> None:
    """Starts to move all dead letters back to the queue.

    The destination is named: without one, messages that process has sent here itself came from
    no queue, and would end the task.

    Raises:
        UnavailableError: It cannot be started.
    """
    rate = {} if not per_second else {"MaxNumberOfMessagesPerSecond": max(1, int(per_second))}
    try:
        system.sqs.start_message_move_task(
            SourceArn=system.dead_letter_arn, DestinationArn=system.queue_arn, **rate
        )
    except ClientError as error:
        if is_denied(error) or code_of(error).endswith(("UnsupportedOperation", "InvalidAction")):
            raise UnavailableError(code_of(error)) from error
        raise


def is_running(system: System) -> bool:
    """Returns whether a task is running, as far as these credentials may know it."""
    try:
        return bool(_latest(system)["Status"] == "RUNNING")
    except ClientError:
        return False


def follow(system: System, on_progress: Callable[[int], None]) -> int:
    """Waits for the end of the task. Returns how many messages it has moved.

    Raises:
        OpsError: It failed or was cancelled.
    """
    while (task := _latest(system))["Status"] in ("RUNNING", "CANCELLING"):
        on_progress(int(task.get("ApproximateNumberOfMessagesMoved", 0)))
        time.sleep(POLL_SECONDS)
    moved = int(task.get("ApproximateNumberOfMessagesMoved", 0))
    if task["Status"] != "COMPLETED":
        raise OpsError(
            f"AWS's move task has ended as {task['Status']} after {moved} messages: "
            f"{task.get('FailureReason', 'no reason given')}",
            FOUND,
        )
    return moved


def cancel(system: System) -> None:
    """Stops the running task; what it has moved stays moved."""
    if handle := _latest(system).get("TaskHandle"):
        system.sqs.cancel_message_move_task(TaskHandle=handle)


def _latest(system: System) -> dict[str, Any]:
    found: list[dict[str, Any]] = system.sqs.list_message_move_tasks(
        SourceArn=system.dead_letter_arn, MaxResults=1
    )["Results"]
    return found[0] if found else {"Status": "COMPLETED"}
