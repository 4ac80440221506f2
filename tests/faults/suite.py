"""Runs scenarios, and says of each whether every order is accounted for."""

import threading
import time
from dataclasses import dataclass, field
from typing import NamedTuple, Self

from tests.faults import as_slow_as_aws  # noqa: F401 - whose scenarios are among them
from tests.faults.ledger import PROMISES, Ledger, Outcome, Verdict, judge
from tests.faults.scenarios import SCENARIOS
from tests.faults.system import System

SAMPLE_SECONDS = 0.25
COUNTS = (
    *("attempted", *(outcome.value for outcome in Outcome)),
    *("stored", "superseded", "dead_lettered", *PROMISES, "faults", "rows"),
)


@dataclass
class Result:
    """What came of a scenario. ``failure`` says why it is red, and is empty if it is green."""

    name: str
    began: float  # seconds since the epoch, as are the times of the faults
    ended: float = 0.0
    faults: list[float] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))
    failure: str = ""

    @property
    def seconds(self) -> float:
        return self.ended - self.began

    @property
    def is_accused_by_the_books(self) -> bool:
        """Whether orders are missing or wrong, rather than that something else went wrong."""
        return any(self.counts[name] for name in PROMISES)


def run(system: System, name: str, title: str = "") -> Result:
    """Runs a scenario to its end, and empties both queues after it."""
    system.ledger = Ledger(title or name)
    result = Result(system.ledger.name, time.time())
    faults_before = len(system.fired())
    failures = []
    try:
        SCENARIOS[name](system)
        system.drain()
    except Exception as error:  # the books are made all the same
        kind = "" if isinstance(error, AssertionError) else f"{type(error).__name__}: "
        failures.append(f"{kind}{error}")
    result.faults = system.fired()[faults_before:]
    rows = system.rows()
    verdict = judge(system.ledger, rows, [m["Body"] for m in system.take_all()])
    result.counts = _counts(system.ledger, verdict)
    result.counts |= {"faults": len(result.faults), "rows": len(rows)}
    failures += [
        f"{len(found)} {promise.replace('_', ' ')}, such as {found[0]}"
        for promise in PROMISES
        if (found := getattr(verdict, promise))
    ]
    failures += [f"no {name}" for name in ("faults", "acknowledged") if not result.counts[name]]
    result.failure = "; ".join(failures)
    result.ended = time.time()
    return result


def _counts(ledger: Ledger, verdict: Verdict) -> dict[str, int]:
    return {
        "attempted": len(ledger.attempts),
        **{outcome.value: ledger.count(outcome) for outcome in Outcome},
        **{name: getattr(verdict, name) for name in ("stored", "superseded", "dead_lettered")},
        **{promise: len(getattr(verdict, promise)) for promise in PROMISES},
    }


class Sample(NamedTuple):
    at: float  # seconds since the epoch
    queued: int  # messages, in work or not
    rows: int  # of the table


class Timeline:
    """Looks at queue and table again and again, in a thread, while it is used."""

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
