"""Runs scenarios, and says of each whether every order is accounted for."""

import json
import threading
import time
from dataclasses import dataclass, field
from typing import NamedTuple, Self

from tests.faults.ledger import Ledger, Outcome, Verdict, judge
from tests.faults.scenarios import SCENARIOS
from tests.faults.system import System

SAMPLE_SECONDS = 0.25


@dataclass
class Result:
    """What came of a scenario. ``failure`` says why it is red, and is empty if it is green."""

    name: str
    began: float  # seconds since the epoch, as are the times of the faults
    ended: float = 0.0
    faults: list[float] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    failure: str = ""

    @property
    def seconds(self) -> float:
        return self.ended - self.began


def run(system: System, name: str, title: str = "") -> Result:
    """Runs a scenario to its end, and empties both queues after it."""
    system.ledger = Ledger(title or name)
    result = Result(system.ledger.name, time.time())
    faults_before = len(system.fired())
    try:
        SCENARIOS[name](system)
        system.drain()
    except Exception as error:  # the other scenarios are to be seen all the same
        kind = "" if isinstance(error, AssertionError) else f"{type(error).__name__}: "
        result.failure = f"{kind}{error}"
    result.faults = system.fired()[faults_before:]
    dead = [json.loads(message["Body"]) for message in system.take_dead_letters()]
    verdict = judge(system.ledger, system.rows(), dead)
    result.counts = counts(system.ledger, verdict) | {"faults": len(result.faults)}
    result.failure = "; ".join(filter(None, [result.failure, _failure(result, verdict)]))
    result.ended = time.time()
    return result


def counts(ledger: Ledger, verdict: Verdict) -> dict[str, int]:
    return {
        "attempted": len(ledger.attempts),
        **{outcome.value: ledger.count(outcome) for outcome in Outcome},
        "stored": verdict.stored,
        "superseded": verdict.superseded,
        "dead_lettered": verdict.dead_lettered,
        "lost": len(verdict.lost),
        "unexpected": len(verdict.unexpected),
        "stale": len(verdict.stale),
    }


def _failure(result: Result, verdict: Verdict) -> str:
    broken = [
        f"{len(found)} {what}, such as {found[0]}"
        for what, found in (
            ("lost", verdict.lost),
            ("unexpected", verdict.unexpected),
            ("stale", verdict.stale),
        )
        if found
    ]
    if not result.faults:
        broken.append("no fault has fired")
    if not result.counts["acknowledged"]:
        broken.append("no order was acknowledged")
    return "; ".join(broken)


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
