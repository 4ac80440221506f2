"""The suite's report: Markdown, JSON, and a plot over time."""

import json
from itertools import pairwise
from pathlib import Path

from rich import box
from rich.table import Table

from local.emulator import ROOT
from tests.faults.suite import COUNTS, Result, Sample

BUILD = ROOT / "build"
COLUMNS = tuple(name for name in COUNTS if name != "rows")


def figures(results: list[Result]) -> dict[str, int]:
    totals = {name: sum(result.counts[name] for result in results) for name in COLUMNS}
    faults = totals.pop("faults")
    return {"scenarios": len(results), "faults_fired": faults, **totals}


def note(result: Result) -> str:
    counts = result.counts
    return f"{counts['faults']} faults, {counts['acknowledged']} acknowledged, all accounted for"


def summary(figures: dict[str, int], mutants: list[Result]) -> str:
    seen = sum(mutant.is_rejected_by_checker for mutant in mutants)
    return (
        f"{figures['scenarios']} scenarios, {figures['faults_fired']} faults, "
        f"{figures['acknowledged']} orders acknowledged: {figures['lost']} lost, "
        f"{figures['unexpected']} unexpected, {figures['stale']} stale, "
        f"{figures['given_up']} given up. "
        f"{seen} of {len(mutants)} runs with a mutant turned red."
    )


def table(results: list[Result]) -> Table:
    shown = Table("scenario", title="What became of every order", box=box.SIMPLE, pad_edge=False)
    shown.columns[0].no_wrap = True
    for column in COLUMNS:
        shown.add_column(column.replace("_", "\n"), justify="right")
    for result in results:
        style = "red" if result.failure else None
        shown.add_row(
            result.name.replace("_", " "), *(str(result.counts[c]) for c in COLUMNS), style=style
        )
    return shown


def write(
    figures: dict[str, int], results: list[Result], mutants: list[Result], samples: list[Sample]
) -> None:
    """Writes build/faults.json, faults.md and faults.png."""
    BUILD.mkdir(exist_ok=True)
    content = figures | {
        "mutant_runs": len(mutants),
        "mutant_runs_seen": sum(mutant.is_rejected_by_checker for mutant in mutants),
        "results": [
            {"name": r.name, "seconds": round(r.seconds, 1), "failure": r.failure, **r.counts}
            for r in results
        ],
        "mutants": [{"name": mutant.name, "failure": mutant.failure} for mutant in mutants],
    }
    (BUILD / "faults.json").write_text(json.dumps(content, indent=1) + "\n")
    (BUILD / "faults.md").write_text(_markdown(figures, results, mutants))
    _plot(BUILD / "faults.png", results, samples)


def _markdown(figures: dict[str, int], results: list[Result], mutants: list[Result]) -> str:
    lines = [
        "# Faults",
        "",
        summary(figures, mutants),
        "",
        "![queue depth, faults and rows over time](faults.png)",
        "",
        f"| scenario | {' | '.join(COLUMNS).replace('_', ' ')} | seconds | |",
        f"| --- |{' ---: |' * (len(COLUMNS) + 1)} --- |",
    ]
    for result in results:
        cells = " | ".join(str(result.counts[column]) for column in COLUMNS)
        name = result.name.replace("_", " ")
        lines.append(f"| {name} | {cells} | {result.seconds:.1f} | {result.failure or '✓'} |")
    lines += ["", "## Mutants", "", "| mutant | scenario | detected by |", "| --- | --- | --- |"]
    for mutant in mutants:
        name, _, scenario = mutant.name.replace("_", " ").partition(": ")
        seen = (
            mutant.failure
            if mutant.is_rejected_by_checker
            else f"**not detected** {mutant.failure}"
        )
        lines.append(f"| {name} | {scenario} | {seen} |")
    return "\n".join([*lines, ""])


def _plot(path: Path, results: list[Result], samples: list[Sample]) -> None:
    """Plots queue depth, faults per second and rows per second over time."""
    import matplotlib  # takes half a second that the tests need not spend

    matplotlib.use("agg")
    from matplotlib import pyplot

    start = results[0].began
    figure, plots = pyplot.subplots(3, sharex=True, figsize=(14, 7.5))
    depth, faults, rows = plots
    times = [sample.at - start for sample in samples]
    depth.plot(times, [sample.queued for sample in samples], linewidth=0.8)
    depth.set_ylabel("messages on the queue")
    fired = [at - start for result in results for at in result.faults]
    faults.hist(fired, bins=range(int(results[-1].ended - start) + 2), color="tab:red")
    faults.set_ylabel("faults per second")
    pace = [
        (after.rows - before.rows) / (after.at - before.at) for before, after in pairwise(samples)
    ]
    rows.fill_between(times[1:], pace, color="tab:green", step="pre")
    rows.set_ylabel("new rows per second")
    rows.set_xlabel("seconds")
    for plot in plots:
        plot.set_yscale("symlog")
        plot.set_ylim(bottom=0)
        plot.margins(x=0)
        for result in results[::2]:
            plot.axvspan(result.began - start, result.ended - start, color="0.93", zorder=0)
    for result in results:
        middle = (result.began + result.ended) / 2 - start
        name = result.name.replace("_", " ")
        place = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points"}
        depth.annotate(name, (middle, 1), (-3, 4), rotation=90, fontsize=5.5, **place)
    figure.subplots_adjust(top=0.76, left=0.05, right=0.99, bottom=0.06)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
