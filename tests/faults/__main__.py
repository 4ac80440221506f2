"""Runs every scenario, then every mutant, on a new stack: `make faults`.

python -m tests.faults [NAME ...]    only these scenarios and mutants
"""

import sys

from local import limits
from local.screen import Screen, console_for_tables
from tests.faults import report
from tests.faults.mutants import MUTANTS
from tests.faults.scenarios import SCENARIOS
from tests.faults.suite import Result, Timeline, run
from tests.faults.system import System, under_test
from tests.support.stack import temporary_stack

TARGETS = {"scenarios": 20, "faults_fired": 1_000, "acknowledged": 10_000}


def main(names: list[str]) -> int:
    limits.require()
    if unknown := set(names) - SCENARIOS.keys() - MUTANTS.keys():
        print(f"Unknown: {', '.join(unknown)}. Known are:", *SCENARIOS, *MUTANTS, sep="\n  ")
        return 2
    chosen = names or [*SCENARIOS, *MUTANTS]
    console = console_for_tables()
    with (
        Screen(console) as screen,
        temporary_stack("faults", screen, keep_state=True, function_limits=True) as stack,
        under_test(stack) as system,
    ):
        with Timeline(system) as timeline:
            results = [_scenario(system, screen, name) for name in SCENARIOS if name in chosen]
            rows = system.row_count()
        mutants = [
            _mutant(system, screen, name, scenario)
            for name, mutant in MUTANTS.items()
            if name in chosen
            for scenario in mutant.scenarios
        ]
    figures = report.figures(results)
    console.print(report.table(results))
    problems = [f"{result.name}: {result.failure}" for result in results if result.failure]
    problems += [
        f"{mutant.name}: not detected: {mutant.failure}"
        for mutant in mutants
        if not mutant.is_rejected_by_checker
    ]
    if strange := rows - sum(result.counts["rows"] for result in results):
        problems.append(f"{strange} rows in the table belong to no scenario")
    if not names:
        report.write(figures, results, mutants, timeline.samples)
        problems += [
            f"{name}: {figures[name]}, fewer than the target of {least}"
            for name, least in TARGETS.items()
            if figures[name] < least
        ]
    for problem in problems:
        console.print(f"✗ {problem}", style="red", markup=False)
    console.print(report.summary(figures, mutants))
    return 1 if problems else 0


def _scenario(system: System, screen: Screen, name: str) -> Result:
    with screen.stage(name.replace("_", " ")) as stage:
        result = run(system, name)
        stage.note = result.failure or report.note(result)
        stage.has_failed = bool(result.failure)
    return result


def _mutant(system: System, screen: Screen, name: str, scenario: str) -> Result:
    """Runs a scenario against a mutant, which must turn it red."""
    with screen.stage(f"mutant {name}: {scenario}".replace("_", " ")) as stage:
        system.deploy(*MUTANTS[name].mutations)
        result = run(system, scenario, title=f"{name}: {scenario}")
        system.deploy()
        stage.has_failed = not result.is_rejected_by_checker
        stage.note = f"{'NOT DETECTED' if stage.has_failed else 'detected'}: {result.failure}"
    return result


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
