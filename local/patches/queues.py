"""What an operator does to queues in use."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from local.patches import around, internal, patch
from local.patches.hooks import caller_denied

JsonObject = dict[str, Any]

# Permissions that a redrive needs of its caller, besides its own action.
REDRIVE_ACTIONS = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
TASKS_LISTED = 10
# Messages moved at a time when no rate is given, before other requests get a turn.
MESSAGES_AT_ONCE = 100


@dataclass
class MoveTask:
    """The progress of one StartMessageMoveTask."""

    source_arn: str
    destination_arn: str | None
    per_second: int | None
    message_ids: list[str]
    started: int = field(default_factory=lambda: int(time.time() * 1000))
    status: str = "RUNNING"
    failure: str | None = None
    moved: int = 0
    handle: str = ""

    def __post_init__(self) -> None:
        content = {"taskId": str(uuid.uuid4()), "sourceArn": self.source_arn}
        self.handle = base64.b64encode(json.dumps(content).encode()).decode()

    @property
    def is_active(self) -> bool:
        return self.status in {"RUNNING", "CANCELLING"}

    def described(self) -> JsonObject:
        members = {
            "TaskHandle": self.handle if self.status == "RUNNING" else None,
            "Status": self.status,
            "SourceArn": self.source_arn,
            "DestinationArn": self.destination_arn,
            "MaxNumberOfMessagesPerSecond": self.per_second,
            "ApproximateNumberOfMessagesMoved": self.moved,
            "ApproximateNumberOfMessagesToMove": len(self.message_ids),
            "FailureReason": self.failure,
            "StartedTimestamp": self.started,
        }
        return {name: value for name, value in members.items() if value is not None}


class CannotMoveError(Exception):
    """A message cannot be moved, which ends its task; the text is the task's FailureReason."""


@patch
def dead_letters_can_be_moved() -> None:
    """AWS: StartMessageMoveTask moves the messages that are in a dead-letter queue when it starts.

    "StartMessageMoveTask", "ListMessageMoveTasks" and "CancelMessageMoveTask", Amazon SQS API
    Reference; "Learn how to configure a dead-letter queue redrive", Amazon SQS Developer Guide.
    Without DestinationArn, each message returns to the queue that it came from. One sent directly
    has none, which ends the task: CouldNotDetermineMessageSource, in "Troubleshoot Amazon SQS
    dead-letter queue and DLQ redrive issues". A moved message is new: it has another ID and
    SentTimestamp, and its receives count from 1. The emulator knows none of the three actions.
    (Here messages in flight are not moved.)
    """
    tasks = MoveTasks()
    handlers = internal("services.sqs", "_HANDLERS")
    handlers["StartMessageMoveTask"] = tasks.start
    handlers["ListMessageMoveTasks"] = tasks.listed
    handlers["CancelMessageMoveTask"] = tasks.cancel

    @around("services.sqs", "reset")
    def reset(original: Any) -> None:
        original()
        tasks.forget()


