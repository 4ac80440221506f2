"""Names the first hop on the path of an order that fails, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from async_ingest.doctor import functions, http, network, queues
from async_ingest.doctor.findings import Finding, first_failed, in_order

if TYPE_CHECKING:
    from async_ingest.doctor.probe import Probe
    from async_ingest.system import System

CHECKS = (
    http.balancer,
    http.rule,
    http.target,
    http.permission,
    functions.ingest,
    network.ingest,
    queues.queue,
    queues.mapping,
    functions.process,
    network.process,
    queues.table,
    queues.dead_letters,
)


def examine(
    system: System,
    probe: Callable[[], Probe] | None,
    on_finding: Callable[[Finding], None] = lambda _finding: None,
) -> list[Finding]:
    """Checks the settings against each other and, if they agree, sends a marked order.

    Args:
        system: What is examined.
        probe: Makes the marked order; None sends none.
        on_finding: Called with each finding as it is made.
    """
    findings: list[Finding] = []

    def take(found: Iterator[Finding]) -> bool:
        for finding in found:
            findings.append(finding)
            on_finding(finding)
        return first_failed(findings) is None

    for check in CHECKS:
        take(iter(check(system)))
    if probe and first_failed(findings) is None:
        marked = probe()
        try:
            if take(marked.write_directly()):
                take(marked.send())
        finally:
            take(marked.remove())
    return in_order(findings)
