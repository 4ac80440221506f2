"""`async-ingest status`: one screen."""

from __future__ import annotations

import time
from collections import Counter

import click
from rich.live import Live
from rich.table import Table
from rich.text import Text

from async_ingest.commands import options
from async_ingest.commands.options import Screen, iso, safe, table
from async_ingest.status import Observer, Status
from async_ingest.system import System


@click.command()
@options.for_system
@click.option("--watch", is_flag=True, help="Show it again and again, until Ctrl-C.")
@click.option("--every", type=options.Duration(), default="5s", show_default=True)
@click.option(
    "--minutes",
    type=click.IntRange(1, 1440),
    default=5,
    show_default=True,
    help="For which traffic is counted; metrics are a minute or two late.",
)
def status(screen: Screen, system: System, *, watch: bool, every: float, minutes: int) -> None:
    """See traffic, queue, dead letters, alarms and versions at a glance.

    With --watch and --json, each look is a JSON document on a line of its own.
    """
    observer = Observer(system, minutes)
    if not watch:
        found = observer.look()
        screen.result(found.as_json(), _shown(system, found))
        return
    if screen.is_json:
        while True:
            screen.line({"at": iso(time.time()), **observer.look().as_json()})
            time.sleep(every)
    with Live(
        console=screen.results, auto_refresh=False, screen=screen.results.is_terminal
    ) as live:
        while True:
            live.update(_shown(system, observer.look()), refresh=True)
            time.sleep(every)


def _shown(system: System, status: Status) -> Table:
    grid = table("", "")
    for name, value in (
        ("System", f"{system.name} in {system.aws.region}, {time.strftime('%H:%M:%S')}"),
        (f"Ingest, {status.minutes} min", _counts(status.ingest, status.minutes)),
        ("Queue", _queue(status)),
        (f"Process, {status.minutes} min", _counts(status.process, status.minutes)),
        ("Age, p95", "-" if status.age_ms is None else f"{status.age_ms:.0f} ms to the row"),
        ("Dead letters", str(status.dead_letters)),
        *(("", f"{count:>6}  {safe(reason)}") for reason, count in status.reasons.items()),
        ("Alarms", _alarms(status.alarms)),
        ("Versions", ", ".join(f"{name} {one}" for name, one in status.versions.items())),
        *(("Unknown", safe(text)) for text in status.unknown),
    ):
        grid.add_row(Text(name, style="bold"), value)
    return grid


def _counts(counts: dict[str, float | None], minutes: int) -> str:
    words = [
        f"{name} -" if value is None else f"{name} {value:.0f} ({value / minutes / 60:.1f}/s)"
        for name, value in counts.items()
    ]
    return ", ".join(words)


def _queue(status: Status) -> str:
    oldest = "" if status.oldest_seconds is None else f", oldest {status.oldest_seconds:.0f} s"
    mapping = "" if status.mapping == "Enabled" else f"; consumer [red]{status.mapping}[/]"
    return f"{status.visible} waiting, {status.in_flight} in flight{oldest}{mapping}"


def _alarms(alarms: dict[str, str]) -> str:
    if not alarms:
        return "none"
    counted = Counter(alarms.values())
    firing = [name for name, state in alarms.items() if state == "ALARM"]
    words = ", ".join(f"{count} {state}" for state, count in counted.items())
    return words + (f": [red]{', '.join(map(safe, firing))}[/]" if firing else "")
