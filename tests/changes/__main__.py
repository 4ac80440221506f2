"""Plans all changes, and applies and reverts them under traffic: `make changes`.

python -m tests.changes [--fresh] [--plan] [NAME ...]

It takes hours. Results are kept in build/changes.json and reused until the module, the handlers or
the emulator change, or --fresh is given.
"""

import argparse
import hashlib
import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from local.emulator import ROOT, Emulator
from local.screen import Screen, Stage, console_for_tables
from tests.changes import run
from tests.changes.recipes import RECIPES
from tests.changes.system import ChangingSystem
from tests.changes.table import Change, load

REPORT = ROOT / "build" / "changes.json"
SOURCES = ("*.tf", "modules/**/*.tf", "lambda_src/**/*.py", "local/**/*.py")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.changes", description=__doc__)
    parser.add_argument("--fresh", action="store_true", help="discard earlier results")
    parser.add_argument(
        "--plan", action="store_true", help="plan only; apply only what plans start from"
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these changes")
    options = parser.parse_args(arguments)
    table = load()
    if unknown := set(options.names) - table.keys() - RECIPES.keys():
        parser.error(f"there is no {', '.join(sorted(unknown))} in table.toml or recipes.py")
    # Grouped by base; last those after which the system has to be recreated.
    chosen = sorted(
        (table[name] for name in options.names or table if name in table),
        key=lambda change: (bool(change.one_way), bool(change.base), json.dumps(change.base)),
    )
    recipes = [name for name in options.names or RECIPES if name in RECIPES and not options.plan]
    report = _report()
    if options.fresh:
        for name in [*recipes, *(change.name for change in chosen)]:
            report["planned"].pop(name, None)
            report["applied"].pop(name, None)

    console = console_for_tables()
    with (
        Screen(console) as screen,
        TemporaryDirectory() as directory,
        Emulator(Path(directory) / "emulator", auth=True, tls=True) as emulator,
    ):
        system = ChangingSystem(emulator, Path(directory) / "work", "changing")
        for change in chosen:
            is_applied = change.is_applied and not options.plan
            if change.name not in report["planned"]:
                _plan(system, change, report, screen)
            if is_applied and change.name not in report["applied"]:
                _apply(system, change, report, screen)
            if change.one_way:
                system.renew()
        for name in recipes:
            if name not in report["applied"]:
                with screen.stage(f"recipe {name}") as stage:
                    _record(RECIPES[name](system), Change(name, {}), report, stage)
    problems = [f"{n}: {p['fault']}" for n, p in report["planned"].items() if p["fault"]]
    problems += [
        f"{n}: {'; '.join(a['faults'])}" for n, a in report["applied"].items() if a["faults"]
    ]
    for problem in problems:
        console.print(f"✗ {problem}", style="red", markup=False)
    console.print(f"{len(report['planned'])} planned, {len(report['applied'])} applied.")
    return 1 if problems else 0


def _plan(system: ChangingSystem, change: Change, report: dict[str, Any], screen: Screen) -> None:
    with screen.stage(f"plan {change.name}") as stage:
        system.become(change.base)
        problem = run.plan_problem(system, change)
        stage.note, stage.has_failed = problem or change.kind, bool(problem)
    report["planned"][change.name] = {"kind": change.kind, "fault": problem}
    _write(report)


def _apply(system: ChangingSystem, change: Change, report: dict[str, Any], screen: Screen) -> None:
    with screen.stage(f"apply {change.name}" + ("" if change.one_way else ", and revert")) as stage:
        _record(run.apply(system, change), change, report, stage)


def _record(applied: run.Applied, change: Change, report: dict[str, Any], stage: Stage) -> None:
    problems = applied.problems(change)
    stage.note = "; ".join(problems) or f"{applied.accepted} orders, none lost"
    stage.has_failed = bool(problems)
    report["applied"][change.name] = {**applied.report(), "faults": problems}
    _write(report)


def _report() -> dict[str, Any]:
    """Returns the earlier results, if they are of the same sources."""
    paths = sorted({path for pattern in SOURCES for path in ROOT.glob(pattern)})
    source = hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()
    command = ["git", "rev-parse", "HEAD"]
    commit = subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.strip()
    if REPORT.exists():
        found: dict[str, Any] = json.loads(REPORT.read_text())
        if found.get("source") == source:
            return found
    return {"commit": commit, "source": source, "planned": {}, "applied": {}}


def _write(report: dict[str, Any]) -> None:
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
