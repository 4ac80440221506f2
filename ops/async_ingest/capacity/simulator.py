"""Simulates a load on a system, in ticks, with cohorts of messages rather than single ones.

So its time depends on the seconds that are simulated, not on the rate. A tick is a budget of
worker-seconds: what runs already takes its part, and the rest starts batches, as small as the
pollers that are free allow.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Iterator
from dataclasses import replace

from async_ingest.capacity import aws
from async_ingest.capacity.calibration import Calibration, Times
from async_ingest.capacity.distribution import Latencies
from async_ingest.capacity.functions import Environments, Ingest, Pollers, environments_for
from async_ingest.capacity.load import Load
from async_ingest.capacity.queue import Cohort, Queue
from async_ingest.capacity.results import Result, Series, Usage
from async_ingest.capacity.settings import Settings
from async_ingest.capacity.table import Table

TICK_SECONDS = 0.1
# After the load, when only a backlog drains, ticks may be longer.
_CALM_AFTER_SECONDS = 60
_CALM_TICKS = 10
# How long a backlog is followed after the load.
DRAIN_SECONDS = 4 * 3600
_NOTHING = 1e-6
# Parts into which the messages of a batch fall that waited for it to fill.
_GATHERED = (0.125, 0.375, 0.625, 0.875)


def simulate(
    settings: Settings,
    load: Load,
    calibration: Calibration | None = None,
    *,
    tick: float = TICK_SECONDS,
    drain_seconds: float = DRAIN_SECONDS,
) -> Result:
    """Returns what the system does with the load, and after it until nothing waits."""
    return _Simulation(settings, load, calibration or Calibration(), tick).run(drain_seconds)


class _Simulation:
    def __init__(
        self, settings: Settings, load: Load, calibration: Calibration, tick: float
    ) -> None:
        self._settings, self._load, self._tick = settings, load, tick
        self._times = Times(calibration, settings, load)
        self._ingest = Ingest(settings, self._times)
        self._pollers = Pollers(settings)
        self._queue = Queue(settings.max_receive_count, settings.queue_retention_seconds)
        self._table = Table(
            settings.table_peak_write_units, settings.table_write_quota, load.hot, load.throttled
        )
        self._environments = Environments()
        self._post = Latencies(calibration.ingest_tail)
        self._freshness = Latencies(calibration.process_tail)
        self._series, self._usage = Series(), Usage()
        # Invocations that run: when they end, their number, and what they hold.
        self._running: list[tuple[float, int, float, list[Cohort]]] = []
        self._number = 0
        self._used = self._left = self._active = self._in_flight = 0.0
        self._accepted = self._refused = self._stored = 0.0
        self._dead = self._expired = self._throttled = self._redelivered = 0.0
        self._peaks = {"ingest": 0.0, "process": 0.0, "backlog": 0.0}
        self._worked, self._waited, self._drained = 0.0, 0.0, 0.0

    def run(self, drain_seconds: float) -> Result:
        now, load_end = 0.0, self._load.seconds
        while now < load_end + drain_seconds:
            calm = now >= load_end + _CALM_AFTER_SECONDS
            length = self._tick * (_CALM_TICKS if calm else 1)
            if now < load_end:
                length = min(length, load_end - now)
            self._step(now, length)
            now += length
            if now >= load_end and not self._running and self._queue.visible <= _NOTHING:
                again = self._queue.next_visible()
                if again is None:
                    break
                self._waited += self._queue.hidden * max(0.0, again - now)
                now = max(now, again)
        return self._result(now)

    def _step(self, now: float, length: float) -> None:
        before = self._table.written
        self._dead += sum(one.messages for one in self._queue.pass_time(now))
        self._expired += self._queue.expire(now)
        arrived = self._load.between(now, now + length)
        accepted = self._accept(now, length, arrived)
        concurrency = self._process(now, length)
        backlog = self._queue.visible + self._queue.hidden + self._in_flight
        if backlog > _NOTHING:
            self._drained = now + length
        self._worked += concurrency * length
        self._waited += backlog * length
        here = {"ingest": self._ingest.concurrency, "process": concurrency, "backlog": backlog}
        self._peaks = {name: max(self._peaks[name], value) for name, value in here.items()}
        self._series.add(
            seconds=now,
            arrived_per_second=arrived / length,
            refused_per_second=(arrived - accepted) / length,
            ingest_concurrency=here["ingest"],
            process_concurrency=concurrency,
            backlog=backlog,
            write_units_per_second=(self._table.written - before) / length,
            table_capacity=self._table.capacity,
        )

    # The way in -------------------------------------------------------------------------------

    def _accept(self, now: float, length: float, arrived: float) -> float:
        if not arrived:
            self._ingest.concurrency = 0.0
            return 0.0
        accepted = self._ingest.accept(now, length, arrived, self._used)
        cold, start = self._ingest.cold, self._times.calibration.cold_start_seconds
        self._post.add(0.0, self._times.post, accepted - cold)
        self._post.add(start, self._times.post, cold)
        bad = accepted * self._load.permanent_failures
        middle = now + length / 2
        self._queue.send(Cohort(middle, accepted - bad))
        self._queue.send(Cohort(middle, bad, is_good=False))
        self._accepted += accepted
        self._refused += arrived - accepted
        self._usage.requests += arrived
        self._usage.ingest_seconds += accepted * self._times.ingest + cold * start
        self._usage.messages += accepted
        return accepted

    # The way to the table ----------------------------------------------------------------------

    def _process(self, now: float, length: float) -> float:
        """Ends and starts invocations; returns the mean concurrency."""
        end = now + length
        busy = 0.0
        while self._running and self._running[0][0] < end:
            finish, _, invocations, cohorts = heapq.heappop(self._running)
            busy += invocations * max(0.0, finish - now)
            self._active -= invocations
            messages = sum(one.messages for one in cohorts)
            self._in_flight -= messages
            self._waited += messages * max(0.0, finish - now)
            self._settle(cohorts)
        if not self._running:
            self._active = self._in_flight = 0.0
        busy += self._active * length
        limit = self._pollers.limit(
            length, self._used, self._left > _NOTHING, self._ingest.concurrency
        )
        if self._queue.visible > _NOTHING:
            busy += self._start(now, length, limit, max(0.0, limit * length - busy))
        self._left = self._queue.visible
        if self._settings.process_provisioned_pollers:
            pollers = max(limit, 1) / aws.INVOKES_PER_POLLER
            self._usage.poller_seconds += pollers * length
        self._used = busy / length
        return self._used

    def _start(self, now: float, length: float, limit: float, budget: float) -> float:
        """Starts what the budget of worker-seconds allows; returns what of it is used."""
        known = self._times.calibration
        middle = now + length / 2
        visible = min(
            self._queue.visible,
            aws.IN_FLIGHT_QUOTA - self._in_flight - self._queue.hidden,
            self._pollers.messages_in(length, self._load.message_bytes),
        )
        if visible <= _NOTHING:  # as much is in flight as may be
            return 0.0
        throttled = self._table.delay(middle)
        held = min(throttled, self._times.retrying)
        size, gathering = self._batch(visible, length, budget, held)
        service = max(_NOTHING, self._times.process(size) + held)
        invocations = min(visible / size, budget / min(service, length))
        if known.dispatch_seconds:
            invocations = min(invocations, length / known.dispatch_seconds)
        if invocations <= 0:
            return 0.0
        cold = self._cold(now, invocations, service, length, limit)
        lasting = service + cold * known.cold_start_seconds
        # What is still running in the next tick needs a poller of its own.
        free = limit - self._active if lasting >= length else math.inf
        invocations = min(invocations, budget / min(lasting, length), max(0.0, free))
        start = middle + known.poll_seconds + lasting - service
        cohorts = list(self._queue.receive(min(visible, invocations * size)))
        if throttled > self._times.retrying:
            self._throttled += self._orders(cohorts)
            self._fail(cohorts, start)
            kept = []
        else:
            self._write(cohorts, middle, throttled)
            kept = self._deliver(cohorts, start, gathering, service)
        self._run(now, length, lasting, invocations, [])
        for wait, part in _gathered(kept, gathering):  # for a batch to fill takes no invocation
            self._run(now, length, wait + lasting, 0.0, part)
        self._usage.process_invocations += invocations
        self._usage.process_seconds += invocations * lasting
        calls = invocations * math.ceil(size / aws.MESSAGES_PER_CALL)
        self._usage.receives += calls
        self._usage.deletes += calls
        return invocations * min(lasting, length)

    def _run(
        self, now: float, length: float, lasting: float, invocations: float, kept: list[Cohort]
    ) -> None:
        """Settles what ends within the tick, and keeps the rest running."""
        messages = sum(one.messages for one in kept)
        if lasting < length:
            self._waited += messages * lasting
            self._settle(kept)
            return
        heapq.heappush(self._running, (now + lasting, self._number, invocations, kept))
        self._number += 1
        self._active += invocations
        self._in_flight += messages

    def _batch(
        self, visible: float, length: float, budget: float, held: float
    ) -> tuple[int, float]:
        """Returns how many messages a batch has, and how long it takes to fill in its window."""
        most = min(
            self._settings.process_batch_size,
            max(1, aws.BATCH_BYTES // max(1, self._load.message_bytes)),
        )
        low, high = 1, most
        while low < high:  # the smallest batch with which what is visible fits into the budget
            middle = (low + high) // 2
            taken = min(self._times.process(middle) + held, length)
            low, high = (low, middle) if visible / middle * taken <= budget else (middle + 1, high)
        window = self._settings.process_batching_window_seconds
        if not window or low == most:
            return low, 0.0
        gatherers = min(aws.POLLERS_AT_FIRST, self._settings.maximum_concurrency)
        per_second = visible / length / gatherers
        filled = max(low, min(most, int(1 + per_second * window)))
        return filled, min(window, filled / per_second)

    def _cold(
        self, now: float, invocations: float, service: float, length: float, limit: float
    ) -> float:
        """Starts environments that are needed; returns the share of invocations that wait."""
        self._environments.pass_time(now, length)
        busy = self._active + invocations * min(1.0, service / length)
        needed = min(limit, environments_for(busy)) - self._environments.count
        ready = now + self._times.calibration.cold_start_seconds
        started = self._environments.start(needed, limit, ready)
        return min(1.0, started / invocations)

    def _orders(self, cohorts: Iterable[Cohort]) -> float:
        good = sum(one.messages for one in cohorts if one.is_good)
        return good * self._load.orders_per_request

    def _write(self, cohorts: list[Cohort], now: float, delay: float) -> None:
        orders = self._orders(cohorts)
        if orders:
            self._table.write(now, orders * self._times.units_per_order)
            self._throttled += orders if delay > self._tick else 0.0

    def _deliver(
        self, cohorts: list[Cohort], start: float, gathering: float, service: float
    ) -> list[Cohort]:
        """Notes when orders become visible in the table; failed messages stay in the queue."""
        kept = []
        for one in cohorts:
            if one.is_good:
                wait = max(0.0, start - one.accepted)
                for more, [part] in _gathered([one], gathering):
                    self._freshness.add(wait + more, service, part.messages)
                kept.append(one)
            elif self._settings.process_dead_letter_immediately:
                kept.append(one)
            else:
                self._fail([one], start)
        return kept

    def _fail(self, cohorts: Iterable[Cohort], start: float) -> None:
        for one in cohorts:
            self._redelivered += one.messages
            self._queue.hide(one, start + self._settings.visibility_timeout)

    def _settle(self, cohorts: Iterable[Cohort]) -> None:
        for one in cohorts:
            if one.is_good:
                self._stored += one.messages
            else:
                self._dead += one.messages

    # The answers -------------------------------------------------------------------------------

    def _result(self, now: float) -> Result:
        each, load = self._load.orders_per_request, self._load
        waiting = self._queue.visible + self._queue.hidden + self._in_flight
        is_drained = waiting <= 1e-6 * max(1.0, self._accepted)
        written = self._stored * each
        self._usage.write_units = self._table.written
        self._usage.ingest_cold_starts = self._ingest.environments.cold_starts
        shares = {"p50": 0.50, "p95": 0.95, "p99": 0.99}
        return Result(
            seconds=now,
            load_seconds=load.seconds,
            requests={"accepted": self._accepted, "refused": self._refused},
            orders={
                "accepted": self._accepted * each,
                "stored": written * (1 - load.superseded),
                "superseded": written * load.superseded,
                "dead_lettered": self._dead * each,
                "expired": self._expired * each,
                "in_queue": waiting * each,
            },
            post={name: self._post.percentile(share) for name, share in shares.items()},
            freshness={name: self._freshness.percentile(share) for name, share in shares.items()},
            ingest_concurrency=self._peaks["ingest"],
            process_concurrency=self._peaks["process"],
            mean_process_concurrency=self._worked / now if now else 0.0,
            mean_messages=self._waited / now if now else 0.0,
            mean_freshness=self._freshness.mean,
            peak_backlog=self._peaks["backlog"],
            drain_seconds=max(0.0, self._drained - load.seconds) if is_drained else None,
            throttled=self._throttled,
            redelivered=self._redelivered,
            cold_starts=self._ingest.environments.cold_starts + self._environments.cold_starts,
            partitions=self._table.partitions,
            usage=self._usage,
            series=self._series.thinned(),
        )


def _gathered(cohorts: list[Cohort], seconds: float) -> Iterator[tuple[float, list[Cohort]]]:
    """Yields parts of the messages of batches that take so long to fill, and what each waits."""
    if not seconds:
        yield 0.0, cohorts
        return
    shares = [replace(one, messages=one.messages / len(_GATHERED)) for one in cohorts]
    for part in _GATHERED:
        yield part * seconds, shares
