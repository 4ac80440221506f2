"""Sends the corpus to a new stack: `make hostile`.

`python -m tests.hostile` applies examples/minimal to a new emulator, with IAM enforced and TLS on,
sends every request, and writes build/hostile.json. It ends with 1 if there is any finding.
"""

import json
import sys
from pathlib import Path

from rich.table import Table

from local.emulator import ROOT
from local.screen import Screen, Stage, console_for_tables
from tests.hostile import run
from tests.hostile.corpus import categories
from tests.support.stack import temporary_stack

RESULT = Path("build") / "hostile.json"


def main() -> int:
    console = console_for_tables()
    with (
        Screen(console) as screen,
        temporary_stack("hostile", screen) as stack,
        screen.stage("send hostile requests") as stage,
    ):
        report = run.run(stack, _follow(stage))
        stage.has_failed = bool(report.findings)
    (ROOT / RESULT).parent.mkdir(exist_ok=True)
    (ROOT / RESULT).write_text(json.dumps(report.content(), indent=1) + "\n")
    console.print(_table(report))
    for finding in report.findings:
        line = f"✗ {finding.kind}: {finding.category}, {finding.request}: {finding.detail}"
        console.print(line, style="red", markup=False, soft_wrap=True)
    console.print(f"{report.stored} orders were accepted and stored as they were sent: {RESULT}")
    return int(bool(report.findings))


def _follow(stage: Stage) -> run.Step:
    total = sum(map(len, categories()))

    def follow(report: run.Report) -> None:
        stage.note = f"{report.requests.total()} of {total}, findings: {len(report.findings)}"

    return follow


def _table(report: run.Report) -> Table:
    table = Table("", "requests", *[kind.replace("_", " ") for kind in run.KINDS])
    for category, requests in (*report.requests.items(), (None, report.requests.total())):
        counts = [report.count(kind, category) for kind in run.KINDS]
        figures = [f"[red]{count}[/]" if count else "0" for count in counts]
        table.add_row(category or "all", str(requests), *figures)
    return table


if __name__ == "__main__":
    sys.exit(main())
