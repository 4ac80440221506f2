"""`async-ingest capacity`: what a system will carry, what it will cost, what to change first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from async_ingest.capacity import aws, calibration, cost, report, settings
from async_ingest.capacity.advice import Advice, Adviser, Outcome, in_terraform, in_words
from async_ingest.capacity.calibration import Calibration
from async_ingest.capacity.load import Load, Span
from async_ingest.capacity.settings import Settings
from async_ingest.commands import options
from async_ingest.commands.options import Screen, safe, table

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_SHARE = click.FloatRange(0, 1)


class SpanType(click.ParamType[Any]):
    """START:SECONDS, or START:SECONDS:RATE."""

    def __init__(self, parts: int) -> None:
        self.name = ":".join(("start", "seconds", "rate")[:parts])
        self._parts = parts

    def convert(self, value: Any, param: Any, ctx: Any) -> Span:
        try:
            numbers = [float(one) for one in str(value).split(":")]
        except ValueError:
            numbers = []
        if len(numbers) != self._parts or min(numbers) < 0:
            self.fail(f"{value} is not {self.name.upper()}, such as 60:30:2000", param, ctx)
        return Span(*numbers)


@click.command()
@click.option("--rate", type=click.FloatRange(0.01), required=True, help="Requests a second.")
@click.option("--for", "duration", type=options.Duration(), default="10m", show_default=True)
@click.option("--ramp", type=options.Duration(), default="0", help="In which the rate rises to it.")
@click.option(
    "--burst", "bursts", type=SpanType(3), multiple=True, help="Another rate for a while; repeat."
)
@click.option(
    "--throttled", type=SpanType(2), multiple=True, help="When the table refuses writes; repeat."
)
@click.option("--orders-per-request", type=click.IntRange(1), default=1, show_default=True)
@click.option("--order-bytes", type=click.IntRange(1), default=500, show_default=True)
@click.option("--known", type=_SHARE, default=0.0, help="Share of orders whose key is stored.")
@click.option("--superseded", type=_SHARE, default=0.0, help="Share overtaken by newer orders.")
@click.option("--permanent-failures", type=_SHARE, default=0.0, help="Share of bad messages.")
@click.option("--hot", type=_SHARE, default=0.0, help="Share of orders with one partition key.")
@click.option("--plan", type=_FILE, help="Take the inputs from `terraform show -json PLAN`.")
@click.option(
    "--set",
    "values",
    type=options.Setting(),
    multiple=True,
    help="An input of the module, or account_concurrency_quota, table_write_quota, "
    "table_peak_write_units, endpoint_zones, load_balancers, nat_gateways; repeat.",
)
@click.option("--calibration", "calibrated", type=_FILE, help="JSON with measured service times.")
@click.option("--prices", "prices_file", type=_FILE, help="JSON with the prices of your region.")
@click.option("--target", type=options.Duration(), default="60s", help="For the freshness's p95.")
@click.option(
    "--advice/--no-advice", "has_advice", default=True, help="Simulate other settings too."
)
@options.output
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def capacity(
    *,
    duration: float,
    ramp: float,
    plan: Path | None,
    values: Sequence[tuple[str, str]],
    calibrated: Path | None,
    prices_file: Path | None,
    target: float,
    has_advice: bool,
    output: Path | None,
    as_json: bool,
    **mix: Any,
) -> None:
    """Simulate a load: concurrency, backlog, latency, cost, and the one setting to change next.

    Nothing is called: it needs no credentials. What AWS does not publish is assumed, and named.
    """
    load = Load(seconds=duration, ramp_seconds=ramp, **mix)
    chosen = (settings.from_plan(plan) if plan else Settings()).with_values(dict(values))
    known = calibration.read(calibrated) if calibrated else Calibration()
    prices = cost.read_prices(prices_file)
    adviser = Adviser(load, known, prices, target)
    outcome = adviser.outcome(chosen)
    change = adviser.next_change(chosen, outcome) if has_advice else None
    breaking = adviser.breaking_point(chosen) if has_advice else None
    assumptions = [*aws.ASSUMPTIONS, *cost.ASSUMPTIONS, *known.described()]
    priced = f"Prices: {prices.region}, {prices.date}. {prices.source}"
    document = {
        **outcome.result.as_json(),
        "monthly_usd": {**outcome.cost, "total": outcome.total},
        "advice": change and change.as_json(),
        "breaks_first": breaking and {"requests_per_second": breaking[0], "what": breaking[1]},
        "assumptions": [*assumptions, priced],
    }
    screen = Screen(is_json=as_json)
    if output:
        page = report.render(load, outcome, change, breaking, document["assumptions"])
        screen.write(output, document, page)
    text = "\n".join(f"- {one}" for one in assumptions)
    screen.result(
        document,
        _shown(load, outcome, change, breaking, has_advice=has_advice),
        f"\n[dim]{safe(priced)}\nAssumed, as AWS does not publish it:\n{safe(text)}[/]",
    )


def _shown(
    load: Load,
    outcome: Outcome,
    change: Advice | None,
    breaking: tuple[float, str] | None,
    *,
    has_advice: bool,
) -> Table:
    result = outcome.result
    drained = result.drain_seconds
    rows = {
        "Load": f"{load.rate:,g} requests/s for {in_words(load.seconds)}, "
        f"{load.orders_per_request} orders of {load.order_bytes} bytes each",
        "Requests": _counts(result.requests),
        "Orders": _counts(result.orders),
        "POST": _percentiles(result.post),
        "Freshness": _percentiles(result.freshness),
        "Concurrency": f"ingest {result.ingest_concurrency:,.0f}, "
        f"process {result.process_concurrency:,.0f} at the peak, "
        f"{result.cold_starts:,.0f} cold starts",
        "Backlog": f"{result.peak_backlog:,.0f} messages at the peak, "
        + ("not drained" if drained is None else f"drained {in_words(drained)} later"),
        "Table": f"{result.throttled:,.0f} orders throttled, "
        f"{result.redelivered:,.0f} deliveries repeated, {result.partitions} partitions",
        "USD a month": f"[bold]{outcome.total:,.2f}[/]: "
        + ", ".join(f"{name} {usd:,.2f}" for name, usd in outcome.cost.items() if usd >= 0.005),
    }
    if breaking:
        rate, what = breaking
        rows["Breaks first"] = f"{what} at {rate:,.0f} requests/s" if what else "nothing"
    if change:
        values = ", ".join(in_terraform(change.values))
        rows["Change next"] = f"[bold]{values}[/]: {change.after.described()}"
    elif has_advice:
        rows["Change next"] = "nothing: no single setting is worth it"
    grid = table("", "")
    for name, value in rows.items():
        grid.add_row(Text(name, style="bold"), value)
    return grid


def _counts(counts: Any) -> str:
    return ", ".join(
        f"{count:,.0f} {name.replace('_', ' ')}" for name, count in counts.items() if count >= 0.5
    )


def _percentiles(percentiles: Any) -> str:
    return ", ".join(f"{name} {in_words(value)}" for name, value in percentiles.items())
