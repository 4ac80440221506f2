from random import Random
from statistics import quantiles

import pytest

from local.latency import AWS, Latency, delay, further_away


@pytest.mark.parametrize(
    ("target", "latency"),
    [
        ("AmazonSQS.SendMessage", AWS["AmazonSQS"]),
        ("DynamoDB_20120810.PutItem", AWS["DynamoDB"]),
        (
            "DynamoDB_20120810.BatchExecuteStatement",
            AWS["DynamoDB_20120810.BatchExecuteStatement"],
        ),
    ],
)
def test_median_and_tail_are_as_the_profile_says(target: str, latency: Latency) -> None:
    random = Random(11)
    samples = [delay(AWS, target, random) for _ in range(20_000)]

    percentiles = quantiles(samples, n=100)
    assert percentiles[49] == pytest.approx(latency.median, rel=0.05)
    assert percentiles[98] == pytest.approx(latency.tail, rel=0.1)


def test_a_service_is_further_away() -> None:
    distant = further_away(AWS, "DynamoDB", 2)
    for target in ("DynamoDB_20120810.PutItem", "DynamoDB_20120810.BatchExecuteStatement"):
        near, far = (delay(profile, target, Random(1)) for profile in (AWS, distant))
        assert far == near + 2
    queue = "AmazonSQS.SendMessage"
    assert delay(distant, queue, Random(1)) == delay(AWS, queue, Random(1))


def test_what_the_profile_does_not_know_is_not_slowed() -> None:
    assert delay(AWS, "Logs_20140328.PutLogEvents", Random(11)) == 0
    assert delay({}, "AmazonSQS.SendMessage", Random(11)) == 0
