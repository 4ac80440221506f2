"""`async-ingest doctor`: which hop fails, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from async_ingest import doctor as doctors
from async_ingest.commands import options
from async_ingest.commands.options import Screen, safe
from async_ingest.doctor.findings import Finding, State, first_failed
from async_ingest.doctor.probe import Probe
from async_ingest.errors import FOUND
from async_ingest.signing import Headers
from async_ingest.system import System

SIGNS = {
    State.OK: "[green]✓[/]",
    State.FAILED: "[red]✗[/]",
    State.WARNING: "[yellow]![/]",
    State.UNKNOWN: "[yellow]?[/]",
}


@click.command()
@options.for_system
@click.option("--send/--no-send", default=True, help="Whether to send a marked order.")
@options.posting
@click.option(
    "--attribute",
    "attributes",
    type=options.Setting(),
    multiple=True,
    help="Of the marked order, if your hooks demand it, as JSON or text; repeatable.",
)
def doctor(
    screen: Screen,
    system: System,
    *,
    send: bool,
    url: str | None,
    headers: Headers,
    attributes: Sequence[tuple[str, Any]],
) -> int:
    """Find out why orders do not arrive.

    Compares the settings as deployed, invokes both functions with events that change nothing, and,
    if all agree, sends a marked order and follows it to its row, which it then deletes.

    That needs no --yes, because it writes and deletes nothing but this order. --no-send avoids it.
    """

    def probe() -> Probe:
        return Probe(system, url, headers, dict(attributes))

    def show(finding: Finding) -> None:
        if not screen.is_json:
            screen.results.print(f"{SIGNS[finding.state]} {finding.hop}: {safe(finding.what)}")

    findings = doctors.examine(system, probe if send else None, show)
    first = first_failed(findings)
    document = {
        "first_failed": first.as_json() if first else None,
        "findings": [finding.as_json() for finding in findings],
    }
    lines = []
    if first:
        lines = [
            f"\nFirst to fail: [bold]{first.hop}[/]: {safe(first.what)}",
            f"Do: {safe(first.do)}",
        ]
    else:
        notable = [one for one in findings if one.do]
        lines = ["\nEverything that could be checked works."]
        lines += [f"{SIGNS[one.state]} {one.hop}: {safe(one.do)}" for one in notable]
    screen.result(document, *lines)
    return FOUND if first else 0
