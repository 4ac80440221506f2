"""A simulation as a report in HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from async_ingest.capacity.advice import Advice, Outcome, in_terraform, in_words
from async_ingest.capacity.load import Load
from async_ingest.charts import SECONDS, Axis, Series, line_chart
from async_ingest.html_report import Report

# Title, unit, and the series in it with their names for people.
PLOTS: Sequence[tuple[str, str, Mapping[str, str]]] = (
    ("Requests", "a second", {"arrived_per_second": "arrived", "refused_per_second": "refused"}),
    ("Backlog", "messages", {"backlog": "in the queue"}),
    (
        "Concurrency",
        "executions",
        {"ingest_concurrency": "ingest", "process_concurrency": "process"},
    ),
    (
        "Table",
        "write units a second",
        {"write_units_per_second": "used", "table_capacity": "available"},
    ),
)


def render(
    load: Load,
    outcome: Outcome,
    change: Advice | None,
    breaking: tuple[float, str] | None,
    assumptions: Sequence[str],
) -> str:
    """Returns the document.

    Args:
        load: That was simulated.
        outcome: With the settings as they are.
        change: The one to make next, if there is one.
        breaking: The rate at which these settings break, and what breaks.
        assumptions: What AWS does not publish.
    """
    result = outcome.result
    drained = result.drain_seconds
    report = Report(
        f"Capacity at {load.rate:,g} requests a second",
        lead=f"For {in_words(load.seconds)}, {load.orders_per_request} orders of "
        f"{load.order_bytes} bytes each: {outcome.described()}.",
        facts=[
            ("freshness p95", in_words(result.freshness["p95"])),
            ("POST p95", in_words(result.post["p95"])),
            ("peak backlog", f"{result.peak_backlog:,.0f} messages"),
            ("drained", "no" if drained is None else f"{in_words(drained)} after the load"),
            ("process at most", f"{result.process_concurrency:,.0f} executions"),
            ("a month", f"{outcome.total:,.2f} USD"),
        ],
        footer="async-ingest capacity: simulated, not measured.",
    )
    section = report.section("What to change next")
    if change:
        values = ", ".join(in_terraform(change.values))
        section.text(f"{values}: {change.after.described()}.")
    else:
        section.text("No single setting is worth it.")
    if breaking and breaking[1]:
        section.text(f"Breaks first: {breaking[1]}, at {breaking[0]:,.0f} requests a second.")
    section = report.section("Over time")
    for title, unit, names in PLOTS:
        lines = [
            Series(
                name,
                list(zip(result.series["seconds"], result.series[key], strict=True)),
                is_area=len(names) == 1,
                is_dashed=key == "table_capacity",
            )
            for key, name in names.items()
        ]
        section.plot(line_chart(title, SECONDS, Axis(f"{title.lower()}: {unit}"), lines))
    section = report.section("What became of it")
    section.table(
        ["", "number"],
        [
            (f"{kind}: {name.replace('_', ' ')}", f"{count:,.0f}")
            for kind, counts in (("requests", result.requests), ("orders", result.orders))
            for name, count in counts.items()
        ],
    )
    section.table(
        ["seconds", *result.post],
        [
            (name, *(f"{value:,.3f}" for value in percentiles.values()))
            for name, percentiles in (("POST", result.post), ("freshness", result.freshness))
        ],
    )
    section = report.section("Cost")
    section.table(
        ["component", "USD a month"],
        [(name, f"{usd:,.2f}") for name, usd in {**outcome.cost, "total": outcome.total}.items()],
    )
    section = report.section("Assumed, as AWS does not publish it")
    for assumption in assumptions:
        section.text(assumption)
    return report.render()
