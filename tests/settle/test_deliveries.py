"""The queue of ``make settle`` limits batches and redelivers messages as SQS and Lambda do."""

from random import Random

from tests.settle.deliveries import MAX_EVENT_BYTES, Deliveries, Message


def messages(count: int, body: str = "[]") -> list[Message]:
    return [Message(str(number), body, keys=[]) for number in range(count)]


def deliveries(messages: list[Message]) -> Deliveries:
    return Deliveries(
        messages,
        began=1_800_000_000,
        batch_size=10,
        visibility_seconds=180,
        receive_count=3,
        random=Random(0),
    )


def test_batches_are_full_until_all_is_settled() -> None:
    queue = deliveries(messages(25))
    sizes = []
    while batch := queue.batch():
        sizes.append(len(batch))
        queue.settle(batch, failed=set(), seconds=2)

    assert sizes == [10, 10, 5]
    assert queue.now == 6
    assert not queue.dead


def test_a_batch_is_at_most_as_large_as_an_event() -> None:
    (batch,) = [deliveries(messages(10, "x" * (MAX_EVENT_BYTES // 4))).batch()]

    assert len(batch) == 3


def test_a_failed_message_comes_again_after_its_visibility_and_dies_in_the_end() -> None:
    (message,) = sent = messages(1)
    queue = deliveries(sent)
    times = []
    while batch := queue.batch():
        times.append(queue.now)
        record = queue.event(batch)["Records"][0]
        assert record["attributes"]["ApproximateReceiveCount"] == str(len(times))
        queue.settle(batch, failed={message.message_id}, seconds=30)

    assert times == [0, 180, 360]
    assert queue.dead == sent


def test_a_message_in_work_is_not_delivered() -> None:
    queue = deliveries(messages(12))
    first, second = queue.batch(), queue.batch()

    assert {m.message_id for m in first} & {m.message_id for m in second} == set()
    assert len(second) == 2
