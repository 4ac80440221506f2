"""What redrive, discard and export do from beginning to end, without a screen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from async_ingest import move_task, verdict
from async_ingest.dead_letters import DeadLetter, Selection
from async_ingest.errors import INCOMPLETE, OpsError
from async_ingest.journal import Journal, state_directory
from async_ingest.mover import EXPORT, REDRIVE, Mover, Tally
from async_ingest.receiving import DEFAULT_VISIBILITY, Pass, release
from async_ingest.system import System

# A dead letter is looked at for so long, and hidden meanwhile.
LOOK_SECONDS = 60


@dataclass
class Options:
    """How a run moves messages.

    Attributes:
        visibility: Seconds for which a killed run hides what it has received.
        per_second: Messages; None as many as possible.
        directory: For journals and exports; None takes the user's state directory.
        by: "task", "mover", or "auto" for whichever fits.
        on_progress: Called after each batch with the tally.
        on_note: Called with what a person should know meanwhile.
    """

    visibility: int = DEFAULT_VISIBILITY
    per_second: float | None = None
    directory: Path | None = None
    by: str = "auto"
    on_progress: Callable[[Tally], None] = lambda _tally: None
    on_note: Callable[[str], None] = lambda _text: None


@dataclass
class Done:
    """The end of a run."""

    tally: Tally
    export: Path | None
    by: str
    ids: set[str] = field(default_factory=set)  # of what was sent to the queue


def server_time_ms(system: System) -> int:
    """Returns the time by the clock of SQS, to the next second, which SentTimestamp comes from."""
    answer = system.sqs.get_queue_attributes(
        QueueUrl=system.dead_letter_url, AttributeNames=["QueueArn"]
    )
    date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    at = parsedate_to_datetime(date) if date else datetime.now().astimezone()
    return int(at.timestamp() * 1000) + 1000


def directory_of(system: System, directory: Path | None) -> Path:
    """Returns where the journal and the exports of a system are."""
    _, _, _, region, account, queue = system.dead_letter_arn.split(":")
    return (directory or state_directory()) / f"{account}-{region}-{queue}"


def look(system: System, selection: Selection, visit: Callable[[DeadLetter], None]) -> Tally:
    """Shows each dead letter that is selected to `visit`, and changes nothing.

    Every look counts as a receive, which is harmless: a dead-letter queue has no other behind it.
    """
    tally = Tally()
    with Pass(system, LOOK_SECONDS) as looking:
        for letters in looking.batches():
            for letter in letters:
                if selection.matches(letter):
                    tally.taken += 1
                    visit(letter)
                else:
                    tally.skipped += 1
                if tally.taken == selection.limit:
                    return tally
    tally.elsewhere = looking.elsewhere
    return tally


def run(system: System, action: str, selection: Selection, options: Options) -> Done:
    """Redrives, discards or exports what is selected; continues a run that was killed.

    Raises:
        OpsError: Not all of it was done, or an unfinished run is of something else.
    """
    with Journal(directory_of(system, options.directory)) as journal:
        if journal.begun:
            _require_same(journal.begun, action, selection)
            options.on_note(f"Continues a run that did not end, with {journal.export_path}.")
        by_aws = action == REDRIVE and options.by != "mover" and selection.is_everything
        if by_aws and journal.begun.get("begin") != REDRIVE:
            if done := _redriven_by_aws(system, journal, options):
                return done
            # What was exported is not exported again.
            journal.begin(action, {}, server_time_ms(system), journal.export_path)
        elif not journal.begun:
            journal.begin(action, selection.as_json(), server_time_ms(system))
        tally = _mover(system, journal, options).run()
        export = journal.export_path if journal.exported else None
        return Done(tally, export, "mover", set(journal.sent))


def abandon(system: System, directory: Path | None = None) -> Path | None:
    """Forgets an unfinished run, and releases what it held. Returns its export, if there is one."""
    with Journal(directory_of(system, directory)) as journal:
        if not journal.begun:
            return None
        release(system, dict(journal.outstanding), journal)
        journal.end()
        return journal.export_path if journal.exported else None


def judged(system: System, done: Done, wait_seconds: float) -> tuple[Counter[str], bool]:
    """Returns what became of what was redriven, and whether the queue is empty."""
    if not done.ids or done.export is None:
        return Counter(), True
    is_empty = verdict.wait_for_the_queue(system, wait_seconds)
    return verdict.judge(system, verdict.exported(done.export, done.ids)), is_empty


def _mover(system: System, journal: Journal, options: Options) -> Mover:
    return Mover(
        system,
        journal,
        visibility=options.visibility,
        per_second=options.per_second,
        on_progress=options.on_progress,
        on_wait=lambda elsewhere: options.on_note(
            f"Waiting for {elsewhere} dead letters that are in flight elsewhere."
        ),
    )


def _redriven_by_aws(system: System, journal: Journal, options: Options) -> Done | None:
    """Exports all, and has AWS move all. Returns None if that does not fit."""
    if move_task.is_running(system):
        options.on_note("A move task of AWS is running already: follows it.")
        return Done(Tally(taken=_followed(system, options)), None, "task")
    if not journal.begun:
        journal.begin(EXPORT, {}, server_time_ms(system), purpose=REDRIVE)
    tally = _mover(system, journal, options).run()
    if not journal.exported:
        return Done(tally, None, "task")
    ids = set(journal.exported)
    needs_mover = any(
        letter.text("accepted_at") != str(letter.accepted_at)
        for letter in verdict.exported(journal.export_path, ids)
    )
    if options.by == "auto" and (needs_mover or len(ids) > verdict.MAX_JUDGED):
        return None
    # The task would move those too that have come since, or were not exported for another reason.
    if (there := sum(system.depth(system.dead_letter_url))) != len(ids):
        if options.by == "task":
            raise OpsError(
                f"{len(ids)} dead letters are exported, and {there} are there: AWS's move task "
                "would move what is not exported. Run the same command again, or leave out --by.",
                INCOMPLETE,
            )
        options.on_note("Not all dead letters are exported: moves them one batch at a time.")
        return None
    try:
        move_task.start(system, options.per_second)
    except move_task.UnavailableError as error:
        options.on_note(f"No move task of AWS ({error}): moves them one batch at a time.")
        if options.by == "task":
            raise OpsError(f"AWS starts no move task: {error}.") from error
        return None
    tally.taken = _followed(system, options)
    # Between the look at the depth and the end of the task, which nothing prevents.
    tally.unexported = max(0, tally.taken - len(ids))
    return Done(tally, journal.export_path, "task", ids)


def _followed(system: System, options: Options) -> int:
    try:
        return move_task.follow(system, lambda moved: options.on_progress(Tally(taken=moved)))
    except KeyboardInterrupt:
        move_task.cancel(system)
        raise


def _require_same(begun: Mapping[str, Any], action: str, selection: Selection) -> None:
    if begun["purpose"] == action and Selection(**begun["selection"]) == selection:
        return
    what = f"{begun['purpose']} of {Selection(**begun['selection'])}"
    raise OpsError(
        f"An unfinished {what} is there. Finish it by the same command, or forget "
        "it by `dlq abandon`, which releases what it held.",
        INCOMPLETE,
    )