class MoveTasks:
    """All tasks of an emulator."""

    def __init__(self) -> None:
        self._error = internal("services.sqs", "_Err")
        self._queue_of = internal("services.sqs", "_queue_by_arn")
        self._queues = internal("services.sqs", "_queues")
        self._lock = internal("services.sqs", "_queues_lock")
        self._wake_mappings = internal("services.sqs", "esm_wake").set
        self._tasks: list[MoveTask] = []
        self._running: set[asyncio.Future[None]] = set()

    def start(self, data: JsonObject, _url: str) -> JsonObject:
        source = self._require_queue(data, "SourceArn")
        source_arn, destination_arn = data["SourceArn"], data.get("DestinationArn")
        if not any(_dead_letter_arn(queue) == source_arn for queue in self._queues.values()):
            raise self._invalid("Source queue must be configured as a Dead Letter Queue.")
        if destination_arn:
            self._require_queue(data, "DestinationArn")
        per_second = data.get("MaxNumberOfMessagesPerSecond")
        if per_second is not None and not 1 <= int(per_second) <= 500:
            raise self._invalid(
                f"Value {per_second} for parameter MaxNumberOfMessagesPerSecond is invalid. "
                "Reason: Must be between 1 and 500, if provided."
            )
        if any(task.is_active and task.source_arn == source_arn for task in self._tasks):
            raise self._invalid(
                "There is already a task running. Only one active task is allowed for a source "
                "queue arn at a given time."
            )
        now = time.time()
        waiting = [message["id"] for message in source["messages"] if message["visible_at"] <= now]
        task = MoveTask(source_arn, destination_arn, per_second, waiting)
        self._tasks.append(task)
        work = asyncio.ensure_future(self._run(task))
        self._running.add(work)  # asyncio itself only keeps a weak reference
        work.add_done_callback(self._running.discard)
        return {"TaskHandle": task.handle}

    def listed(self, data: JsonObject, _url: str) -> JsonObject:
        self._require_queue(data, "SourceArn")
        newest_first = [one for one in reversed(self._tasks) if one.source_arn == data["SourceArn"]]
        wanted = min(int(data.get("MaxResults") or 1), TASKS_LISTED)
        return {"Results": [task.described() for task in newest_first[:wanted]]}

    def cancel(self, data: JsonObject, _url: str) -> JsonObject:
        for task in self._tasks:
            if task.handle == data.get("TaskHandle") and task.is_active:
                task.status = "CANCELLING"
                return {"ApproximateNumberOfMessagesMoved": task.moved}
        raise self._error("ResourceNotFoundException", "Task does not exist.", 404)

    def forget(self) -> None:
        for task in self._tasks:
            task.status = "CANCELLING"
        self._tasks.clear()

    async def _run(self, task: MoveTask) -> None:
        pause = 1 / task.per_second if task.per_second else 0.0
        try:
            for number, message_id in enumerate(task.message_ids):
                if pause or number % MESSAGES_AT_ONCE == 0:
                    await asyncio.sleep(pause)
                if task.status != "RUNNING":
                    break
                task.moved += self._move(task, message_id)
        except CannotMoveError as fault:
            task.status, task.failure = "FAILED", str(fault)
        else:
            task.status = "COMPLETED" if task.status == "RUNNING" else "CANCELLED"

    def _move(self, task: MoveTask, message_id: str) -> bool:
        """Moves a message, unless it is gone by now. Raises CannotMoveError."""
        with self._lock:
            source = self._queue_of(task.source_arn) or {"messages": []}
            for message in source["messages"]:
                if message["id"] == message_id and message["visible_at"] <= time.time():
                    destination = self._destination(task, message)
                    source["messages"] = [one for one in source["messages"] if one is not message]
                    destination["messages"].append(_as_new(message))
                    self._wake_mappings()
                    return True
        return False

    def _destination(self, task: MoveTask, message: JsonObject) -> JsonObject:
        arn = task.destination_arn or message["sys"].get("DeadLetterQueueSourceArn")
        if not arn:
            raise CannotMoveError("CouldNotDetermineMessageSource")
        queue: JsonObject | None = self._queue_of(arn)
        if queue is None:
            raise CannotMoveError("AWS.SimpleQueueService.NonExistentQueue")
        return queue

    def _require_queue(self, data: JsonObject, parameter: str) -> JsonObject:
        queue: JsonObject | None = self._queue_of(data.get(parameter) or "")
        if queue is None:
            text = f"The resource that you specified for the {parameter} parameter doesn't exist."
            raise self._error("ResourceNotFoundException", text, 404)
        return queue

    def _invalid(self, text: str) -> Exception:
        error: Exception = self._error("InvalidParameterValue", text)
        return error


@patch
def move_tasks_are_actions_on_the_source_queue() -> None:
    """AWS: these are actions on the source queue, and a task has its caller's permissions.

    ReceiveMessage, DeleteMessage and GetQueueAttributes there, SendMessage on the destination;
    "Troubleshoot Amazon SQS dead-letter queue and DLQ redrive issues", Amazon SQS Developer Guide.
    The emulator sees no queue in these requests and requires the action on every resource. Only if
    IAM is enforced.
    """
    denied = caller_denied()
    error = internal("services.sqs", "_Err")
    handlers = internal("services.sqs", "_HANDLERS")
    exists = internal("services.sqs", "_queue_by_arn")

    def with_permissions(data: JsonObject, url: str) -> JsonObject:
        needed = [(action, data["SourceArn"]) for action in REDRIVE_ACTIONS]
        if destination := data.get("DestinationArn"):
            needed.append(("sqs:SendMessage", destination))
        for action, arn in needed:
            if denied(action, arn):
                raise error("AccessDenied", f"The caller may not {action} on {arn}.", 403)
            if exists(arn):  # then its own policy and key apply as well
                internal("services.sqs", "_get_q")(arn.rpartition(":")[2], action)
        answer: JsonObject = start(data, url)
        return answer

    start = handlers.get("StartMessageMoveTask")
    if start:
        handlers["StartMessageMoveTask"] = with_permissions

    @around("core.iam_actions", "extract_resource_arn")
    def resource_arn(  # noqa: PLR0917 - as the emulator has it
        original: Any,
        service: str,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query_params: Any,
        region: str,
        account_id: str,
    ) -> str:
        found: str = original(
            service, method, path, headers, body, query_params, region, account_id
        )
        if not headers.get("x-amz-target", "").endswith(("MessageMoveTask", "MessageMoveTasks")):
            return found
        with contextlib.suppress(ValueError, LookupError, TypeError):
            data = json.loads(body)
            found = data.get("SourceArn") or _source_of(data["TaskHandle"])
        return found


def _dead_letter_arn(queue: JsonObject) -> str | None:
    policy = json.loads(queue["attributes"].get("RedrivePolicy") or "{}")
    arn: str | None = policy.get("deadLetterTargetArn")
    return arn


def _source_of(handle: str) -> str:
    return str(json.loads(base64.b64decode(handle))["sourceArn"])


def _as_new(message: JsonObject) -> JsonObject:
    """Returns the message as if just sent, with the same body, attributes, group and trace."""
    sent_at = time.time()
    system = {**message["sys"], "SentTimestamp": str(int(sent_at * 1000))}
    system.pop("DeadLetterQueueSourceArn", None)
    return message | {
        "id": str(uuid.uuid4()),
        "sent_at": sent_at,
        "enqueued_at": sent_at,
        "visible_at": sent_at,
        "receive_count": 0,
        "first_receive_at": None,
        "receipt_handle": None,
        "sys": system,
    }
