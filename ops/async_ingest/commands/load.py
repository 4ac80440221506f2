"""`async-ingest load`: how a system takes a load, with every order accounted for."""

from __future__ import annotations

import functools
import random
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from async_ingest import http_client
from async_ingest.commands import options
from async_ingest.commands.options import Duration, Screen, progress, safe
from async_ingest.errors import FOUND
from async_ingest.load import execution, latency, limits, processes, report, schedule
from async_ingest.load.mix import Mix, generator
from async_ingest.load.schedule import Schedule, Segment
from async_ingest.load.sender import Share
from async_ingest.signing import Headers
from async_ingest.system import System

RATE, SECONDS = 10.0, 60.0
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def scheduling(function: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command the options of a schedule, and passes it `segments`."""

    @functools.wraps(function)
    def command(  # noqa: PLR0917 - click passes them by name
        rate: float | None,
        seconds: float | None,
        ramp_to: float | None,
        burst: float | None,
        burst_every: float,
        burst_for: float,
        recorded: Path | None,
        scale: float,
        **rest: Any,
    ) -> Any:
        if recorded and any(one is not None for one in (rate, seconds, ramp_to, burst)):
            raise click.UsageError("--recorded has its own rates and its own time.")
        if ramp_to is not None and burst is not None:
            raise click.UsageError("--ramp-to and --burst exclude each other.")
        if not 0 < burst_for < burst_every:
            raise click.UsageError("--burst-for must be shorter than --burst-every.")
        rate, seconds = rate or RATE, seconds or SECONDS
        if recorded:
            segments = schedule.recorded(recorded, scale)
        elif ramp_to is not None:
            segments = schedule.ramp(rate, ramp_to, seconds)
        elif burst is not None:
            segments = schedule.bursts(
                rate, seconds, factor=burst, every=burst_every, length=burst_for
            )
        else:
            segments = schedule.constant(rate, seconds)
        return function(segments=segments, **rest)

    return options.decorated(
        command,
        [
            click.option(
                "--rate", type=click.FloatRange(0.01), help=f"Requests a second; default {RATE:g}."
            ),
            click.option("--for", "seconds", type=Duration(), help="Such as 5m; default 60s."),
            click.option("--ramp-to", type=click.FloatRange(0), help="The rate moves to this one."),
            click.option("--burst", type=click.FloatRange(1), help="Bursts of so many times that."),
            click.option("--burst-every", type=Duration(), default="60s", show_default=True),
            click.option("--burst-for", type=Duration(), default="5s", show_default=True),
            click.option(
                "--recorded",
                type=FILE,
                help="Instead of a rate: a CSV file with the columns time and requests.",
            ),
            click.option(
                "--scale", type=click.FloatRange(0.0001), default=1.0, help="Of what is recorded."
            ),
        ],
    )


@click.command()
@options.for_target
@options.posting
@options.yes
@scheduling
@click.option("--poisson", is_flag=True, help="Random arrivals of that rate, not even ones.")
@click.option("--mix", "mix_path", type=FILE, help="Keys, arrays, sizes, tenants: TOML or JSON.")
@click.option("--seed", type=int, help="The same seed sends the same; by default random.")
@click.option("--processes", "count", type=click.IntRange(1, 64), help="By default as needed.")
@click.option(
    "--connections",
    type=click.IntRange(1, 1024),
    default=64,
    show_default=True,
    help="Of each process: how many requests it has in flight at most.",
)
@click.option(
    "--patience",
    type=Duration(),
    default="10s",
    show_default=True,
    help="A request that cannot be sent for so long is dropped.",
)
@click.option(
    "--wait",
    type=Duration(),
    default="5m",
    show_default=True,
    help="For an empty queue, and then for orders that are missing.",
)
@click.option("--check/--no-check", default=True, help="Look up what became of each order.")
@options.output
@click.option(
    "--ceiling",
    type=(click.FloatRange(0), click.IntRange(0)),
    metavar="RATE ORDERS",
    default=limits.CEILING,
    show_default=True,
    help="For a target that is not local: most requests a second, and most orders.",
)
def load(
    screen: Screen,
    find: Callable[[], System],
    *,
    url: str | None,
    headers: Headers,
    yes: bool,
    segments: Sequence[Segment],
    poisson: bool,
    mix_path: Path | None,
    seed: int | None,
    count: int | None,
    connections: int,
    patience: float,
    wait: float,
    check: bool,
    output: Path | None,
    ceiling: tuple[float, int],
) -> int:
    """Send orders on a schedule, and account for each of them.

    Requests are sent when they are due, whether or not earlier ones are answered, and latencies
    count from then. In the end each accepted order must be in the table, or superseded there by a
    newer one of its key, or in the dead-letter queue. The orders stay where they are.

    To a target that is not on this machine, it only says what it would send until --yes is given,
    and sends nothing above --ceiling. With --url and --no-check, AWS is not asked for anything.
    """
    latency.require()
    seed = random.randrange(10**6) if seed is None else seed  # noqa: S311 - no secret
    system = find() if check or not url else None
    target = http_client.url_of(system, url) if system else str(url)
    timetable = Schedule(segments, poisson, seed)
    mix = Mix.read(mix_path) if mix_path else Mix()
    maker = generator(mix, uuid.uuid4().hex[:8], seed, system if check else None, time.time())
    plan = limits.Plan.of(timetable, maker)
    # Neither what is posted to, nor the AWS whose table is read: a tunnel may lead there.
    places = [target, *([system.sqs.meta.endpoint_url] if system else [])]
    if not all(map(limits.is_local, places)):
        plan.check(ceiling)
        if not yes:
            screen.result(
                {"would_be_sent": vars(plan), "url": target},
                f"{plan} would be sent to {safe(target)}, and stay where they end.",
                "Nothing was sent. Do it with --yes.",
            )
            return 0
    number = count or processes.enough(plan.peak)
    share = Share(timetable, maker, target, headers, connections, patience, processes=number)
    settings = {
        "run": maker.run,
        "url": target,
        "schedule": [vars(segment) for segment in segments],
        "arrivals": "poisson" if poisson else "even",
        "mix": mix.as_json(),
        "seed": seed,
        "processes": number,
        "connections": connections,
        "patience_seconds": patience,
    }
    screen.note(f"Sending {plan}, by processes: {number}")
    with progress(screen, plan.requests) as advance:
        run = execution.execute(
            share,
            system if check else None,
            settings,
            wait=wait,
            on_results=advance,
            on_stage=screen.note,
        )
    document = run.document()
    if output:
        title = f"Load on {system.name if system else target}"
        screen.write(output, document, report.render(run, title))
    screen.result(document, safe(run.summary()), *(f"  [red]✗[/] {one}" for one in run.problems))
    return FOUND if run.problems else 0
