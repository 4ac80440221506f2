"""A message's group, its tenant where a queue is a fair one, stays with it in a dead letter."""

from typing import Any

import pytest

from local.engines import Engine, client
from local.events import record
from process import handler
from shared.queues import Queue
from tests.support import engines
from tests.support.fakes import FakeSqs
from tests.support.runtime import invoke

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
    emulator: Engine, implementation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sqs = client(emulator.endpoint_url, "sqs")
    url = sqs.create_queue(QueueName=f"dead-letter-{implementation}")["QueueUrl"]
    functions_client = engines.functions_client(emulator, "sqs", implementation)
    monkeypatch.setattr(handler, "DEAD_LETTER_QUEUE", Queue(functions_client, url))

    dead_letter(MessageGroupId=GROUP)

    (message,) = sqs.receive_message(QueueUrl=url, MessageSystemAttributeNames=["All"])["Messages"]
    assert message["Attributes"]["MessageGroupId"] == GROUP
