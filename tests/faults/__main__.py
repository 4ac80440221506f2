"""The suite on a stack of its own: every scenario, then every mutant. ``make faults``.

python -m tests.faults [NAME ...]    only these scenarios and mutants
"""

import sys

from local.screen import Screen, console_for_tables
from tests.e2e.stack import stack_of_its_own
from tests.faults import report
from tests.faults.mutants import MUTANTS
from tests.faults.scenarios import SCENARIOS
from tests.faults.suite import Result, Timeline, run
from tests.faults.system import System, sabotaged

REACH = {"scenarios": 20, "faults_fired": 1_000, "acknowledged": 10_000}


def main(names: list[str]) -> int:
    if unknown := set(names) - SCENARIOS.keys() - MUTANTS.keys():
        print(f"There is no {', '.join(unknown)}, but:", *SCENARIOS, *MUTANTS, sep="\n  ")
        return 2
    chosen = names or [*SCENARIOS, *MUTANTS]
    console = console_for_tables()
    with (
        Screen(console) as screen,
        stack_of_its_own("faults", screen, keep_state=True, function_limits=True) as stack,
        sabotaged(stack) as system,
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
    complaints = [f"{result.name}: {result.failure}" for result in results if result.failure]
    complaints += [
        f"{mutant.name}: nobody has seen it, {mutant.failure}"
        for mutant in mutants
        if not mutant.is_accused_by_the_books
    ]
    if strange := rows - sum(result.counts["rows"] for result in results):
        complaints.append(f"{strange} rows in the table are of no scenario")
    if not names:
        report.write(figures, results, mutants, timeline.samples)
        complaints += [
            f"{name}: {figures[name]} instead of {least}"
            for name, least in REACH.items()
            if figures[name] < least
        ]
    for complaint in complaints:
        console.print(f"✗ {complaint}", style="red", markup=False)
    console.print(report.summary(figures, mutants))
    return 1 if complaints else 0


def _scenario(system: System, screen: Screen, name: str) -> Result:
    with screen.stage(name.replace("_", " ")) as stage:
        result = run(system, name)
        stage.note = result.failure or report.note(result)
        stage.has_failed = bool(result.failure)
    return result


def _mutant(system: System, screen: Screen, name: str, scenario: str) -> Result:
    """The scenario with the mistake in the handler: it is as it should be if it turns red."""
    with screen.stage(f"mutant {name}: {scenario}".replace("_", " ")) as stage:
        system.deploy(*MUTANTS[name].mutations)
        result = run(system, scenario, title=f"{name}: {scenario}")
        system.deploy()
        stage.has_failed = not result.is_accused_by_the_books
        stage.note = f"{'NOT SEEN' if stage.has_failed else 'seen'}: {result.failure}"
    return result


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
