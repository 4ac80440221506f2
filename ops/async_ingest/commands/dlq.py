"""`async-ingest dlq`: what is in the dead-letter queue, and what becomes of it."""

from __future__ import annotations

import dataclasses
import functools
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from botocore.exceptions import ClientError
from rich.progress import Progress, TextColumn, TimeElapsedColumn

from async_ingest import redrive, verdict
from async_ingest.commands import options
from async_ingest.commands.options import Screen, iso, safe, table
from async_ingest.dead_letters import DeadLetter, Selection
from async_ingest.errors import FOUND, INCOMPLETE, OpsError, described
from async_ingest.mover import DISCARD, EXPORT, REDRIVE, Tally
from async_ingest.system import System

_SELECTING = tuple(field.name for field in dataclasses.fields(Selection))
WORDS = {REDRIVE: "redriven", DISCARD: "discarded", EXPORT: "exported"}


@click.group()
def dlq() -> None:
    """Dead letters: list, show, export, redrive, discard."""


@dlq.command("list")
@options.for_system
@options.selection
def list_(screen: Screen, system: System, **selection: Any) -> None:
    """Count dead letters by reason."""
    reasons, oldest, expiry = _counted(system, _selection(selection))
    document = {
        "dead_letters": sum(reasons.values()),
        "reasons": [{"reason": kind, "count": count} for kind, count in reasons.most_common()],
        "oldest_accepted_at": iso(oldest),
        "next_expires_at": iso(expiry),
    }
    if not reasons:
        screen.result(document, "No dead letters.")
        return
    shown = table("Count", "Reason")
    for kind, count in reasons.most_common():
        shown.add_row(str(count), safe(kind))
    screen.result(
        document,
        f"{sum(reasons.values())} dead letters; the oldest was accepted at {iso(oldest)}, and the "
        f"first expires at {iso(expiry)}.",
        "",
        shown,
    )


@dlq.command()
@options.for_system
@options.selection
@click.option("--bodies", is_flag=True, help="Show the orders, too.")
def show(screen: Screen, system: System, bodies: bool, **selection: Any) -> None:
    """Show dead letters one by one, 10 by default, without the orders in them."""
    found: list[DeadLetter] = []
    chosen = _selection(selection | {"limit": selection["limit"] or 10})
    redrive.look(system, chosen, found.append)
    documents = [_described(letter, bodies) for letter in found]
    lines: list[Any] = []
    for document in documents:
        lines += [f"[bold]{safe(document['message_id'])}"]
        lines += [
            f"  {name:<20} {safe(value)}"
            for name, value in document.items()
            if name != "message_id" and value not in (None, {})
        ]
    screen.result({"dead_letters": documents}, *(lines or ["No dead letters."]))


def _moving(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        options.visibility,
        click.option("--rate", type=click.FloatRange(0.01), help="Messages a second, at most."),
        click.option(
            "--directory",
            type=click.Path(file_okay=False, path_type=Path),
            envvar="ASYNC_INGEST_DIRECTORY",
            help="For exports and the journal. [default: ~/.local/state/async-ingest]",
        ),
    ):
        function = option(function)

    @functools.wraps(function)
    def command(**given: Any) -> Any:
        moving = {name: given.pop(name) for name in ("visibility", "rate", "directory")}
        chosen = {name: given.pop(name) for name in _SELECTING}
        return function(selection=chosen, moving=moving, **given)

    return options.for_system(options.selection(command))


@dlq.command()
@_moving
def export(
    screen: Screen,
    system: System,
    *,
    selection: dict[str, Any],
    moving: dict[str, Any],
) -> None:
    """Write dead letters to a file of JSON lines. They stay in the queue."""
    with _progress(screen, system, **moving) as run_options:
        done = redrive.run(system, EXPORT, _selection(selection), run_options)
    document = {"exported": done.tally.taken, "file": done.export}
    screen.result(document, f"{done.tally.taken} dead letters exported" + _to(done.export))


@dlq.command()
@_moving
@options.yes
def discard(
    screen: Screen,
    system: System,
    *,
    selection: dict[str, Any],
    moving: dict[str, Any],
    yes: bool,
) -> int:
    """Delete dead letters, after an export."""
    chosen = _selection(selection)
    if not yes:
        return _dry_run(screen, system, DISCARD, chosen)
    with _progress(screen, system, **moving) as run_options:
        done = redrive.run(system, DISCARD, chosen, run_options)
    _ended(screen, DISCARD, done, {}, [])
    return 0


@dlq.command("redrive")
@_moving
@options.yes
@click.option(
    "--by",
    type=click.Choice(["auto", "task", "mover"]),
    default="auto",
    help="AWS's move task, or the mover of this tool. [default: the task, where all may go]",
)
@click.option(
    "--wait",
    type=options.Duration(),
    default="60s",
    show_default=True,
    help="For the queue to be empty, before it is said what became of the orders.",
)
def redrive_(
    screen: Screen,
    system: System,
    *,
    selection: dict[str, Any],
    moving: dict[str, Any],
    yes: bool,
    by: str,
    wait: float,
) -> int:
    """Send dead letters to the queue again, after an export.

    A run that was killed is continued by the same command. Nothing is lost meanwhile; what is
    sent twice changes nothing. An order that is older than the stored one changes nothing either.
    """
    chosen = _selection(selection)
    if by == "task" and not chosen.is_everything:
        raise click.UsageError("AWS's move task moves all dead letters: leave out the selection.")
    if not yes:
        return _dry_run(screen, system, REDRIVE, chosen)
    with _progress(screen, system, by=by, **moving) as run_options:
        done = redrive.run(system, REDRIVE, chosen, run_options)
    counts, lines = _verdict(system, done, wait)
    _ended(screen, REDRIVE, done, counts, lines)
    return FOUND if counts.get(verdict.BACK) else 0


