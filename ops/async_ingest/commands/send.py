"""`async-ingest send`: one order, or a file of them."""

from __future__ import annotations

from pathlib import Path

import click

from async_ingest import http_client, sending
from async_ingest.commands import options
from async_ingest.commands.options import Screen, safe
from async_ingest.errors import FOUND, INCOMPLETE
from async_ingest.sending import ACCEPTED, REFUSED, UNKNOWN, Ledger, Sent
from async_ingest.signing import Headers
from async_ingest.system import System


@click.command()
@options.for_system
@options.posting
@options.yes
@click.argument("orders")
@click.option("--rate", type=click.FloatRange(0.01), help="Requests a second, at most.")
@click.option("--connections", type=click.IntRange(1, 64), default=4, show_default=True)
def send(
    screen: Screen,
    system: System,
    *,
    url: str | None,
    headers: Headers,
    yes: bool,
    orders: str,
    rate: float | None,
    connections: int,
) -> int:
    """Send ORDERS: an order as JSON, or a file of JSON lines, each an order or an array.

    Every answer is written to FILE.answers.jsonl; the same command sends what is not settled yet.
    """
    path = None if orders.lstrip().startswith(("{", "[")) else Path(orders)
    if path is not None and not path.is_file():
        raise click.UsageError(f"{orders} is neither JSON nor a file.")
    target = http_client.url_of(system, url)
    count = 1 if path is None else _lines_of(path)
    if not yes:
        screen.result(
            {"would_be_sent": count, "url": target},
            f"{count} requests would be sent to {safe(target)}.",
            "Nothing was sent. Do it with --yes.",
        )
        return 0
    client = http_client.Client(target, headers, connections)
    ledger = Ledger(path.with_name(path.name + ".answers.jsonl")) if path else None
    problems: list[Sent] = []
    answers: list[Sent] = []
    with options.progress(screen, count) as advance:

        def note(sent: Sent) -> None:
            advance(1)
            answers[:] = [sent]
            if sent.outcome != ACCEPTED and len(problems) < 10:
                problems.append(sent)

        with path.open() if path else _Text(orders) as lines:
            counts = sending.send(
                client,
                lines,
                connections=connections,
                per_second=rate,
                ledger=ledger,
                on_sent=note,
            )
    document = {
        **{name: counts[name] for name in (ACCEPTED, REFUSED, UNKNOWN)},
        "problems": [vars(one) for one in problems],
        **({} if path else {"message_id": answers[0].detail}),
    }
    summary = ", ".join(f"{counts[name]} {name}" for name in (ACCEPTED, REFUSED, UNKNOWN))
    screen.result(
        document,
        summary + (f", message {safe(answers[0].detail)}" if not path and counts[ACCEPTED] else ""),
        *(f"  line {one.number}: {one.status} {safe(one.detail)}" for one in problems),
    )
    return INCOMPLETE if counts[UNKNOWN] else FOUND if counts[REFUSED] else 0


class _Text(list[str]):
    """One line, used as a file."""

    def __init__(self, text: str) -> None:
        super().__init__([text])

    def __enter__(self) -> list[str]:
        return self

    def __exit__(self, *_: object) -> None:
        pass


def _lines_of(path: Path) -> int:
    with path.open() as lines:
        return sum(1 for line in lines if line.strip())
