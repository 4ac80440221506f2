"""Writes the tables of docs/capacity.md, of batches and of what the examples cost: `make docs`.

The simulator computes all their numbers.

python -m tests.ops.capacity.document [--check]
"""

import sys
from collections.abc import Callable, Iterable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

from async_ingest.capacity import aws, cost
from async_ingest.capacity.advice import (
    MAXIMUM_CONCURRENCY,
    Adviser,
    Outcome,
    in_terraform,
    in_words,
)
from async_ingest.capacity.calibration import Calibration
from async_ingest.capacity.load import Load, Span
from async_ingest.capacity.results import Result
from async_ingest.capacity.settings import Settings
from tests.ops.capacity.published import FIGURES
from tests.support import example_costs as examples
from tools.markup import table, with_part

ROOT = Path(__file__).parents[3]
RAMP_SECONDS = 300
BURST = 20
QUEUES_QUOTA = 10_000

# What each rate is worked with: where the advice leads, with room for half as much again.
WORKED: dict[int, dict[str, Any]] = {
    100: {},
    1000: {},
    10_000: {
        "process_batch_size": 100,
        "process_batching_window_seconds": 1,
        "process_maximum_concurrency": 20,
        "account_concurrency_quota": 4000,
        "table_peak_write_units": 10_000,
    },
    100_000: {
        "process_batch_size": 100,
        "process_batching_window_seconds": 1,
        "process_maximum_concurrency": 200,
        "account_concurrency_quota": 20_000,
        "table_peak_write_units": 100_000,
        "table_write_quota": 200_000,
    },
}


BATCHES = ((1, 0), (10, 0), (10, 1), (100, 1), (1000, 5))  # sizes, and windows in seconds
PER_BATCH = ("process", "queue", "table writes")  # components of the cost


def adviser(rate: float, bursts: Iterable[Span] = ()) -> Adviser:
    load = Load(rate, ramp_seconds=RAMP_SECONDS, bursts=tuple(bursts))
    return Adviser(load, Calibration(), cost.read_prices())


@cache
def worked(rate: int) -> Outcome:
    return adviser(rate).outcome(Settings().with_values(WORKED[rate]))


def steady(result: Result, name: str) -> float:
    """Returns a figure's highest value in the last minute of the load."""
    last = result.load_seconds - 60
    times = result.series["seconds"]
    return max(value for at, value in zip(times, result.series[name], strict=True) if at >= last)


def settings_table() -> str:
    def row(rate: int) -> list[str]:
        result = worked(rate).result
        chosen = said(WORKED[rate])
        return [
            f"{rate:,}",
            chosen or "the defaults",
            f"{steady(result, 'ingest_concurrency'):,.0f}",
            f"{steady(result, 'process_concurrency'):,.0f}",
            in_words(result.post["p50"]),
            in_words(result.post["p99"]),
            in_words(result.freshness["p95"]),
        ]

    head = [
        "requests/s", "settings", "ingest at once", "process at once", "POST p50", "POST p99",
        "freshness p95",
    ]  # fmt: skip
    return table(head, (row(rate) for rate in WORKED))


def cost_table() -> str:
    names = list(worked(100).cost)
    rows = [
        [name, *(f"{worked(rate).cost[name]:,.0f}" for rate in WORKED)]
        for name in names
        if any(worked(rate).cost[name] for rate in WORKED)
    ]
    rows.append(["**all**", *(f"**{worked(rate).total:,.0f}**" for rate in WORKED)])
    month = cost.HOURS * 3600 / 1e6
    each = [f"{worked(rate).total / rate / month:.2f}" for rate in WORKED]
    rows.append(["a million requests", *each])
    return table(["USD a month", *(f"{rate:,}/s" for rate in WORKED)], rows)


