"""Scenarios at AWS's latencies, with timeouts, memory and CPU as they are deployed.

A failed message would come back after three minutes, and ``System.drain`` does not wait so long: so
every message is settled at its first delivery, unless a scenario says that it may fail.
"""

import contextlib
import time
from collections.abc import Iterator

from tests.e2e.stack import eventually
from tests.faults import scenarios
from tests.faults.scenarios import SCENARIOS, Scenario, requests
from tests.faults.system import STANDSTILL_SECONDS, System

OUTAGE_SECONDS = 20
UNITS = 30  # of a partition; AWS gives 1,000 a second
HOG_BYTES = 200_000


def scenario(function: Scenario) -> Scenario:
    SCENARIOS[f"as_slow_as_aws_{function.__name__}"] = function
    return function


@contextlib.contextmanager
def _once_each(system: System) -> Iterator[None]:
    """Every message is settled by its first delivery."""
    before = len(system.deliveries())
    yield
    again = scenarios.repeated(system.deliveries()[before:])
    assert not again, f"{again} messages were delivered again"


@scenario
def steady_load(system: System) -> None:
    with system.as_slow_as_aws(), _once_each(system):
        for _ in range(3):
            system.send(requests(system))
        system.drain()


@scenario
def backlog_of_updates(system: System) -> None:
    """In batches of 100, of keys that are all in the table."""
    keys = 2 * scenarios.REQUESTS
    with system.as_slow_as_aws(batch_size=100, window_seconds=1), _once_each(system):
        for version in range(3):
            with system.stack.paused_mapping():
                system.send([system.ledger.order(key, version=version)] for key in range(keys))
            system.drain()


@scenario
def bulk_arrays_of_known_keys(system: System) -> None:
    """Each order needs a PutItem of its own, and a message has hundreds of them."""
    arrays, size = 12, scenarios.REQUESTS
    with system.as_slow_as_aws(), _once_each(system):
        for version in range(2):
            with system.stack.paused_mapping():
                system.send(
                    [
                        system.ledger.order(f"{array}-{part}", version=version)
                        for part in range(size)
                    ]
                    for array in range(arrays)
                )
            system.drain()


@scenario
def throttled_partition(system: System) -> None:
    """What it takes is less than what comes; the other keys in the batches are not held up."""
    orders = (
        [system.ledger.order(f"{'hot' if number % 2 else 'cold'}-{number}")]
        for number in range(2 * scenarios.REQUESTS)
    )
    # A message may fail here: an invocation leaves the rest to the next delivery.
    with (
        system.as_slow_as_aws(visibility_seconds=STANDSTILL_SECONDS // 2),
        system.partition(f"{system.ledger.name}/hot", UNITS),
    ):
        with system.stack.paused_mapping():
            system.send(orders)
        system.drain()


@scenario
def dead_lettering(system: System) -> None:
    poison = [system.ledger.poison() for _ in range(30)]
    with system.as_slow_as_aws(), _once_each(system):
        with system.stack.paused_mapping():
            for attempt in poison:
                system.enqueue(attempt)
            system.send(requests(system))
        system.drain()
    scenarios.expect_dead(system, poison)


@scenario
def memory_used_up_by_one_message(system: System) -> None:
    """It ends each invocation that reaches it. All others are stored while it still does."""
    hog = system.ledger.order("hog", filling="x" * HOG_BYTES)
    key = hog.order["order_id"]
    good = [[system.ledger.order(number)] for number in range(scenarios.REQUESTS)]
    with system.as_slow_as_aws(visibility_seconds=2):
        with (
            system.sabotage("PutItem", "before", "allocate", 1000, of=key),
            system.sabotage("BatchExecuteStatement", "before", "allocate", 1000, of=key),
        ):
            with system.stack.paused_mapping():
                system.send([*good[::2], [hog], *good[1::2]])
            eventually(
                lambda: len(system.rows()) == len(good),
                "all the others stored",
                2 * STANDSTILL_SECONDS,
            )
        system.drain()


@scenario
def outage_and_recovery(system: System) -> None:
    """DynamoDB does not answer for a while, then slowly again."""
    rule = {"service": "dynamodb", "error": {"code": "ServiceUnavailable", "status": 503}}
    with system.as_slow_as_aws(visibility_seconds=OUTAGE_SECONDS // 2):
        with system.proxy.rules(rule):
            until = time.monotonic() + OUTAGE_SECONDS
            system.send(requests(system))
            time.sleep(max(0, until - time.monotonic()))
            assert not system.rows(), "there is no outage"
        system.drain()
