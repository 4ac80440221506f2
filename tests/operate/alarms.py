"""Drives every alarm of the applied system from OK to ALARM and back."""

from local.screen import Screen
from local.stack import Stack
from tests.operate import mutants, report
from tests.operate.causes import CAUSES, System
from tests.operate.drive import Findings, defined, drive, ordinary_hour


def run(stack: Stack, screen: Screen) -> list[str]:
    """Writes the figures to the report, and returns what is wrong."""
    system = System(stack)
    findings = Findings(defined(system))
    mutants.put(system)
    with screen.stage("an hour of ordinary traffic with bursts") as stage:
        findings.false_alarms = ordinary_hour(system)
        stage.has_failed = bool(findings.false_alarms)
    seen = mutants.ever_in_alarm(system)
    for name, cause in CAUSES.items():
        with screen.stage(name.replace("_", " ") + (", as a metric" if cause.is_put else "")):
            drive(system, cause, findings, lambda: seen.update(mutants.silent(system)))
    report.write("alarms", findings.as_dict() | {"mutants_seen": sorted(seen)})
    missed = [f"mutant {one}: not seen" for one in mutants.MUTANTS if one not in seen]
    return findings.complaints + missed