def breaks_table() -> str:
    def row(rate: int) -> list[str]:
        here, system = adviser(rate), Settings().with_values(WORKED[rate])
        most, what = here.breaking_point(system)
        broken = adviser(1.2 * most)
        now = broken.outcome(system)
        change = broken.next_change(system, now, against=what)
        cheaper = here.next_change(system, worked(rate))
        return [
            f"{rate:,}",
            f"{what} at {most:,.0f} requests/s",
            said(change.values) if change else "more than one setting",
            f"{said(cheaper.values)}: {cheaper.after.total - worked(rate).total:,.0f} USD a month"
            if cheaper
            else "nothing",
        ]

    head = ["requests/s", "breaks first", "what helps most against that", "what saves money now"]
    return table(head, (row(rate) for rate in WORKED))


def bursts_table() -> str:
    def row(rate: int) -> list[str]:
        burst = Span(RAMP_SECONDS, 60, BURST * rate)
        outcome = adviser(rate, [burst]).outcome(Settings().with_values(WORKED[rate]))
        result = outcome.result
        late = in_words(result.freshness["p95"])
        return [
            f"{rate:,} → {BURST * rate:,}",
            f"{result.requests['refused'] / sum(result.requests.values()):.1%}",
            f"{result.peak_backlog:,.0f}",
            late,
            outcome.breaks or "nothing",
        ]

    head = ["requests/s", "refused", "peak backlog", "freshness p95", "what is the limit"]
    return table(head, (row(rate) for rate in WORKED))


def systems_table() -> str:
    """The highest rate in one system, and divided between ten."""
    most = max(WORKED)

    def row(count: int) -> list[str]:
        rate = most // count
        outcome, chosen = worked(rate), Settings().with_values(WORKED[rate])
        result = outcome.result
        environments = steady(result, "ingest_concurrency") + steady(result, "process_concurrency")
        return [
            str(count),
            f"{rate:,}",
            f"{steady(result, 'write_units_per_second'):,.0f}",
            f"{chosen.table_write_quota:,}",
            f"{count * environments:,.0f}",
            f"{count * outcome.total:,.0f}",
        ]

    head = [
        "systems", "requests/s each", "write units/s a table", "quota a table",
        "environments of all", "USD a month of all",
    ]  # fmt: skip
    return table(head, (row(count) for count in (1, 10)))