@dlq.command()
@options.for_system
@click.option("--directory", type=click.Path(file_okay=False, path_type=Path))
@options.yes
def abandon(screen: Screen, system: System, directory: Path | None, yes: bool) -> None:
    """Forget an unfinished run, and release the dead letters that it held."""
    where = redrive.directory_of(system, directory)
    if not yes:
        screen.result({"would_abandon": where}, f"Would forget an unfinished run in {where}. --yes")
        return
    export_path = redrive.abandon(system, directory)
    screen.result({"export": export_path}, "Forgotten." + _to(export_path))


def _selection(given: dict[str, Any]) -> Selection:
    return Selection(**given | {"keys": dict(given["keys"])})


def _counted(system: System, selection: Selection) -> tuple[Counter[str], float, float]:
    """Returns dead letters by reason, the oldest acceptance and the first expiry, epoch seconds."""
    reasons = Counter[str]()
    accepted: list[float] = []
    enqueued: list[float] = []

    def visit(letter: DeadLetter) -> None:
        reasons[letter.kind] += 1
        accepted.append(letter.accepted_at / 1e6)
        enqueued.append(letter.sent_ms / 1000)

    redrive.look(system, selection, visit)
    attributes = system.queue_attributes(system.dead_letter_url)
    retention = int(attributes["MessageRetentionPeriod"])
    return reasons, min(accepted, default=0), min(enqueued, default=0) + retention


def _described(letter: DeadLetter, bodies: bool) -> dict[str, Any]:
    document: dict[str, Any] = {
        "message_id": letter.id,
        "reason": letter.kind,
        "accepted_at": iso(letter.accepted_at / 1e6),
        "enqueued_at": iso(letter.sent_ms / 1000),
        "receives": letter.system.get("ApproximateReceiveCount"),
        "orders": len(letter.orders),
        "bytes": len(letter.body.encode()),
        "tenant": letter.system.get("MessageGroupId"),
        "trace": letter.system.get("AWSTraceHeader"),
        "attributes": {
            name: one.get("StringValue", "(binary)") for name, one in letter.attributes.items()
        },
    }
    return document | ({"body": letter.body} if bodies else {})


def _dry_run(screen: Screen, system: System, action: str, selection: Selection) -> int:
    reasons, _, _ = _counted(system, selection)
    count = sum(reasons.values())
    lines = [f"  {number:>7}  {safe(kind)}" for kind, number in reasons.most_common()]
    screen.result(
        {f"would_be_{WORDS[action]}": count, "reasons": dict(reasons), "selection": str(selection)},
        f"{count} dead letters would be {WORDS[action]} ({safe(selection)}):",
        *lines,
        "Nothing was changed. Do it with --yes.",
    )
    return 0


def _verdict(system: System, done: redrive.Done, wait: float) -> tuple[dict[str, int], list[str]]:
    try:
        counts, is_empty = redrive.judged(system, done, wait)
    except ClientError as error:
        return {}, [f"What became of them is unknown: {safe(described(error))}"]
    lines = [
        f"  {counts[state]:>7}  {meaning}"
        for state, meaning in verdict.MEANING.items()
        if counts[state]
    ]
    if not is_empty:
        lines.append(f"The queue is not empty after {wait:g} s.")
    if len(done.ids) > verdict.MAX_JUDGED:
        lines.append(f"(Of {verdict.MAX_JUDGED} of {len(done.ids)}.)")
    if counts[verdict.BACK]:
        lines.append("Look at their reasons: async-ingest dlq list")
    return dict(counts), lines


def _ended(
    screen: Screen, action: str, done: redrive.Done, counts: dict[str, int], lines: list[str]
) -> None:
    """Shows the end of a run. Raises OpsError if messages could not be moved."""
    tally = done.tally
    document = {WORDS[action]: tally.taken, **tally.as_json(), "by": done.by}
    left = {
        "not selected": tally.skipped,
        "that came meanwhile": tally.too_new,
        "back again meanwhile": tally.back_again,
    }
    rest = [f"{count} {word}" for word, count in left.items() if count]
    screen.result(
        document | {"file": done.export, "verdict": counts},
        f"{tally.taken} dead letters {WORDS[action]}"
        + (f"; left: {', '.join(rest)}" if rest else "")
        + _to(done.export),
        *lines,
        *_unexported(tally.unexported),
    )
    if tally.kept:
        causes = "; ".join(f"{count}: {safe(cause)}" for cause, count in tally.kept.items())
        raise OpsError(f"Dead letters that could not be {WORDS[action]} stay: {causes}", INCOMPLETE)


def _unexported(count: int) -> list[str]:
    if not count:
        return []
    return [f"{count} came during AWS's move task: redriven, but neither exported nor judged."]


def _to(path: Path | None) -> str:
    return f"; exported to {safe(path)}" if path else ""


@contextmanager
def _progress(
    screen: Screen,
    system: System,
    *,
    visibility: int,
    rate: float | None,
    directory: Path | None,
    by: str = "auto",
) -> Iterator[redrive.Options]:
    visible, in_flight = system.depth(system.dead_letter_url)
    with Progress(
        *Progress.get_default_columns()[:2],
        TextColumn("{task.completed} of about {task.total}"),
        TimeElapsedColumn(),
        console=screen.progress,
        transient=True,
        disable=not screen.progress.is_terminal,
    ) as progress:
        task = progress.add_task("dead letters", total=visible + in_flight)
        seen: set[str] = set()

        def note(text: str) -> None:
            if text not in seen:  # each once
                seen.add(text)
                screen.note(text)

        def update(tally: Tally) -> None:
            progress.update(task, completed=tally.taken)

        yield redrive.Options(visibility, rate, directory, by, update, note)
