"""How long AWS's services take to answer, for a local stack that is to be as slow."""

import math
from collections.abc import Mapping
from random import Random
from typing import NamedTuple

_P99 = 2.326  # standard deviations


class Latency(NamedTuple):
    """Seconds, log-normal: one call in a hundred takes longer than ``tail``."""

    median: float
    tail: float

    def sample(self, random: Random) -> float:
        deviation = math.log(self.tail / self.median) / _P99
        return self.median * math.exp(deviation * random.gauss())


Profile = Mapping[str, Latency]
"""By what begins the header X-Amz-Target: a service, or one of its operations, which is longer."""

# DynamoDB says "single-digit milliseconds" of a single item; the rest is what clients in the same
# region commonly see, at a first call of a connection as well.
AWS: Profile = {
    "AmazonSQS": Latency(0.008, 0.040),
    "DynamoDB": Latency(0.006, 0.030),
    "DynamoDB_20120810.BatchExecuteStatement": Latency(0.012, 0.050),
}


def delay(profile: Profile, target: str, random: Random) -> float:
    """Seconds that a call takes; 0 if the profile does not know its service."""
    known = [name for name in profile if target.startswith(name)]
    return profile[max(known, key=len)].sample(random) if known else 0.0