def queues_table() -> str:
    """One queue, several, and one with provisioned pollers, in one account."""

    def row(
        load: str, rate: int, seconds: float, count: int, values: Mapping[str, Any]
    ) -> list[str]:
        quota = {"account_concurrency_quota": QUEUES_QUOTA // count}
        system = Settings(table_peak_write_units=2 * rate).with_values({**quota, **values})
        known = Calibration(process_seconds_per_order=seconds)
        each = Adviser(Load(rate / count, ramp_seconds=RAMP_SECONDS), known, cost.read_prices())
        outcome = each.outcome(system)
        result = outcome.result
        return [
            load,
            f"{count}{', provisioned' if system.process_provisioned_pollers else ''}",
            f"{count * steady(result, 'process_concurrency'):,.0f}",
            f"{count * result.peak_backlog:,.0f}",
            in_words(result.freshness["p95"]),
            f"{count * outcome.total:,.0f}",
        ]

    slow = ("10,000/s, 0.15 s an order", 10_000, 0.15)
    fast = ("1,000/s, the defaults", 1000, 0.0)
    most = {"process_maximum_concurrency": MAXIMUM_CONCURRENCY}
    pollers = {"process_provisioned_pollers": {"minimum": 2, "maximum": 200}}
    rows = [
        row(*slow, 1, most),
        row(*slow, 2, most),
        row(*slow, 1, pollers),
        row(*fast, 1, {}),
        row(*fast, 2, {}),
    ]
    head = [
        "load", "queues", "process at once, all", "peak backlog, all", "freshness p95",
        "USD a month of all",
    ]  # fmt: skip
    return table(head, rows)


def published_table() -> str:
    rows = [
        [
            figure.says,
            figure.source,
            _between(figure.lowest, figure.highest),
            _number(figure.simulated()),
            figure.difference or "none",
        ]
        for figure in FIGURES
    ]
    return table(["published", "by", "it states", "simulated", "difference explained"], rows)


def _between(lowest: float, highest: float) -> str:
    return _number(lowest) if lowest == highest else f"{_number(lowest)} … {_number(highest)}"


def _number(value: float) -> str:
    return f"{value:,.2f}" if 0 < value < 100 else f"{value:,.0f}"


def quotas_table() -> str:
    rows = [
        ("concurrent executions", aws.CONCURRENCY_QUOTA, "Lambda quotas"),
        (
            "requests a second, for each of them",
            aws.REQUESTS_PER_CONCURRENCY,
            "Understanding Lambda function scaling",
        ),
        ("growth of a function in 10 s", aws.ENVIRONMENTS_AT_ONCE, "Lambda scaling behavior"),
        (
            "concurrency of one event source mapping",
            aws.POLLERS_QUOTA,
            "Configuring scaling behavior for SQS event source mappings",
        ),
        ("messages in flight", aws.IN_FLIGHT_QUOTA, "Amazon SQS message quotas"),
        ("write units a second of a table", aws.TABLE_QUOTA, "Quotas in Amazon DynamoDB"),
        (
            "write units a second of a new table",
            aws.UNITS_OF_A_NEW_TABLE,
            "DynamoDB on-demand capacity mode",
        ),
        (
            "write units a second of a partition",
            aws.UNITS_PER_PARTITION,
            "Best practices for designing and using partition keys effectively in DynamoDB",
        ),
    ]
    head = ["limit", "default", "document"]
    return table(head, ([what, f"{limit:,}", source] for what, limit, source in rows))


def assumptions_list() -> str:
    lines = (*aws.ASSUMPTIONS, *cost.ASSUMPTIONS, *Calibration().described())
    return "".join(f"- {line}\n" for line in lines)


def said(values: Any) -> str:
    return ", ".join(f"`{one}`" for one in in_terraform(values))


def batches_table() -> str:
    """What a million orders costs on their way from the queue to the table."""
    rate = max(rate for rate, chosen in WORKED.items() if not chosen)
    millions = rate * cost.HOURS * 3600 / 1e6

    def row(size: int, window: int) -> list[str]:
        mapping = {"process_batch_size": size, "process_batching_window_seconds": window}
        outcome = adviser(rate).outcome(Settings().with_values(mapping))
        result, used = outcome.result, outcome.result.usage
        return [
            f"{size:,}",
            f"{window} s",
            f"{used.messages / used.process_invocations:,.1f}",
            *(f"{outcome.cost[name] / millions:.2f}" for name in PER_BATCH),
            in_words(result.freshness["p50"]),
            in_words(result.freshness["p95"]),
        ]

    head = [
        "batch size", "window", "orders in a batch", *(f"{name}, USD" for name in PER_BATCH),
        "freshness p50", "freshness p95",
    ]  # fmt: skip
    return table(head, (row(size, window) for size, window in BATCHES))


PARTS = {
    "SETTINGS": settings_table,
    "COST": cost_table,
    "BREAKS": breaks_table,
    "BURSTS": bursts_table,
    "QUOTAS": quotas_table,
    "QUEUES": queues_table,
    "SYSTEMS": systems_table,
    "PUBLISHED": published_table,
    "ASSUMPTIONS": assumptions_list,
}
DOCUMENTS: dict[Path, Mapping[str, Callable[[], str]]] = {
    ROOT / "docs" / "capacity.md": PARTS,
    ROOT / "docs" / "performance.md": {"BATCHES": batches_table},
    ROOT / "examples" / "README.md": {"OVERVIEW": examples.overview},
    **{
        ROOT / "examples" / name / "README.md": {"COST": partial(examples.cost_table, name)}
        for name in examples.EXAMPLES
    },
}


def written(text: str, parts: Mapping[str, Callable[[], str]]) -> str:
    """Returns the text with each part between its two comments."""
    for name, part in parts.items():
        text = with_part(text, name, part())
    return text


def main(arguments: list[str]) -> int:
    old = {document: document.read_text() for document in DOCUMENTS}
    new = {document: written(old[document], parts) for document, parts in DOCUMENTS.items()}
    for document in DOCUMENTS:
        if old[document] == new[document]:
            continue
        if "--check" not in arguments:
            document.write_text(new[document])
        else:
            print(f"✗ {document.relative_to(ROOT)} is out of date: make docs", file=sys.stderr)
    return int("--check" in arguments and old != new)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
