"""One line per invocation: its log record, and its metrics in CloudWatch's embedded metric format.

============ ======== ============================================================================
Accepted     orders   that ingest answered 202
Rejected     requests that ingest answered 4xx
HealthChecks requests by which the load balancer probes ingest, counted as nothing else
Written      orders   that process stored
Superseded   orders   of which process found a newer one, or the very same, already stored
DeadLettered messages that process sent to the dead-letter queue
Failed       both     requests that ingest answered 503; messages that process reported for retry
Age          ms       from acceptance to write, of each order written
Late         orders   of those written, later than FRESHNESS_TARGET_SECONDS, where that is set
HookDuration ms       that a hook of the team's took for each request or message
============ ======== ============================================================================

Besides, it has ``duration_ms``, the time in the handler, and ``cold_start``, 1 for the first
invocation of an instance and else 0: Lambda's own report of them is not in the log at the system
log level WARN.

**To follow one order**: ingest's line has ``accepted_at`` and ``message_id``, beside the request's
id and the trace of the load balancer; process's line has the same two in ``messages``, a list of
"MESSAGE_ID ACCEPTED_AT OUTCOME". The row and a dead letter have ``accepted_at`` too.

Errors and warnings go through ``logging``, whose records the runtime turns into JSON. No line
contains anything of an order except attribute names.

Lambda treats a line without a level as INFO ("Log-level filtering"), and would drop the metrics at
a higher log level. So the function's own setting in Lambda is never above INFO, and :func:`logger`
applies LOG_LEVEL.
"""

import json
import logging
import time
from collections.abc import Mapping, Sequence

MILLISECONDS = frozenset({"Age", "HookDuration"})
MAX_VALUES = 100  # of a metric per line: CloudWatch, "Embedded metric format specification"
MAX_MESSAGES = 1000  # per line, of some 70 bytes each: a batch may have 10,000

_is_first = True


def now_microseconds() -> int:
    return time.time_ns() // 1000


def logger(level: str) -> logging.Logger:
    """Returns the handlers' logger, set to a level as Lambda names it."""
    log = logging.getLogger()
    log.setLevel({"TRACE": logging.DEBUG, "FATAL": logging.CRITICAL}.get(level, level))
    return log


def emit(
    function: str,
    metrics: Mapping[str, int | list[int]],
    started: int,
    messages: Sequence[str] = (),
    **properties: object,
) -> None:
    """Writes the line of an invocation.

    Args:
        function: Name of the function.
        metrics: By name; those of MILLISECONDS in milliseconds.
        started: When the invocation began, of time.monotonic_ns.
        messages: See above; what exceeds MAX_MESSAGES goes to further lines.
        properties: What else the line says.
    """
    global _is_first  # noqa: PLW0603 - of the process, as an instance is
    definitions = [
        {"Name": name, "Unit": "Milliseconds" if name in MILLISECONDS else "Count"}
        for name in metrics
    ]
    directive = {
        "Namespace": "AsyncIngest",
        "Dimensions": [["FunctionName"]],
        "Metrics": definitions,
    }
    line = {
        "_aws": {"Timestamp": now_microseconds() // 1000, "CloudWatchMetrics": [directive]},
        "FunctionName": function,
        **properties,
        **metrics,
        "duration_ms": round((time.monotonic_ns() - started) / 1e6, 1),
        "cold_start": int(_is_first),
    }
    _is_first = False
    if messages:
        line["messages"] = messages[:MAX_MESSAGES]
    print(json.dumps(line, separators=(",", ":")))
    for first in range(MAX_MESSAGES, len(messages), MAX_MESSAGES):
        more = {"FunctionName": function, **properties}
        more["messages"] = messages[first : first + MAX_MESSAGES]
        print(json.dumps(more, separators=(",", ":")))


def thin_out(values: list[int]) -> list[int]:
    """Returns as many values as a line may have, spread evenly and including the greatest."""
    step = -(-len(values) // MAX_VALUES) or 1
    return sorted(values, reverse=True)[::step]


def describe(error: Exception) -> dict[str, str]:
    """Returns type and place of an exception, but not its text, which may quote an order.

    One that has ``details`` for the log says it itself.
    """
    details = getattr(error, "details", None)
    if isinstance(details, dict):
        return details
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}" if trace else "?"
    return {"error": type(error).__name__, "at": place}
