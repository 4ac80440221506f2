"""Latencies of AWS's services, to make the local stack as slow."""

import math
from collections.abc import Mapping
from random import Random
from typing import NamedTuple

_P99 = 2.326  # standard deviations above the median of a normal distribution


class Latency(NamedTuple):
    """A log-normal distribution, in seconds: one call in a hundred takes longer than `tail`.

    Every call takes `further` in addition.
    """

    median: float
    tail: float
    further: float = 0.0

    def sample(self, random: Random) -> float:
        deviation = math.log(self.tail / self.median) / _P99
        return self.further + self.median * math.exp(deviation * random.gauss())


Profile = Mapping[str, Latency]
"""Latencies by prefix of the header X-Amz-Target: a service, or one of its operations."""

# DynamoDB promises "single-digit milliseconds" for a single item. The rest is what clients in the
# same region commonly see, including the first call on a connection.
AWS: Profile = {
    "AmazonSQS": Latency(0.008, 0.040),
    "DynamoDB": Latency(0.006, 0.030),
    "DynamoDB_20120810.BatchExecuteStatement": Latency(0.012, 0.050),
}


def further_away(profile: Profile, service: str, seconds: float) -> Profile:
    """Returns a profile in which a service is further away, as in another region."""
    return {
        name: latency._replace(further=seconds) if name.startswith(service) else latency
        for name, latency in profile.items()
    }


def delay(profile: Profile, target: str, random: Random) -> float:
    """Returns a random latency of a call in seconds, or 0 if the profile lacks its service."""
    known = [name for name in profile if target.startswith(name)]
    return profile[max(known, key=len)].sample(random) if known else 0.0
