"""Copies of alarms, each with one mistake, put beside the originals: each must be seen.

A mistake is seen when the alarm is not in ALARM while the original is, under its cause, or raises a
false alarm in the hour of ordinary traffic.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.operate.causes import System

Alarm = dict[str, Any]
PREFIX = "mutant-"
PUT = (
    *("AlarmDescription", "MetricName", "Namespace", "Dimensions", "Statistic"),
    *("ExtendedStatistic", "Period", "Unit", "EvaluationPeriods", "DatapointsToAlarm"),
    *("Threshold", "ComparisonOperator", "TreatMissingData", "Metrics"),
)


@dataclass(frozen=True)
class Mutant:
    """A mistake in an alarm, and what it is to the eye."""

    alarm: str
    change: Callable[[Alarm], Alarm]


def without(name: str) -> Callable[[Alarm], Alarm]:
    """Takes a dimension away."""
    return lambda alarm: (
        alarm | {"Dimensions": [one for one in alarm["Dimensions"] if one["Name"] != name]}
    )


MUTANTS = {
    "dimension_too_many": Mutant(
        "load-balancer-errors",
        lambda alarm: (
            alarm
            | {
                "Dimensions": [
                    *alarm["Dimensions"],
                    {"Name": "TargetGroup", "Value": "targetgroup/a"},
                ]
            }
        ),
    ),
    "system_errors_by_table_alone": Mutant("table-system-errors-PutItem", without("Operation")),
    "age_without_the_queue": Mutant("oldest-message-age", without("QueueName")),
    "errors_of_lambda_for_failed": Mutant(
        "orders-failing", lambda alarm: alarm | {"Namespace": "AWS/Lambda", "MetricName": "Errors"}
    ),
    "dead_letters_sent": Mutant(
        "dead-letter-queue-not-empty",
        lambda alarm: alarm | {"MetricName": "NumberOfMessagesSent", "Statistic": "Sum"},
    ),
    "silence_is_breaching": Mutant(
        "load-balancer-errors", lambda alarm: alarm | {"TreatMissingData": "breaching"}
    ),
    "least_of_rejections": Mutant(
        "rejected-share", lambda alarm: alarm | {"Metrics": with_statistic(alarm, "Minimum")}
    ),
    "all_of_fifteen": Mutant(
        "target-errors", lambda alarm: alarm | {"EvaluationPeriods": 15, "DatapointsToAlarm": 15}
    ),
}


def with_statistic(alarm: Alarm, statistic: str) -> list[Alarm]:
    return [
        one | {"MetricStat": one["MetricStat"] | {"Stat": statistic}}
        if "MetricStat" in one
        else one
        for one in alarm["Metrics"]
    ]


def put(system: System) -> None:
    """Puts every mutant beside its original."""
    for name, mutant in MUTANTS.items():
        given = mutant.change(system.alarm(mutant.alarm))
        kept = {key: given[key] for key in PUT if given.get(key) is not None}
        system.monitoring.cloudwatch.put_metric_alarm(AlarmName=f"{PREFIX}{name}", **kept)


def silent(system: System) -> set[str]:
    """Returns the mutants that are not in ALARM, although the original is."""
    return {
        name
        for name, mutant in MUTANTS.items()
        if system.monitoring.state(f"{system.name}-{mutant.alarm}") == "ALARM"
        and states_of(system, name)[-1:] != ["ALARM"]
    }


def ever_in_alarm(system: System) -> set[str]:
    """Returns the mutants that have been in ALARM since they were put."""
    return {name for name in MUTANTS if "ALARM" in states_of(system, name)}


def states_of(system: System, name: str) -> list[str]:
    return system.monitoring.transitions(f"{PREFIX}{name}")
