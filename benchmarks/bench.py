"""Compares the handlers with the tutorial's pair, and checks their targets.

`python -m benchmarks.bench` takes six minutes, writes build/bench.json and build/bench.svg, and
exits with 1 if a figure misses its target. Keep the machine idle meanwhile: the rounds are paired,
but pairing does not compensate for a compiler in the background. Given names of measurements, it
takes only these and writes nothing.
"""

import sys

from rich.console import Console
from rich.progress import Progress, TaskID, TimeElapsedColumn

from benchmarks import ROOT, measurements, options, report
from local import limits
from local.engines import MissingProgramError

ROUNDS = {
    "start": 12,
    "ingest": 20,
    "process": 10,
    "drained": 8,
    "queue_to_table": 10,
    "options_start": 12,
    "options": 20,
}
WIDTH = 120  # of the table
# How often a measurement goes through its rounds, if not once.
RUNS = {"start": 2, "process": 4, "drained": 4, "options_start": 2, "options": 4}


def main(names: list[str]) -> int:
    limits.require()
    console = Console(file=sys.stdout, width=WIDTH)  # works while the handlers' output is discarded
    figures = []
    # Without a refreshing thread, whose CPU time would count as the handlers'.
    columns = (*Progress.get_default_columns(), TimeElapsedColumn())
    with Progress(*columns, console=console, auto_refresh=False) as progress:
        for name in names or ROUNDS:
            rounds = ROUNDS[name]
            task = progress.add_task(name, total=(rounds + 1) * RUNS.get(name, 1))

            def step(task: TaskID = task) -> None:
                progress.advance(task)
                progress.refresh()

            try:
                module = options if name.startswith("options") else measurements
                figures += list(getattr(module, name)(rounds, step))
            except MissingProgramError as missing:
                console.print(f"✗ {missing}")
                return 1

    if not names:
        build = ROOT / "build"
        build.mkdir(exist_ok=True)
        report.write_json(build / "bench.json", figures)
        report.write_plot(build / "bench.svg", figures)
    for group in report.by_sides(figures):
        console.print(report.table(group))
    for figure in figures:
        if report.is_missed(figure):
            console.print(f"✗ {figure.key} is {figure.value:.3g}, not {report.target(figure)}.")
    return int(any(map(report.is_missed, figures)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
