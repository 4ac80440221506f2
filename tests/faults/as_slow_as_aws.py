"""Scenarios at AWS's latencies, with timeouts, memory and CPU as deployed.

A failed message would return after three minutes, longer than `System.drain` waits. So the first
delivery must settle every message, unless the scenario shortens the visibility timeout.
"""

import contextlib
import time
from collections.abc import Iterator

from local.waiting import eventually
from tests.faults import scenarios
from tests.faults.scenarios import SCENARIOS, Scenario, requests
from tests.faults.system import STANDSTILL_SECONDS, System

OUTAGE_SECONDS = 20
UNITS = 30  # of a partition, per second; AWS's have 1,000
HOG_BYTES = 200_000


def scenario(function: Scenario) -> Scenario:
    SCENARIOS[f"as_slow_as_aws_{function.__name__}"] = function
    return function


@contextlib.contextmanager
def _once_each(system: System) -> Iterator[None]:
    """Asserts that the first delivery settles every message."""
    before = len(system.deliveries())
    yield
    again = scenarios.repeated(system.deliveries()[before:])
    assert not again, f"{again} messages were redelivered"


@scenario
def steady_load(system: System) -> None:
    with system.as_slow_as_aws(), _once_each(system):
        for _ in range(3):
            system.send(requests(system))
        system.drain()


@scenario
def backlog_of_updates(system: System) -> None:
    """In batches of 100. From the second round on, all keys are in the table."""
    keys = 2 * scenarios.REQUESTS
    with system.as_slow_as_aws(batch_size=100, window_seconds=1), _once_each(system):
        for version in range(3):
            with system.stack.paused_mapping():
                system.send([system.history.order(key, version=version)] for key in range(keys))
            system.drain()


@scenario
def bulk_arrays_of_known_keys(system: System) -> None:
    """Each order needs its own PutItem, and a message has hundreds of them."""
    arrays, size = 12, scenarios.REQUESTS
    with system.as_slow_as_aws(), _once_each(system):
        for version in range(2):
            with system.stack.paused_mapping():
                system.send(
                    [
                        system.history.order(f"{array}-{part}", version=version)
                        for part in range(size)
                    ]
                    for array in range(arrays)
                )
            system.drain()


@scenario
def throttled_partition(system: System) -> None:
    """It takes less than what arrives, but does not hold up other keys in the same batches."""
    orders = (
        [system.history.order(f"{'hot' if number % 2 else 'cold'}-{number}")]
        for number in range(2 * scenarios.REQUESTS)
    )
    # Messages may fail here: an invocation leaves the rest to the next delivery.
    with (
        system.as_slow_as_aws(visibility_seconds=STANDSTILL_SECONDS // 2),
        system.partition(f"{system.history.name}/hot", UNITS),
    ):
        with system.stack.paused_mapping():
            system.send(orders)
        system.drain()


@scenario
def dead_lettering(system: System) -> None:
    failing = [system.history.permanent_failure() for _ in range(30)]
    with system.as_slow_as_aws(), _once_each(system):
        with system.stack.paused_mapping():
            for attempt in failing:
                system.enqueue(attempt)
            system.send(requests(system))
        system.drain()
    scenarios.expect_dead(system, failing)


@scenario
def memory_used_up_by_one_message(system: System) -> None:
    """It ends every invocation that reaches it. All others are stored nevertheless."""
    hog = system.history.order("hog", filling="x" * HOG_BYTES)
    key = hog.order["order_id"]
    good = [[system.history.order(number)] for number in range(scenarios.REQUESTS)]
    with system.as_slow_as_aws(visibility_seconds=2):
        with (
            system.inject("PutItem", "before", "allocate", 1000, of=key),
            system.inject("BatchExecuteStatement", "before", "allocate", 1000, of=key),
        ):
            with system.stack.paused_mapping():
                system.send([*good[::2], [hog], *good[1::2]])
            eventually(
                lambda: len(system.rows()) == len(good),
                "the rows of all others",
                2 * STANDSTILL_SECONDS,
            )
        system.drain()


@scenario
def outage_and_recovery(system: System) -> None:
    """DynamoDB is unavailable for a while, then slow."""
    rule = {"service": "dynamodb", "error": {"code": "ServiceUnavailable", "status": 503}}
    with system.as_slow_as_aws(visibility_seconds=OUTAGE_SECONDS // 2):
        with system.proxy.rules(rule):
            until = time.monotonic() + OUTAGE_SECONDS
            system.send(requests(system))
            time.sleep(max(0, until - time.monotonic()))
            assert not system.rows(), "there was no outage"
        system.drain()
