"""What SQS accepts as a message and as a wait, and the names of its actions in IAM."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from local.patches import around, internal, patch

JsonObject = dict[str, Any]

MAX_BATCH_BYTES = 1024 * 1024
MAX_ATTRIBUTES = 10
MAX_NAME_LENGTH = 256
MAX_TYPE_LENGTH = 256
TYPES = ("String", "Number", "Binary")
RESERVED_PREFIXES = ("aws.", "amazon.")
MESSAGE_GROUP = re.compile(r"[!-~]{1,128}")
MAX_WAIT_SECONDS = 20
# An X-Amzn-Trace-Id header with a trace ID.
TRACE_HEADER = re.compile(r"(?:^|;)Root=1-[0-9a-f]{8}-[0-9a-f]{24}(?:;|$)", re.IGNORECASE)


def before_each_message(check: Callable[[JsonObject, str], None]) -> None:
    """Has `check(data, queue_url)` run before a message is sent, alone or in a batch."""
    for name in ("_act_send_message", "_HANDLERS[SendMessage]"):

        @around("services.sqs", name)
        def send(original: Any, data: JsonObject, qurl: str) -> JsonObject:
            check(data, data.get("QueueUrl", qurl))
            sent: JsonObject = original(data, qurl)
            return sent


@patch
def attributes_count_towards_the_size_of_a_message() -> None:
    """AWS: the size of a message is that of its body and its attributes.

    Including their names, types and values; "Amazon SQS message attributes", Amazon SQS Developer
    Guide. Recorded by LocalStack's test_send_message_with_updated_maximum_message_size, and for a
    batch by test_send_message_batch_with_oversized_contents. System attributes do not count. The
    emulator counts only the body.
    """
    error = internal("services.sqs", "_Err")
    queue_of = internal("services.sqs", "_get_q")

    def check(data: JsonObject, queue_url: str) -> None:
        limit = int(queue_of(queue_url)["attributes"]["MaximumMessageSize"])
        if _size(data) > limit:
            raise error(
                "InvalidParameterValue",
                "One or more parameters are invalid. "
                f"Reason: Message must be shorter than {limit} bytes.",
            )

    before_each_message(check)

    @around("services.sqs", "_HANDLERS[SendMessageBatch]")
    def send_batch(original: Any, data: JsonObject, qurl: str) -> JsonObject:
        size = sum(map(_size, data.get("Entries") or []))
        if size > MAX_BATCH_BYTES:
            raise error(
                "BatchRequestTooLong",
                f"Batch requests cannot be longer than {MAX_BATCH_BYTES} bytes. "
                f"You have sent {size} bytes.",
            )
        sent: JsonObject = original(data, qurl)
        return sent


def _size(message: JsonObject) -> int:
    attributes = message.get("MessageAttributes") or {}
    texts = [message.get("MessageBody") or "", *attributes]
    texts += [attribute.get("DataType") or "" for attribute in attributes.values()]
    values = sum(len(_value(attribute)) for attribute in attributes.values())
    return sum(len(text.encode()) for text in texts) + values


def _value(attribute: JsonObject) -> bytes:
    if (attribute.get("DataType") or "").startswith("Binary"):
        return base64.b64decode(attribute.get("BinaryValue") or "")
    return str(attribute.get("StringValue") or "").encode()


@patch
def attributes_of_messages_are_checked() -> None:
    """AWS: a message has at most 10 attributes, with names, types and values of a certain form.

    "Amazon SQS message attributes", Amazon SQS Developer Guide. Names have letters, digits and
    `_-.`, with no period at either end or after another, and do not begin with AWS. or Amazon.;
    values are not empty, and texts have the characters that a body may have. Recorded by
    LocalStack's test_send_message_with_invalid_string_attributes (where letters of any alphabet are
    accepted) and test_send_message_with_empty_string_attribute; the number of attributes is in
    aws-sdk-js issue 2876. The emulator accepts everything. (Here a Number may be any text.)
    """
    error = internal("services.sqs", "_Err")
    forbidden = internal("services.sqs", "_INVALID_SQS_CHARS_RE")

    def fault_of(name: str, attribute: JsonObject) -> str | None:
        label, kind = f"Message (user) attribute '{name}'", attribute.get("DataType") or ""
        if not _is_name(name):
            return f"The name of message (user) attribute '{name}' is invalid."
        if kind.partition(".")[0] not in TYPES or len(kind) > MAX_TYPE_LENGTH:
            return (
                f"The type of message (user) attribute '{name}' is invalid. You must use only the "
                "following supported type prefixes: Binary, Number, String."
            )
        if not _value(attribute):
            return f"{label} must contain a non-empty value of type '{kind}'."
        if forbidden.search(attribute.get("StringValue") or ""):
            return f"{label} has characters outside the allowed set."
        return None

    def check(data: JsonObject, _queue_url: str) -> None:
        attributes = data.get("MessageAttributes") or {}
        faults = [fault_of(name, attribute) for name, attribute in attributes.items()]
        if len(attributes) > MAX_ATTRIBUTES:
            count = f"[{len(attributes)}] exceeds the allowed maximum [{MAX_ATTRIBUTES}]."
            faults.insert(0, f"Number of message attributes {count}")
        for fault in filter(None, faults):
            raise error("InvalidParameterValue", fault)

    before_each_message(check)


def _is_name(name: str) -> bool:
    return (
        0 < len(name) <= MAX_NAME_LENGTH
        and all(character.isalnum() or character in "_-." for character in name)
        and not name.lower().startswith(RESERVED_PREFIXES)
        and not (name.startswith(".") or name.endswith(".") or ".." in name)
    )


@patch
def message_groups_are_checked() -> None:
    """AWS: a MessageGroupId has 1 to 128 characters, alphanumeric or punctuation.

    "SendMessage", Amazon SQS API Reference, which lists the ASCII punctuation characters. Recorded
    by LocalStack's test_send_message_to_standard_queue_with_invalid_message_group_id. The emulator
    accepts any.
    """
    error = internal("services.sqs", "_Err")

    def check(data: JsonObject, _queue_url: str) -> None:
        group = data.get("MessageGroupId")
        if group is not None and not MESSAGE_GROUP.fullmatch(group):
            raise error(
                "InvalidParameterValue",
                f"Value {group} for parameter MessageGroupId is invalid. Reason: MessageGroupId "
                "can only include alphanumeric and punctuation characters. 1 to 128 in length.",
            )

    before_each_message(check)


@patch
def receives_wait_for_up_to_20_s() -> None:
    """AWS: ReceiveMessage waits for 0 to 20 s.

    "Amazon SQS short and long polling", Amazon SQS Developer Guide. Recorded by LocalStack's
    test_send_receive_wait_time_seconds. The emulator accepts any WaitTimeSeconds.
    """
    error = internal("services.sqs", "_Err")

    @around("services.sqs", "_HANDLERS[ReceiveMessage]")
    async def receive(original: Any, data: JsonObject, qurl: str) -> JsonObject:
        wait = data.get("WaitTimeSeconds")
        if wait is not None and not 0 <= int(wait) <= MAX_WAIT_SECONDS:
            raise error(
                "InvalidParameterValue",
                f"Value {wait} for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 "
                f"and <= {MAX_WAIT_SECONDS}, if provided.",
            )
        received: JsonObject = await original(data, qurl)
        return received


@patch
def trace_headers_become_attributes() -> None:
    """AWS: the header X-Amzn-Trace-Id of SendMessage becomes the message's AWSTraceHeader.

    "Amazon SQS and AWS X-Ray", AWS X-Ray Developer Guide; recorded by LocalStack's
    test_aws_trace_header_propagation. The system attribute overrides it, says "SendMessage", Amazon
    SQS API Reference. A call, of whatever action, with a header that has no trace ID is refused:
    three are quoted in aws-xray-sdk-python issue 213, boto3 issue 3372 and lambda-test-server issue
    449. The emulator ignores the header.
    """
    error = internal("services.sqs", "_Err")
    header: ContextVar[str] = ContextVar("header", default="")

    @around("services.sqs", "handle_request")
    async def handle(  # noqa: PLR0917 - as the emulator has it
        original: Any,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query_params: JsonObject,
    ) -> Any:
        header.set(headers.get("x-amzn-trace-id", ""))
        return await original(method, path, headers, body, query_params)

    @around("services.sqs", "_dispatch")
    async def dispatch(original: Any, action: str, data: JsonObject, qurl: str) -> Any:
        given = header.get()
        if given and not TRACE_HEADER.search(given):
            raise error(
                "InvalidParameterValue",
                "The request has a 'X-Amzn-Trace-Id' HTTP header which is reserved for AWS X-Ray "
                f"trace header and has an invalid value '{given}'",
            )
        return await original(action, data, qurl)

    @around("services.sqs", "_build_send_sys_attrs")
    def system_attributes(original: Any, now: float, sys_attrs_input: JsonObject) -> JsonObject:
        attributes: JsonObject = original(now, sys_attrs_input)
        if given := header.get():
            attributes.setdefault("AWSTraceHeader", given)
        return attributes


@patch
def batch_calls_need_the_action_of_the_single_call() -> None:
    """AWS: SendMessageBatch needs sqs:SendMessage, and the other batch calls likewise.

    "Amazon SQS API permissions: Actions and resource reference", Amazon SQS Developer Guide: IAM
    has no action that ends in Batch. A denial of SendMessageBatch that names sqs:sendmessage is
    quoted in serverless-application-model issue 3633. The emulator requires an action of the call's
    name.
    """
    batches = ("SendMessage", "DeleteMessage", "ChangeMessageVisibility")
    single = {f"sqs:{action}Batch": f"sqs:{action}" for action in batches}

    @around("core.iam_actions", "extract_iam_action")
    def action_of(  # noqa: PLR0917 - as the emulator has it
        original: Any,
        service: str,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query_params: JsonObject,
    ) -> str | None:
        found: str | None = original(service, method, path, headers, body, query_params)
        return single.get(found or "", found)
