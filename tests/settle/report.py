"""Reports the outcomes of the scenarios, as a table and as JSON."""

import json
from dataclasses import asdict
from pathlib import Path

from rich import box
from rich.table import Table

from local.emulator import ROOT
from tests.settle.run import Result

PATH = ROOT / "build" / "settle.json"
COLUMNS = (
    *("good", "good_dead_lettered", "receive_count", "most_deliveries", "invocations", "timeouts"),
    *("least_seconds_left", "peak_rss_mb", "calls_per_order", "cpu_ms_per_order", "seconds"),
)


def table(results: list[Result]) -> Table:
    shown = Table("scenario", title="What came of every order", box=box.SIMPLE, pad_edge=False)
    shown.columns[0].no_wrap = True
    for column in COLUMNS:
        shown.add_column(column.replace("_", "\n"), justify="right")
    for result in results:
        style = "red" if result.failure else None
        cells = [str(getattr(result, column)) for column in COLUMNS]
        shown.add_row(result.name.replace("_", " "), *cells, style=style)
    return shown


def note(result: Result) -> str:
    """Returns the note on a scenario that passed."""
    return f"{result.good} orders, most deliveries {result.most_deliveries}"


def write(results: list[Result], mutants: list[Result], path: Path = PATH) -> None:
    path.parent.mkdir(exist_ok=True)
    content = {
        "scenarios": {r.name: {k: v for k, v in asdict(r).items() if k != "name"} for r in results},
        "mutants": {mutant.name: mutant.failure for mutant in mutants},
    }
    path.write_text(json.dumps(content, indent=1) + "\n")
