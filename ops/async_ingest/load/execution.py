"""Runs a load from its first request to the account of its last order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from async_ingest.load import processes
from async_ingest.load.backlog import Backlog
from async_ingest.load.ledger import Auditor
from async_ingest.load.run import Run
from async_ingest.load.sender import Result, Share
from async_ingest.system import System


def execute(
    share: Share,
    system: System | None,
    settings: Mapping[str, Any],
    *,
    wait: float,
    on_results: Callable[[int], None] = lambda _number: None,
    on_stage: Callable[[str], None] = lambda _text: None,
) -> Run:
    """Sends a load, and finds out what became of it.

    Args:
        share: What is sent, and by how many processes.
        system: Whose queue and table are read; None reads nothing.
        settings: For the documents.
        wait: Seconds for the queue to be empty, and as many for orders that are missing.
        on_results: Called with the number of requests that have ended.
        on_stage: Called with what is done next.
    """
    results: list[Result] = []

    def note(some: list[Result]) -> None:
        results.extend(some)
        on_results(len(some))

    if system is None:
        return Run(settings, processes.run(share, note), sorted(results))
    with Backlog(system) as backlog:
        began = processes.run(share, note)
        on_stage("Waiting for the queue to be empty")
        backlog.wait_for_the_end(wait)
    on_stage("Looking for each order")
    account = Auditor(system, share.generator, results, began).account(wait)
    return Run(settings, began, sorted(results), account, backlog)
