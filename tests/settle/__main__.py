"""Checks that every order settles at AWS's latencies and limits: ``make settle``.

python -m tests.settle [NAME ...]    only these scenarios and mutants
"""

import sys

from local import limits
from local.screen import Screen, console_for_tables
from tests.settle import report
from tests.settle.mutants import MUTANTS, mutated
from tests.settle.run import Result, run
from tests.settle.scenarios import SCENARIOS


def main(names: list[str]) -> int:
    limits.require()
    if unknown := set(names) - SCENARIOS.keys() - MUTANTS.keys():
        print(f"There is no {', '.join(unknown)}, but:", *SCENARIOS, *MUTANTS, sep="\n  ")
        return 2
    chosen = names or [*SCENARIOS, *MUTANTS]
    console = console_for_tables()
    with Screen(console) as screen:
        results = [_scenario(screen, name) for name in SCENARIOS if name in chosen]
        mutants = [_mutant(screen, name) for name in MUTANTS if name in chosen]
    console.print(report.table(results))
    complaints = [f"{result.name}: {result.failure}" for result in results if result.failure]
    complaints += [f"{mutant.name}: not seen" for mutant in mutants if not mutant.failure]
    for complaint in complaints:
        console.print(f"✗ {complaint}", style="red", markup=False)
    if not names:
        report.write(results, mutants)
    return 1 if complaints else 0


def _scenario(screen: Screen, name: str) -> Result:
    with screen.stage(name.replace("_", " ")) as stage:
        result = run(name, SCENARIOS[name])
        stage.note = result.failure or report.note(result)
        stage.has_failed = bool(result.failure)
    return result


def _mutant(screen: Screen, name: str) -> Result:
    """Runs the scenario with the mistake in the handler, which must make it fail."""
    mutant = MUTANTS[name]
    title = f"mutant {name}: {mutant.scenario}".replace("_", " ")
    with screen.stage(title) as stage, mutated(mutant) as sources:
        result = run(name, SCENARIOS[mutant.scenario], sources, until_red=True)
        stage.has_failed = not result.failure
        stage.note = f"seen: {result.failure}" if result.failure else "NOT SEEN"
    return result


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
