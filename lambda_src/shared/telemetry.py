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
HookDuration ms       that a hook of the team's took for each request or message
============ ======== ============================================================================

Errors and warnings go through ``logging``, whose records the runtime turns into JSON. No line
contains anything of an order except attribute names.

Lambda treats a line without a level as INFO ("Log-level filtering"), and would drop the metrics at
a higher log level. So the function's own setting in Lambda is never above INFO, and :func:`logger`
applies LOG_LEVEL.
"""

import json
import logging
import time
from collections.abc import Mapping

MILLISECONDS = frozenset({"Age", "HookDuration"})
MAX_VALUES = 100  # of a metric per line: CloudWatch, "Embedded metric format specification"


def now_microseconds() -> int:
    return time.time_ns() // 1000


def logger(level: str) -> logging.Logger:
    """Returns the handlers' logger, set to a level as Lambda names it."""
    log = logging.getLogger()
    log.setLevel({"TRACE": logging.DEBUG, "FATAL": logging.CRITICAL}.get(level, level))
    return log


def emit(function: str, metrics: Mapping[str, int | list[int]], **properties: object) -> None:
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
    }
    print(json.dumps(line, separators=(",", ":")))


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
