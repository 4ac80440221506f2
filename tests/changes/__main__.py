"""All changes, planned and, where the table says so, applied under traffic: ``make changes``.

python -m tests.changes [--fresh] [NAME ...]

It takes hours. What has been found is kept in build/changes.json and not done again, unless --fresh
is given or the checkout is another.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from local.emulator import ROOT, Emulator
from local.screen import Screen, console_for_tables
from tests.changes import run
from tests.changes.system import ChangingSystem
from tests.changes.table import load

REPORT = ROOT / "build" / "changes.json"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.changes", description=__doc__)
    parser.add_argument("--fresh", action="store_true", help="do everything again")
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these changes")
    options = parser.parse_args(arguments)
    table = load()
    if unknown := set(options.names) - table.keys():
        parser.error(f"there is no {', '.join(sorted(unknown))} in table.toml")
    chosen = [table[name] for name in options.names or table]
    report = _report(is_fresh=options.fresh)

    console = console_for_tables()
    with (
        Screen(console) as screen,
        TemporaryDirectory() as directory,
        Emulator(Path(directory) / "emulator", auth=True, tls=True) as emulator,
    ):
        system = ChangingSystem(emulator, Path(directory) / "work", "changing")
        with screen.stage("apply the system that is changed"):
            system.terraform.apply()
        for change in chosen:
            if change.name not in report["planned"]:
                with screen.stage(f"plan {change.name}") as stage:
                    fault = run.plan_fault(system, change) if not change.base else ""
                    if change.base:
                        system.configure(change.base)
                        system.terraform.apply()
                        fault = run.plan_fault(system, change)
                        system.configure({})
                        system.terraform.apply()
                    stage.note, stage.has_failed = fault or change.kind, bool(fault)
                report["planned"][change.name] = {"kind": change.kind, "fault": fault}
                _write(report)
            if change.is_applied and change.name not in report["applied"]:
                with screen.stage(f"apply {change.name}, and back") as stage:
                    applied = run.apply(system, change)
                    faults = applied.faults(change)
                    stage.note = "; ".join(faults) or f"{applied.accepted} orders, none lost"
                    stage.has_failed = bool(faults)
                report["applied"][change.name] = {**applied.report(), "faults": faults}
                _write(report)
    faults = [f"{n}: {p['fault']}" for n, p in report["planned"].items() if p["fault"]]
    faults += [
        f"{n}: {'; '.join(a['faults'])}" for n, a in report["applied"].items() if a["faults"]
    ]
    for fault in faults:
        console.print(f"✗ {fault}", style="red", markup=False)
    console.print(f"{len(report['planned'])} planned, {len(report['applied'])} applied.")
    return 1 if faults else 0


def _report(*, is_fresh: bool) -> dict[str, Any]:
    """What is known of this very checkout."""
    command = ["git", "rev-parse", "HEAD"]
    commit = subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.strip()
    if REPORT.exists() and not is_fresh:
        found: dict[str, Any] = json.loads(REPORT.read_text())
        if found["commit"] == commit:
            return found
    return {"commit": commit, "planned": {}, "applied": {}}


def _write(report: dict[str, Any]) -> None:
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
