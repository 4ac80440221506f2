"""Calls the handlers as Lambda does."""

import contextlib
import io
import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from local.events import ENVIRONMENT, Context


class Invocation(NamedTuple):
    answer: dict[str, Any]
    metrics: dict[str, Any]


def invoke(handle: Callable[[Any, Any], Any], event: Any, context: Any = None) -> Invocation:
    """Calls a handler, and asserts that it writes one line of metrics, and at most ids beside."""
    with one_line_of_metrics() as metrics:
        answer = handle(event, context or Context())
    return Invocation(answer, metrics)


@contextlib.contextmanager
def one_line_of_metrics() -> Iterator[dict[str, Any]]:
    """Gives a dict that has the metrics afterwards, even if an exception passes."""
    metrics: dict[str, Any] = {}
    with contextlib.redirect_stdout(io.StringIO()) as output:
        try:
            yield metrics
        finally:
            line, *more = output.getvalue().splitlines()
            metrics |= json.loads(line)
            for further in map(json.loads, more):  # of a batch that is too large for one
                metrics["messages"] += further["messages"]
            (directive,) = metrics["_aws"]["CloudWatchMetrics"]
            assert directive["Namespace"] == "AsyncIngest"
            assert directive["Dimensions"] == [["FunctionName"]]
            assert metrics["FunctionName"] == ENVIRONMENT["AWS_LAMBDA_FUNCTION_NAME"]
            for definition in directive["Metrics"]:
                values = metrics[definition["Name"]]
                assert isinstance(values, int) or 0 < len(values) <= 100
                is_time = definition["Name"] in ("Age", "HookDuration")
                unit = "Milliseconds" if is_time else "Count"
                assert definition["Unit"] == unit
