"""Drives each alarm from OK to ALARM and back, and lets an hour of ordinary traffic pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from local.monitoring import MINUTE
from local.waiting import NotInTimeError
from tests.operate.causes import CAUSES, Cause, System
from tests.support.stack import new_order

BACK_MINUTES = 20 * 60  # a window of six hours, and those that AWS looks at beyond it
ORDINARY, BURST = 2, 20  # orders a minute


@dataclass
class Findings:
    """What became of each alarm, by its name without the system's."""

    defined: list[str]
    seen_in_alarm: list[str] = field(default_factory=list)
    seen_back: list[str] = field(default_factory=list)
    false_alarms: list[str] = field(default_factory=list)

    @property
    def complaints(self) -> list[str]:
        return [
            *(f"{one}: never in ALARM" for one in self.defined if one not in self.seen_in_alarm),
            *(f"{one}: never back" for one in self.seen_in_alarm if one not in self.seen_back),
            *(f"{one}: a false alarm" for one in self.false_alarms),
        ]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def defined(system: System) -> list[str]:
    return sorted(name.removeprefix(f"{system.name}-") for name in system.monitoring.alarms())


def ordinary_hour(system: System) -> list[str]:
    """Sends ordinary traffic with bursts for an hour. Returns the alarms that it has raised."""
    before = raised(system)
    for minute in range(60):
        for _ in range(BURST if minute % 10 == 9 else ORDINARY):
            answer = system.stack.post(new_order())
            if answer.status != 202:
                raise RuntimeError(f"ordinary traffic is answered {answer.status}")
        system.stack.wait_for_empty_queue()
        system.monitoring.move(MINUTE)
    return sorted(name for name, times in raised(system).items() if times > before.get(name, 0))


def raised(system: System) -> dict[str, int]:
    """Returns how often each alarm has gone into ALARM."""
    return {
        name: system.monitoring.transitions(f"{system.name}-{name}").count("ALARM")
        for name in defined(system)
    }


def drive(
    system: System, cause: Cause, findings: Findings, look: Callable[[], None] = lambda: None
) -> None:
    """Inflicts a cause, and takes down which alarms it raises, and which are over after it.

    Args:
        system: Whose alarms they are.
        cause: What happens to it.
        findings: Where it is taken down.
        look: Called while the cause lasts.
    """
    for name in cause.alarms:  # what came earlier may have raised it
        if system.monitoring.state(f"{system.name}-{name}") == "ALARM":
            over(system, name)
    before = raised(system)
    with cause.inflict(system):
        system.monitoring.move(MINUTE)
        look()
    after = raised(system)
    seen = [name for name in cause.alarms if after.get(name, 0) > before.get(name, 0)]
    findings.seen_in_alarm += [name for name in seen if name not in findings.seen_in_alarm]
    for name in seen:
        try:
            over(system, name)
        except NotInTimeError:
            continue
        if name not in findings.seen_back:
            findings.seen_back.append(name)


def over(system: System, name: str) -> None:
    """Moves the clock until an alarm is over. Raises NotInTimeError if it is not within a day."""
    system.monitoring.move_until(f"{system.name}-{name}", "OK", BACK_MINUTES, step=30 * MINUTE)


def unknown_alarms(names: list[str]) -> set[str]:
    """Returns the alarms that no cause is for."""
    return set(names) - {alarm for cause in CAUSES.values() for alarm in cause.alarms}
