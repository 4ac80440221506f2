"""A run as a report in HTML."""

from __future__ import annotations

import json
from typing import Any

from async_ingest.charts import SECONDS, Axis, Series, line_chart
from async_ingest.html_report import Report
from async_ingest.load.latency import PERCENTILES
from async_ingest.load.ledger import MISSING
from async_ingest.load.run import Run
from async_ingest.load.sender import DROPPED
from async_ingest.sending import ACCEPTED, REFUSED, UNKNOWN

SPECTRUM = Axis(
    "percentile",
    is_log=True,
    marks=((1, "0"), (10, "90"), (100, "99"), (1e3, "99.9"), (1e4, "99.99")),
)
MAX_TEXT = 300  # of a setting, such as a long recorded series; the JSON document has it all
LOG_MS = Axis("ms", is_log=True)


def render(run: Run, title: str) -> str:
    """Returns the document."""
    requests = run.requests
    report = Report(
        title,
        lead=run.summary() + ".",
        facts=[
            ("orders", f"{run.orders['scheduled']:,}"),
            ("accepted", _share(run.orders[ACCEPTED], run.orders["scheduled"])),
            ("requests a second", f"{requests['scheduled'] / max(run.seconds, 1):,.0f}"),
            ("p50", f"{run.latency.ms(50):,.0f} ms"),
            ("p99", f"{run.latency.ms(99):,.0f} ms"),
            *_facts_of_the_queue(run),
        ],
        footer=f"async-ingest load, run {run.settings.get('run', '')}, "
        f"{run.began_at}. Times are of the machine that sent.",
    )
    _verdict(report, run)
    _arrivals(report, run.by_second)
    _latency(report, run)
    _backlog(report, run)
    settings = report.section("How it was made")
    settings.table(["setting", ""], [(name, _said(value)) for name, value in run.settings.items()])
    return report.render()


def _verdict(report: Report, run: Run) -> None:
    orders, requests = run.orders, run.requests
    title = "Orders are missing" if orders.get(MISSING) else "Every order is accounted for"
    section = report.section(title if run.account else "What was answered")
    rows = [
        ("scheduled", orders["scheduled"], requests["scheduled"]),
        ("= sent", orders["sent"], requests["sent"]),
        ("+ dropped: not sent in time", orders[DROPPED], requests[DROPPED]),
        ("sent = accepted (202)", orders[ACCEPTED], requests[ACCEPTED]),
        ("+ refused (4xx)", orders[REFUSED], requests[REFUSED]),
        ("+ unknown (5xx, no answer)", orders[UNKNOWN], requests[UNKNOWN]),
    ]
    lines = [(name, f"{one:,}", f"{other:,}") for name, one, other in rows]
    for name, number in (run.account.counts if run.account else {}).items():
        sign = "accepted =" if name == "stored" else "+"
        lines.append((f"{sign} {name.replace('_', '-')}", f"{number:,}", ""))
    section.table(["", "orders", "requests"], lines)
    if not run.account:
        section.text("What became of the accepted orders was not looked up.")
    for problem in run.problems:
        section.text(problem, is_bad=True)
    for reason, count in run.dead_letter_reasons.items():
        section.text(f"Dead-lettered, {count:,} orders: {reason}")
    section.table(["status", "requests"], [(k, f"{n:,}") for k, n in run.statuses.items()])


def _arrivals(report: Report, rows: list[dict[str, Any]]) -> None:
    section = report.section(
        "Requests", "Due by the schedule, whether or not the system keeps up; and accepted."
    )
    names = {"due": "due", "sent": "sent", ACCEPTED: "accepted"}
    lines = [
        Series(
            name,
            [(row["second"], row[column]) for row in rows],
            is_area=column == ACCEPTED,
            is_dashed=column == "due",
        )
        for column, name in names.items()
    ]
    section.plot(line_chart("Requests", SECONDS, Axis("requests a second"), lines))


def _latency(report: Report, run: Run) -> None:
    section = report.section(
        "Latency",
        "From the time at which a request was due, of all that were sent. The service time starts "
        "when it was really sent, so it leaves out the time for which requests had to wait.",
    )
    kinds = {"latency": run.latency, "service time": run.service_time, "sent late": run.late}
    section.table(
        ["ms", *(f"p{one:g}" for one in PERCENTILES), "max"],
        [
            (name, *(f"{one.ms(percentile):,.1f}" for percentile in (*PERCENTILES, 100)))
            for name, one in kinds.items()
        ],
    )
    rows = [row for row in run.by_second if "p50" in row]
    by_second = [
        Series(name, [(row["second"], row[name]) for row in rows]) for name in ("p50", "p99", "max")
    ]
    section.plot(line_chart("Latency by the second", SECONDS, LOG_MS, by_second))
    spectrum = [
        Series("latency", run.latency.spectrum()),
        Series("service time", run.service_time.spectrum(), is_dashed=True),
    ]
    section.plot(line_chart("Latency by percentile", SPECTRUM, LOG_MS, spectrum))


def _backlog(report: Report, run: Run) -> None:
    if not run.backlog:
        return
    section = report.section("Queue", "Messages that are visible or in flight, as SQS counts them.")
    points = [(at - run.began, float(depth)) for at, depth in run.backlog.samples]
    points = [point for point in points if point[0] >= 0]
    series = [Series("messages", points, is_area=True)]
    section.plot(line_chart("Messages in the queue", SECONDS, Axis("messages"), series))


def _facts_of_the_queue(run: Run) -> list[tuple[str, str]]:
    if not run.backlog:
        return []
    drained = run.drain_seconds
    return [
        ("peak backlog", f"{run.backlog.peak:,} messages"),
        ("drained", "not yet" if drained is None else f"{drained:.0f} s after the last answer"),
    ]


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.4g} %" if whole else "-"


def _said(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + " …"
