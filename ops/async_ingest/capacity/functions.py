"""Functions and pollers: how much may run at the same time, and how fast that grows."""

from __future__ import annotations

import math

from async_ingest.capacity import aws
from async_ingest.capacity.calibration import Times
from async_ingest.capacity.settings import Settings

_DEVIATIONS = 3


def environments_for(concurrency: float) -> float:
    """Returns the environments that random arrivals need for a mean concurrency."""
    return concurrency + _DEVIATIONS * math.sqrt(concurrency)


def concurrency_of(environments: float) -> float:
    """Returns the mean concurrency that environments carry; the inverse of the above."""
    root = (math.sqrt(_DEVIATIONS**2 + 4 * environments) - _DEVIATIONS) / 2
    return root * root


class Environments:
    """A function's environments: warm ones, ones that start, and how fast there can be more."""

    def __init__(self, warm: float = 0) -> None:
        self.warm = warm
        self.cold_starts = 0.0
        self._starting: list[tuple[float, float]] = []
        self._at_once = float(aws.ENVIRONMENTS_AT_ONCE)

    @property
    def count(self) -> float:
        return self.warm + sum(number for _, number in self._starting)

    def pass_time(self, now: float, seconds: float) -> None:
        """Makes what has started warm, and refills what may start."""
        refilled = self._at_once + aws.ENVIRONMENTS_PER_SECOND * seconds
        self._at_once = min(aws.ENVIRONMENTS_AT_ONCE, refilled)
        self.warm += sum(number for ready, number in self._starting if ready <= now)
        self._starting = [one for one in self._starting if one[0] > now]

    def start(self, number: float, limit: float, ready: float) -> float:
        """Starts up to this number, as far as growth and the limit allow; returns how many."""
        started = max(0.0, min(number, self._at_once, limit - self.count))
        if started:
            self._at_once -= started
            self._starting.append((ready, started))
            self.cold_starts += started
        return started


class Ingest:
    """The ingest function: a request runs at once, or is refused."""

    def __init__(self, settings: Settings, times: Times) -> None:
        self._settings = settings
        self._times = times
        self.environments = Environments(settings.ingest_provisioned_concurrency or 0)
        self.concurrency = 0.0
        self.cold = 0.0

    def accept(self, now: float, seconds: float, requests: float, others: float) -> float:
        """Takes requests that arrive within some seconds from now.

        Args:
            now: Seconds since the start.
            seconds: For which they arrive.
            requests: How many.
            others: Concurrency that the account's other functions use.

        Returns:
            How many are accepted; `cold` is how many of them wait for a cold start.
        """
        known, settings = self._times.calibration, self._settings
        here = self.environments
        here.pass_time(now, seconds)
        quota = settings.account_concurrency_quota
        limit = settings.ingest_reserved_concurrency or quota - max(
            others, settings.process_reserved_concurrency or 0
        )
        # Cold starts make a function slower to take requests, but not the requests it already has.
        warm = concurrency_of(here.warm) / self._times.ingest * seconds
        needed = max(0.0, requests - warm)
        lasting = known.cold_start_seconds + self._times.ingest
        self.cold = here.start(needed, limit, now + lasting)
        most = (
            min(
                aws.REQUESTS_PER_CONCURRENCY * quota,
                known.ingest_requests_per_second,
            )
            * seconds
        )
        accepted = min(requests, warm + self.cold, most)
        self.cold = min(self.cold, accepted)
        busy = (accepted - self.cold) * self._times.ingest + self.cold * lasting
        self.concurrency = min(here.count, busy / seconds)
        return accepted


class Pollers:
    """How many batches the event source mapping may have in work."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._provisioned = settings.process_provisioned_pollers
        if self._provisioned:
            self._least = aws.INVOKES_PER_POLLER * float(self._provisioned["minimum"])
            self._per_second = aws.PROVISIONED_PER_SECOND
            self._most = float(settings.maximum_concurrency)
        else:
            self._most = float(min(aws.POLLERS_QUOTA, settings.maximum_concurrency))
            self._least = min(self._most, aws.POLLERS_AT_FIRST)
            self._per_second = aws.POLLERS_PER_SECOND
        self._now = self._least

    def limit(self, seconds: float, used: float, waits: bool, ingest: float) -> float:
        """Returns the concurrent invocations that may run now.

        Args:
            seconds: Since the last call.
            used: The concurrency of process since then.
            waits: Whether messages wait.
            ingest: The concurrency of ingest.
        """
        change = self._per_second * seconds
        wanted = self._now + change if waits else max(used, self._now - change)
        self._now = min(self._most, max(self._least, wanted))
        settings = self._settings
        reserved = settings.process_reserved_concurrency
        quota = settings.account_concurrency_quota
        others = max(ingest, settings.ingest_reserved_concurrency or 0)
        return max(0.0, min(self._now, reserved or quota - others))

    def messages_in(self, seconds: float, message_bytes: int) -> float:
        """Returns how many messages the pollers can receive in some seconds."""
        if not self._provisioned:
            return math.inf
        pollers = self._now / aws.INVOKES_PER_POLLER
        calls = aws.POLLS_PER_SECOND * aws.MESSAGES_PER_CALL
        each = min(calls, aws.POLLER_BYTES_PER_SECOND / message_bytes)
        return pollers * each * seconds
