"""Raises alarms, kills redrives and breaks systems, on a new stack: `make operate`.

python -m tests.operate [PART ...]    only these parts: alarms, kills, doctor
"""

import random
import sys
from collections.abc import Callable

from local import limits
from local.screen import Screen, console_for_tables
from local.stack import Stack
from tests.operate import alarms, doctor, report
from tests.operate.kills import Killer
from tests.support.stack import temporary_stack

KILLS = 50


def kills(stack: Stack, screen: Screen) -> list[str]:
    seed = random.randrange(10**6)
    with screen.stage(f"kill {KILLS} redrives (seed {seed})"):
        result = Killer(stack, seed).run(KILLS, screen)
    report.write("kills", result.figures | {"seed": seed})
    return [] if result.is_good else [f"kills, seed {seed}: {result}"]


def broken_systems(stack: Stack, screen: Screen) -> list[str]:
    results = []
    for name in doctor.BREAKAGES:
        with screen.stage(f"doctor: {name.replace('_', ' ')}") as stage:
            result = doctor.examine(stack, name)
            stage.note, stage.has_failed = result.named or "not named", not result.is_named
            results.append(result)
    report.write("doctor", doctor.figures(results))
    return [f"doctor: {one.name}: {one.said}" for one in results if not one.is_named]


# Each writes its figures to the report, and returns what is wrong.
PARTS: dict[str, Callable[[Stack, Screen], list[str]]] = {
    "alarms": alarms.run,
    "kills": kills,
    "doctor": broken_systems,
}


def main(names: list[str]) -> int:
    limits.require()
    if unknown := set(names) - PARTS.keys():
        print(f"Unknown: {', '.join(unknown)}. Known are: {', '.join(PARTS)}")
        return 2
    console = console_for_tables()
    problems = []
    with (
        Screen(console) as screen,
        temporary_stack("operate", screen, function_limits=True) as stack,
    ):
        for name in names or PARTS:
            problems += PARTS[name](stack, screen)
    for problem in problems:
        console.print(f"✗ {problem}", style="red", markup=False)
    console.print(report.PATH.read_text(), markup=False)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
