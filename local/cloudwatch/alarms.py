"""Evaluation of a metric alarm at a moment.

"Alarm evaluation" and "Configuring how CloudWatch alarms treat missing data", Amazon CloudWatch
User Guide. An alarm is a dict as DescribeAlarms returns it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local.cloudwatch.maths import ExpressionError, Grid, Series, Value, evaluate
from local.cloudwatch.series import Metric, Store

Alarm = dict[str, Any]

OK, ALARM, INSUFFICIENT = "OK", "ALARM", "INSUFFICIENT_DATA"

# Periods that are looked at beyond the evaluation periods. AWS says that it "attempts to retrieve a
# higher number of data points", and has 5 for 3 in its examples, but not how many in general.
EXTRA_PERIODS = 2

_COMPARISONS: dict[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}


@dataclass(frozen=True)
class Verdict:
    """The state that an alarm is in by its data, and why."""

    state: str
    reason: str


def verdict(alarm: Alarm, store: Store, now: float) -> Verdict:
    """Evaluates an alarm on the periods that end at `now`, a full minute.

    Windows slide by a minute, whatever the period: "Alarm evaluation".
    """
    try:
        grid, series = values(alarm, store, now)
    except ExpressionError as fault:
        return Verdict(INSUFFICIENT, f"Expression error: {fault}")
    compare, words = _COMPARISONS[alarm["ComparisonOperator"]]
    points = [series.get(at) for at in grid.timestamps]
    threshold = float(alarm["Threshold"])
    of, least = _of_and_least(alarm)
    state = decide(
        [None if one is None else compare(one, threshold) for one in points],
        of=of,
        least=least,
        missing=treatment(alarm),
        state=alarm["StateValue"],
    )
    used = [(at, one) for at, one in zip(grid.timestamps, points, strict=True) if one is not None]
    used = used[-of:]
    if not used:
        return Verdict(state, f"No datapoints were received for {of} periods.")
    counted = [(at, one) for at, one in used if compare(one, threshold) == (state == ALARM)]
    listed = ", ".join(f"{one} ({_when(at)})" for at, one in reversed(counted))
    was = "was" if len(counted) == 1 else "were"
    return Verdict(
        state,
        f"Threshold Crossed: {len(counted)} out of the last {of} datapoints [{listed}] {was} "
        f"{'' if state == ALARM else 'not '}{words} the threshold ({threshold}) (minimum {least} "
        f"datapoint{'s' if least > 1 else ''} for OK -> ALARM transition).",
    )


def decide(
    breaching: Sequence[bool | None], *, of: int, least: int, missing: str, state: str
) -> str:
    """Returns the state of an alarm.

    Args:
        breaching: Of each period in the evaluation range, oldest first; None is missing.
        of: Evaluation periods.
        least: Datapoints to alarm.
        missing: How missing data is treated: missing, ignore, breaching or notBreaching.
        state: The present one.
    """
    existing = [one for one in breaching if one is not None][-of:]
    number = sum(existing)
    if len(existing) >= of or number >= least:
        return ALARM if number >= least else OK
    if missing == "breaching":
        return ALARM if number + of - len(existing) >= least else OK
    if missing == "notBreaching":
        return OK
    if not all(existing):
        return OK
    # All that exists is breaching, but there is not enough of it: an alarm only if the oldest is
    # as old as the datapoints to alarm ("Avoiding premature transitions to alarm state").
    if missing == "ignore":
        return state
    age = len(breaching) - breaching.index(True) if existing else 0
    return ALARM if existing and age >= least else INSUFFICIENT


def treatment(alarm: Alarm) -> str:
    """Returns how an alarm treats missing data. Alarms on DynamoDB's metrics ignore it by default.

    "Configuring how CloudWatch alarms treat missing data", in its second box.
    """
    given = alarm.get("TreatMissingData")
    if given:
        return str(given)
    return "ignore" if alarm.get("Namespace") == "AWS/DynamoDB" else "missing"


def values(alarm: Alarm, store: Store, now: float) -> tuple[Grid, Series]:
    """Returns what an alarm compares with its threshold, by the start of each period.

    Raises:
        ExpressionError: Its metric math cannot be evaluated.
    """
    queries = alarm.get("Metrics") or [_query_of(alarm)]
    period = next(int(one["MetricStat"]["Period"]) for one in queries if one.get("MetricStat"))
    of, _ = _of_and_least(alarm)
    count = of + EXTRA_PERIODS
    grid = Grid([now - period * n for n in range(count, 0, -1)], period)
    [returned] = (one["Id"] for one in queries if one.get("ReturnData", True))
    result = results(queries, store, grid)[returned]
    if not isinstance(result, dict):
        raise ExpressionError("an alarm needs a single time series")
    return grid, result


def results(queries: Sequence[dict[str, Any]], store: Store, grid: Grid) -> dict[str, Value]:
    """Returns the values of all queries, as GetMetricData and PutMetricAlarm have them, by Id.

    Raises:
        ExpressionError: One cannot be evaluated, or they refer to each other in a circle.
    """
    known: dict[str, Value] = {
        query["Id"]: _of_metric(query["MetricStat"], store, grid)
        for query in queries
        if query.get("MetricStat")
    }
    metrics = list(known)
    expressions = {one["Id"]: one["Expression"] for one in queries if one.get("Expression")}
    while expressions:
        fault: ExpressionError | None = None
        done = []
        for key, expression in expressions.items():
            try:
                known[key] = evaluate(expression, grid, known, metrics)
                done.append(key)
            except ExpressionError as error:
                fault = error
        for key in done:
            del expressions[key]
        if fault and not done:
            raise fault
    return known


def _of_metric(stat: dict[str, Any], store: Store, grid: Grid) -> Series:
    metric = Metric.of(
        stat["Metric"]["Namespace"],
        stat["Metric"]["MetricName"],
        {one["Name"]: one["Value"] for one in stat["Metric"].get("Dimensions") or []},
    )
    found: Series = {}
    for at in grid.timestamps:
        value = store.statistics(
            *(metric, at, at + grid.period, stat.get("Unit")),
            percentiles=stat["Stat"].startswith("p"),
        ).get(stat["Stat"])
        if value is not None:
            found[at] = value
    return found


def _query_of(alarm: Alarm) -> dict[str, Any]:
    names = ("Namespace", "MetricName", "Dimensions")
    return {
        "Id": "m1",
        "MetricStat": {
            "Metric": {name: alarm.get(name) for name in names},
            "Period": alarm["Period"],
            "Stat": alarm.get("ExtendedStatistic") or alarm["Statistic"],
            "Unit": alarm.get("Unit"),
        },
    }


def _of_and_least(alarm: Alarm) -> tuple[int, int]:
    of = int(alarm["EvaluationPeriods"])
    return of, int(alarm.get("DatapointsToAlarm") or of)


def _when(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%d/%m/%y %H:%M:%S")
