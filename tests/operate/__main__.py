"""Drives the alarms of the applied system from OK to ALARM and back: ``make operate``.

python -m tests.operate [CAUSE ...]    only these causes, without ordinary traffic and mutants
"""

from __future__ import annotations

import json
import sys

from local.emulator import ROOT
from local.screen import Screen, console_for_tables
from tests.operate import mutants
from tests.operate.causes import CAUSES, System
from tests.operate.drive import Findings, defined, drive, ordinary_hour
from tests.support.stack import temporary_stack

PATH = ROOT / "build" / "operate.json"
NAME = "operate"


def main(names: list[str]) -> int:
    if unknown := set(names) - CAUSES.keys():
        print(f"There is no {', '.join(unknown)}, but:", *CAUSES, sep="\n  ")
        return 2
    console = console_for_tables()
    with Screen(console) as screen, temporary_stack(NAME, screen) as stack:
        complaints = run(System(stack), screen, names)
    for complaint in complaints:
        console.print(f"✗ {complaint}", style="red", markup=False)
    return 1 if complaints else 0


def run(system: System, screen: Screen, names: list[str]) -> list[str]:
    """Runs the causes, and unless some are named, all the rest. Returns complaints."""
    chosen = {name: CAUSES[name] for name in names or CAUSES}
    findings = Findings(defined(system))
    if names:
        findings.defined = sorted({alarm for one in chosen.values() for alarm in one.alarms})
    else:
        mutants.put(system)
        with screen.stage("an hour of ordinary traffic with bursts") as stage:
            findings.false_alarms = ordinary_hour(system)
            stage.has_failed = bool(findings.false_alarms)
    at_rest = set() if names else mutants.ever_in_alarm(system)
    for name, cause in chosen.items():
        with screen.stage(name.replace("_", " ") + (", as a metric" if cause.is_put else "")):
            drive(system, cause, findings)
    complaints = findings.complaints
    if not names:
        # Silent under its cause, or a false alarm before any.
        seen = at_rest | (mutants.MUTANTS.keys() - mutants.ever_in_alarm(system))
        complaints += [f"mutant {one}: not seen" for one in mutants.MUTANTS if one not in seen]
        write(findings, sorted(seen))
    return complaints


def write(findings: Findings, seen: list[str]) -> None:
    """Writes the alarms' part of the report, and leaves the other parts."""
    PATH.parent.mkdir(exist_ok=True)
    content = json.loads(PATH.read_text()) if PATH.exists() else {}
    content["alarms"] = findings.as_dict() | {"mutants_seen": seen}
    PATH.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
