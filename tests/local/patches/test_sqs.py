"""local/patches/sqs.py: what SQS accepts as a message and as a wait."""

import string
from typing import Any

from local.emulator import Emulator
from tests.local.patches.checks import Checks, code_of, text_of
from tests.local.support import queue_arn, trace_header
from tests.support.policies import allowing
from tests.support.stack import new_user

TRACE = "Root=1-3152b799-8954dae64eda91bc9a23a7e8;Parent=7fa8c0f79203be72;Sampled=1"
LINEAGE = f"{TRACE};Lineage=1:bd4cecd5:0"

check = Checks("sqs")

(
    test_every_patch_has_a_check,
    test_the_check_passes_with_the_patch,
    test_the_check_fails_without_the_patch,
) = check.tests()


@check()
def attributes_count_towards_the_size_of_a_message(emulator: Emulator) -> None:
    sqs = emulator.client("sqs")
    url = sqs.create_queue(QueueName="small", Attributes={"MaximumMessageSize": "1024"})["QueueUrl"]
    text = {"k": {"DataType": "String", "StringValue": "x"}}  # 8 bytes
    binary = {"k": {"DataType": "Binary", "BinaryValue": b"x"}}

    for attributes in (text, binary):
        whole = {"QueueUrl": url, "MessageAttributes": attributes}
        assert code_of(sqs.send_message, **whole, MessageBody="a" * 1016) is None
        assert text_of(sqs.send_message, **whole, MessageBody="a" * 1017) == (
            "One or more parameters are invalid. Reason: Message must be shorter than 1024 bytes."
        )
    trace = {"AWSTraceHeader": {"DataType": "String", "StringValue": TRACE}}
    sqs.send_message(QueueUrl=url, MessageBody="a" * 1024, MessageSystemAttributes=trace)

    def entry(id_: str, size: int, **more: Any) -> dict[str, Any]:
        return {"Id": id_, "MessageBody": "a" * size, **more}

    entries = [entry("fits", 1024), entry("does-not", 1017, MessageAttributes=text)]
    answer = sqs.send_message_batch(QueueUrl=url, Entries=entries)
    assert [one["Id"] for one in answer["Successful"]] == ["fits"]
    assert [one["Id"] for one in answer["Failed"]] == ["does-not"]

    url = sqs.create_queue(QueueName="large")["QueueUrl"]
    entries = [entry("1", 1_048_576 - 8, MessageAttributes=text), entry("2", 1)]
    assert text_of(sqs.send_message_batch, QueueUrl=url, Entries=entries) == (
        "Batch requests cannot be longer than 1048576 bytes. You have sent 1048577 bytes."
    )
    assert code_of(sqs.send_message_batch, QueueUrl=url, Entries=entries[:1]) is None


@check()
def attributes_of_messages_are_checked(emulator: Emulator) -> None:
    sqs = emulator.client("sqs")
    queue = {"QueueUrl": sqs.create_queue(QueueName="orders")["QueueUrl"]}

    def refusal(name: str = "a", value: str = "x", kind: str = "String") -> str | None:
        attribute = {name: {"DataType": kind, "StringValue": value}}
        return code_of(sqs.send_message, **queue, MessageBody="x", MessageAttributes=attribute)

    for name in ("attr.1øßä", "L" * 256, "awsome", "_", "-"):
        assert refusal(name) is None, name
    for kind in ("String", "String.iso", "Number", "Number." + "L" * 249):
        assert refusal(kind=kind, value="1") is None, kind
    assert refusal(value="\t\r\n\x20☕") is None

    prefixed = [f"{prefix}-Invalid-attr" for prefix in ("aWs.", "AMAZON.", ".")]
    for name in (*prefixed, *(f"a{one}b" for one in '!"§(? '), "a..b", "Invalid.", "L" * 257):
        assert refusal(name) == "InvalidParameterValue", name
    for kind in ("Invalid", "string", ".String", "Number." + "L" * 256):
        assert refusal(kind=kind, value="1") == "InvalidParameterValue", kind
    for value in ("", "Invalid-\x08,\x0b", "\ufffe"):
        assert refusal(value=value) == "InvalidParameterValue", value

    attributes = {f"a{n}": {"DataType": "Binary", "BinaryValue": b"x"} for n in range(11)}
    too_many = {"Id": "1", "MessageBody": "x", "MessageAttributes": attributes}
    (failed,) = sqs.send_message_batch(**queue, Entries=[too_many])["Failed"]
    assert failed["Message"] == (
        "Number of message attributes [11] exceeds the allowed maximum [10]."
    )
    del attributes["a0"]
    assert not sqs.send_message_batch(**queue, Entries=[too_many]).get("Failed")


