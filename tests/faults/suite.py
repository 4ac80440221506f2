"""Runs scenarios, and checks after each that every order is accounted for."""

import threading
import time
from dataclasses import dataclass, field
from typing import NamedTuple, Self

from local.waiting import NotInTimeError
from tests.faults import as_slow_as_aws, signatures, versions  # noqa: F401 - register scenarios
from tests.faults.scenarios import SCENARIOS
from tests.faults.system import System
from tests.support.checker import VIOLATIONS, Verdict, check
from tests.support.history import History, Outcome

SAMPLE_SECONDS = 0.25
COUNTS = (
    *("attempted", *(outcome.value for outcome in Outcome)),
    *("stored", "superseded", "dead_lettered", *VIOLATIONS, "faults", "rows"),
)


@dataclass
class Result:
    """The outcome of a scenario. `failure` says why it is red, and is empty if it is green."""

    name: str
    began: float  # seconds since the epoch, like the times of the faults
    ended: float = 0.0
    faults: list[float] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))
    failure: str = ""

    @property
    def seconds(self) -> float:
        return self.ended - self.began

    @property
    def is_rejected_by_checker(self) -> bool:
        """Whether orders are missing or wrong, rather than something else."""
        return any(self.counts[name] for name in VIOLATIONS)


def run(system: System, name: str, title: str = "") -> Result:
    """Runs a scenario to its end, then empties both queues."""
    system.history = History(title or name)
    result = Result(system.history.name, time.time())
    faults_before = len(system.fired())
    failures = []
    try:
        SCENARIOS[name](system)
        system.drain()
    except Exception as error:  # the check is made all the same
        is_expected = isinstance(error, AssertionError | NotInTimeError)
        kind = "" if is_expected else f"{type(error).__name__}: "
        failures.append(f"{kind}{error}")
    result.faults = system.fired()[faults_before:]
    rows = system.rows()
    verdict = check(system.history, rows, [m["Body"] for m in system.take_all()])
    result.counts = _counts(system.history, verdict)
    result.counts |= {"faults": len(result.faults), "rows": len(rows)}
    failures += [
        f"{len(found)} {violation.replace('_', ' ')}, such as {found[0]}"
        for violation in VIOLATIONS
        if (found := getattr(verdict, violation))
    ]
    failures += [f"no {name}" for name in ("faults", "acknowledged") if not result.counts[name]]
    result.failure = "; ".join(failures)
    result.ended = time.time()
    return result


def _counts(history: History, verdict: Verdict) -> dict[str, int]:
    return {
        "attempted": len(history.attempts),
        **{outcome.value: history.count(outcome) for outcome in Outcome},
        **{name: getattr(verdict, name) for name in ("stored", "superseded", "dead_lettered")},
        **{violation: len(getattr(verdict, violation)) for violation in VIOLATIONS},
    }


class Sample(NamedTuple):
    at: float  # seconds since the epoch
    queued: int  # messages, visible or in flight
    rows: int  # in the table


class Timeline:
    """Samples queue and table in a thread, while used as a context manager."""

    def __init__(self, system: System) -> None:
        self.samples: list[Sample] = []
        self._system = system
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._done.wait(SAMPLE_SECONDS):
            try:
                queued, rows = self._system.stack.queued(), self._system.row_count()
            except Exception:  # noqa: S112 - the emulator is being restarted
                continue
            self.samples.append(Sample(time.time(), queued, rows))
