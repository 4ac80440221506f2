"""Scenarios in which the producer's version decides which order of a key is the newest."""

from random import Random

from tests.faults.scenarios import repeated, scenario
from tests.faults.system import System
from tests.support.history import Attempt

KEYS = 20
VERSIONS = 8


@scenario
def versions_out_of_order(system: System) -> None:
    """Each key's versions are sent in any order, delivered in any other, and all sent again."""
    random = Random(0)
    numbers = [(key, version) for key in range(KEYS) for version in range(VERSIONS)]
    before = len(system.deliveries())

    def shuffled() -> list[list[Attempt]]:
        random.shuffle(numbers)
        return [[system.history.order(key, revision=version)] for key, version in numbers]

    with system.versions("revision"):
        with system.stack.paused_mapping():
            system.send(shuffled())
            messages = system.take_all(of="queue_url")
            random.shuffle(messages)
            copies = random.sample(messages, len(messages) // 4)
            system.put_back([*messages, *copies])
        with system.inject("BatchExecuteStatement", "within", "InternalServerError", times=20):
            system.drain()
            system.send(shuffled())  # replays, which are accepted later
            system.drain()
    assert repeated(system.deliveries()[before:]), "no message was delivered again"
    system.confirm(len(copies))