@check()
def message_groups_are_checked(emulator: Emulator) -> None:
    sqs = emulator.client("sqs")
    queue = {"QueueUrl": sqs.create_queue(QueueName="orders")["QueueUrl"]}
    message = queue | {"MessageBody": "x"}

    for group in ("a", "7" * 128, string.ascii_letters, string.digits, string.punctuation):
        assert code_of(sqs.send_message, **message, MessageGroupId=group) is None, group
    assert code_of(sqs.send_message, **message) is None

    for group in ("", "a" * 129, "group 123", "a\n", "é"):
        assert text_of(sqs.send_message, **message, MessageGroupId=group) == (
            f"Value {group} for parameter MessageGroupId is invalid. Reason: MessageGroupId can "
            "only include alphanumeric and punctuation characters. 1 to 128 in length."
        )

    entries = [
        {"Id": str(number), "MessageBody": "x", "MessageGroupId": group}
        for number, group in enumerate(("tenant-1", "tenant 2"))
    ]
    answer = sqs.send_message_batch(**queue, Entries=entries)
    assert [one["Id"] for one in answer["Successful"]] == ["0"]
    assert [one["Id"] for one in answer["Failed"]] == ["1"]


@check()
def receives_wait_for_up_to_20_s(emulator: Emulator) -> None:
    sqs = emulator.client("sqs")
    queue = {"QueueUrl": sqs.create_queue(QueueName="orders")["QueueUrl"]}
    sqs.send_message(**queue, MessageBody="x")  # so that no receive waits

    for seconds in (0, 20):
        received = sqs.receive_message(**queue, VisibilityTimeout=0, WaitTimeSeconds=seconds)
        assert len(received["Messages"]) == 1, seconds
    for seconds in (-1, 21):
        assert text_of(sqs.receive_message, **queue, WaitTimeSeconds=seconds) == (
            f"Value {seconds} for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and "
            "<= 20, if provided."
        )


@check()
def trace_headers_become_attributes(emulator: Emulator) -> None:
    sqs = emulator.client("sqs")
    queue = {"QueueUrl": sqs.create_queue(QueueName="orders")["QueueUrl"]}
    own = {"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-abc-def"}}

    def received() -> str | None:
        wanted = {"MessageSystemAttributeNames": ["AWSTraceHeader"]}
        (message,) = sqs.receive_message(**queue, **wanted)["Messages"]
        sqs.delete_message(**queue, ReceiptHandle=message["ReceiptHandle"])
        return dict(message.get("Attributes", {})).get("AWSTraceHeader")

    for header in (TRACE, LINEAGE):
        with trace_header(sqs, header):
            sqs.send_message(**queue, MessageBody="x")
            assert received() == header
            sqs.send_message_batch(**queue, Entries=[{"Id": "1", "MessageBody": "x"}])
            assert received() == header
            sqs.send_message(**queue, MessageBody="x", MessageSystemAttributes=own)
            assert received() == "Root=1-abc-def"
    sqs.send_message(**queue, MessageBody="x")
    assert received() is None

    for header in (
        "Root=dummy;Parent=7fa8c0f79203be72;Sampled=0",
        "Root%3D1-62e56f5b-2105bde31e64e9a03fa9407c%3BParent%3D7aec6ed908b9ae33%3BSampled%3D0",
        "dae04c7a-6a43-4d8c-9a86-6caac024711e",
    ):
        with trace_header(sqs, header):
            assert header in text_of(sqs.send_message, **queue, MessageBody="x")
            assert code_of(sqs.get_queue_url, QueueName="orders") == "InvalidParameterValue"


@check(auth=True)
def batch_calls_need_the_action_of_the_single_call(emulator: Emulator) -> None:
    root, iam = emulator.client("sqs"), emulator.client("iam")
    queue = {"QueueUrl": root.create_queue(QueueName="orders")["QueueUrl"]}
    root.send_message(**queue, MessageBody="x")
    (message,) = root.receive_message(**queue)["Messages"]
    received = {"Id": "1", "ReceiptHandle": message["ReceiptHandle"]}
    sqs = emulator.client("sqs", **new_user(emulator, "sender"))

    for action, call, entry in (
        ("SendMessage", sqs.send_message_batch, {"Id": "1", "MessageBody": "x"}),
        (
            "ChangeMessageVisibility",
            sqs.change_message_visibility_batch,
            received | {"VisibilityTimeout": 60},
        ),
        ("DeleteMessage", sqs.delete_message_batch, received),
    ):
        for allowed, code in ((f"{action}Batch", "AccessDenied"), (action, None)):
            policy = allowing([f"sqs:{allowed}"], queue_arn("orders"))
            iam.put_user_policy(UserName="sender", PolicyName="queue", PolicyDocument=policy)
            assert code_of(call, **queue, Entries=[entry]) == code, allowed
