"""The stack's own constants, from loads of their own: one request at a time, and backlogs.

The emulator's functions have every core to themselves, so that CPU is no constant of its own: it is
part of what a batch and an order take.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, linear_regression, median

from async_ingest.capacity.calibration import Calibration, Times
from async_ingest.capacity.load import Load
from async_ingest.capacity.settings import Settings
from tests.operate.capacity_check.invocations import Invocation, percentile
from tests.operate.capacity_check.system import Posts, System

IDLE = Load(4, 15)
CEILING = Load(200, 2)
CONNECTIONS = 8
# Messages of a backlog, by batch size.
BACKLOGS = {1: 40, 2: 80, 10: 300, 100: 1000}
# Whose calls have so few orders that the emulator's time for each does not count as the call's.
CALLS_OF = (1, 2)
# More than a table that is so far away takes, so that invocations are never out of work.
FED, FED_TABLE_SECONDS = Load(10, 10), 0.5
CONCURRENCY = 2
MOST_CONCURRENCY = 10


@dataclass(frozen=True)
class Backlog:
    """How a backlog of equal batches was drained, by so many invocations at a time."""

    concurrency: int
    invocations: Sequence[Invocation]

    @property
    def seconds(self) -> float:
        """From the first invocation's start to the last one's end."""
        began = min(one.began for one in self.invocations)
        return max(one.ended for one in self.invocations) - began

    @property
    def seconds_per_batch(self) -> float:
        """For which a batch keeps one of the invocations that may run."""
        return self.concurrency * self.seconds / len(self.invocations)


@dataclass(frozen=True)
class Samples:
    """What was measured.

    Attributes:
        posts: Requests, one at a time.
        idle: The invocations that these caused, of one message each.
        cold: First invocations of environments, of one message each.
        requests_per_second: When as many requests as possible were sent.
        calls: Seconds of calls of DynamoDB, by operation.
        backlogs: By batch size.
        fed: One in batches of one that grows meanwhile, with the table `FED_TABLE_SECONDS` away.
        busiest: A backlog in batches of one, with more invocations than there is CPU for.
    """

    posts: Posts
    idle: Sequence[Invocation]
    cold: Sequence[Invocation]
    requests_per_second: float
    calls: Mapping[str, Sequence[float]]
    backlogs: Mapping[int, Backlog]
    fed: Backlog
    busiest: Backlog


def take(system: System) -> Samples:
    """Takes the samples, by loads that the simulator is not judged by."""
    settings = Settings()
    with system.configured(settings):
        cold = system.warm_up()
        system.send(IDLE)  # starts what this needs
        idle = system.send(IDLE)
        system.send(CEILING, connections=CONNECTIONS)  # starts what this many need
        busy = system.send(CEILING, connections=CONNECTIONS)
    backlogs, calls = {}, []
    for size, messages in BACKLOGS.items():
        batches = replace(
            settings,
            process_maximum_concurrency=CONCURRENCY,
            process_batch_size=size,
            process_batching_window_seconds=int(size > 10),
        )
        with system.configured(batches):
            cold += system.warm_up()
            system.drain(2 * CONCURRENCY * size)  # starts what this many need
            backlogs[size] = Backlog(CONCURRENCY, system.drain(messages))
            calls += system.calls() if size in CALLS_OF else []
    single = replace(settings, process_maximum_concurrency=CONCURRENCY, process_batch_size=1)
    with system.configured(single, FED_TABLE_SECONDS):
        cold += system.warm_up()
        fed = system.send(FED).invocations
    until = fed[0].began + FED.seconds
    wide = replace(settings, process_maximum_concurrency=MOST_CONCURRENCY, process_batch_size=1)
    with system.configured(wide):
        cold += system.warm_up()
        system.drain(5 * MOST_CONCURRENCY)
        busiest = Backlog(MOST_CONCURRENCY, system.drain(10 * MOST_CONCURRENCY))
    by_operation: dict[str, list[float]] = {}
    for target, seconds in calls:
        by_operation.setdefault(target.rpartition(".")[2], []).append(seconds)
    return Samples(
        idle.posts,
        idle.invocations,
        cold,
        busy.posts.per_second,
        by_operation,
        backlogs,
        Backlog(CONCURRENCY, [one for one in fed if not one.is_cold and one.ended < until]),
        busiest,
    )


def calibration_of(samples: Samples) -> Calibration:
    """Returns the constants.

    What the calls do not explain of a batch grows with its orders. What it takes without any is
    more while messages arrive, as they keep the emulator's poller busy.
    """
    warm = [one for one in samples.idle if not one.is_cold]
    poll = median(age - one.seconds for one in warm for age in one.ages)
    # Not the mean: the very first of a system takes far longer, and no load has that one.
    cold = median(age - one.seconds for one in samples.cold if one.is_cold for age in one.ages)
    puts, inserts = (samples.calls[name] for name in ("PutItem", "BatchExecuteStatement"))
    calls = replace(
        Calibration(),
        load_balancer_seconds=0,
        ingest_cpu_seconds=0,
        ingest_seconds=samples.posts.mean,
        ingest_tail=max(1.0, samples.posts.p99 / samples.posts.p50),
        ingest_requests_per_second=samples.requests_per_second,
        cold_start_seconds=max(0.0, cold - poll),
        poll_seconds=max(0.0, poll),
        dispatch_seconds=samples.busiest.seconds / len(samples.busiest.invocations),
        process_cpu_seconds_per_batch=0,
        process_cpu_seconds_per_order=0,
        put_seconds=fmean(puts),
        batch_call_seconds=fmean(inserts),
        call_tail=_tail(inserts),
    )
    times = Times(calls, Settings(), Load(1))
    slope, _ = linear_regression(
        list(samples.backlogs),
        [one.seconds_per_batch - times.process(size) for size, one in samples.backlogs.items()],
    )
    slope = max(0.0, slope)
    alone = samples.fed.seconds_per_batch - times.process(1) - FED_TABLE_SECONDS - slope
    seconds = [one.seconds for one in samples.backlogs[10].invocations]
    return replace(
        calls,
        process_seconds_per_batch=max(0.0, alone),
        process_seconds_per_order=slope,
        process_tail=_tail(seconds),
    )


def _tail(seconds: Sequence[float]) -> float:
    return max(1.0, percentile(seconds, 0.99) / percentile(seconds, 0.5))
