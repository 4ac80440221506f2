"""What the doctor finds, hop by hop along the path of an order."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from botocore.exceptions import ClientError

from async_ingest.errors import OpsError, code_of, described, is_denied
from async_ingest.system import System

# In the order in which an order passes them; what it needs at a hop belongs to that hop.
HOPS = (
    "load balancer",
    "listener rule",
    "target group",
    "permission of the load balancer",
    "ingest function",
    "network of ingest",
    "queue",
    "event source mapping",
    "process function",
    "network of process",
    "table",
    "dead-letter queue",
    "the whole path",
)


class State(Enum):
    """How a check went."""

    OK = "ok"
    FAILED = "failed"
    WARNING = "warning"  # works, and should not stay so
    UNKNOWN = "unknown"  # could not be checked


@dataclass(frozen=True)
class Finding:
    """One thing that was checked."""

    hop: str
    state: State
    what: str
    do: str = ""

    def as_json(self) -> dict[str, str]:
        return {"hop": self.hop, "state": self.state.value, "what": self.what, "do": self.do}


Check = Callable[[System], Iterable[Finding]]


def ok(hop: str, what: str) -> Finding:
    return Finding(hop, State.OK, what)


def failed(hop: str, what: str, do: str) -> Finding:
    return Finding(hop, State.FAILED, what, do)


def warning(hop: str, what: str, do: str) -> Finding:
    return Finding(hop, State.WARNING, what, do)


def unknown(hop: str, what: str, do: str = "") -> Finding:
    return Finding(hop, State.UNKNOWN, what, do)


def checks(hop: str) -> Callable[[Check], Check]:
    """Makes a check out of a function: what AWS refuses to show is unknown, what is gone failed."""

    def decorate(check: Check) -> Check:
        @functools.wraps(check)
        def run(system: System) -> Iterator[Finding]:
            try:
                yield from check(system)
            except OpsError as error:
                yield failed(hop, str(error), "terraform apply")
            except ClientError as error:
                if is_denied(error):
                    yield unknown(hop, f"not checked: {described(error)}")
                elif "NotFound" in code_of(error) or "NoSuchEntity" in code_of(error):
                    yield failed(hop, f"something is gone: {described(error)}", "terraform apply")
                else:
                    yield unknown(hop, f"not checked: {described(error)}")

        return run

    return decorate


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: HOPS.index(finding.hop))


def first_failed(findings: Iterable[Finding]) -> Finding | None:
    """Returns the first thing that is wrong on the path of an order."""
    return next((one for one in in_order(findings) if one.state is State.FAILED), None)
