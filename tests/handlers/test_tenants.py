"""A message's group, its tenant where a queue is a fair one, stays with it in a dead letter."""

from typing import Any

import pytest

from process import handler
from shared.queues import Queue
from tests.support import engines
from tests.support.handlers import FakeSqs, invoke, record

GROUP = "tenant-1!~"


def dead_letter(**system: Any) -> None:
    """Has a message of these system attributes dead-lettered at once."""
    attributes = {"SentTimestamp": "1700000000000", **system}
    answer = invoke(handler.handle, {"Records": [record("no JSON", attributes=attributes)]}).answer
    assert answer == {"batchItemFailures": []}


def test_a_dead_letter_has_the_group_of_its_message(sqs: FakeSqs) -> None:
    dead_letter(MessageGroupId=GROUP)

    assert sqs.sent[0]["MessageGroupId"] == GROUP
    assert sqs.sent[0]["MessageBody"] == "no JSON"


@pytest.mark.parametrize("system", [{}, {"MessageGroupId": None}, {"MessageGroupId": ""}])
def test_one_without_a_group_gets_none(sqs: FakeSqs, system: dict[str, Any]) -> None:
    """SQS would refuse an empty one."""
    dead_letter(**system)

    assert "MessageGroupId" not in sqs.sent[0]


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("implementation", ["builtin", "botocore"])
def test_a_real_queue_hands_the_copy_over_with_its_group(
    emulator: engines.Engine, implementation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint_url = emulator.client.meta.endpoint_url
    sqs = engines.client(endpoint_url, "sqs")
    url = sqs.create_queue(QueueName=f"dead-letter-{implementation}")["QueueUrl"]
    client = engines.functions_client(endpoint_url, "sqs", implementation)
    monkeypatch.setattr(handler, "DEAD_LETTER_QUEUE", Queue(client, url))

    dead_letter(MessageGroupId=GROUP)

    (message,) = sqs.receive_message(QueueUrl=url, MessageSystemAttributeNames=["All"])["Messages"]
    assert message["Attributes"]["MessageGroupId"] == GROUP
