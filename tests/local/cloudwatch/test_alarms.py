"""Evaluation of alarms, by AWS's own examples."""

from typing import Any

import pytest

from local.cloudwatch.alarms import decide, treatment, verdict
from local.cloudwatch.series import MINUTE, Metric, Store

NOW = 1_800_000_000.0 - 1_800_000_000 % MINUTE
KEEP = "the present state"

# "How alarm state is evaluated when data is missing", Amazon CloudWatch User Guide. Columns: data
# points (0 is not breaching, X is, - is missing), then the state by missing, ignore, breaching and
# notBreaching. The last row of each table is from the edition of 2018.
EXAMPLES_3_OF_3 = """
0 - X - X | OK                | OK    | OK    | OK
0 - - - - | OK                | OK    | OK    | OK
- - - - - | INSUFFICIENT_DATA | KEEP  | ALARM | OK
0 X X - X | ALARM             | ALARM | ALARM | ALARM
- - X - - | ALARM             | KEEP  | ALARM | OK
X - - - - | ALARM             | KEEP  | ALARM | OK
- - - - X | INSUFFICIENT_DATA | KEEP  | ALARM | OK
"""
EXAMPLES_2_OF_3 = """
0 - X - X | ALARM             | ALARM | ALARM | ALARM
0 0 X 0 X | ALARM             | ALARM | ALARM | ALARM
0 - X - - | OK                | OK    | ALARM | OK
- - - - 0 | OK                | OK    | ALARM | OK
- - - X - | ALARM             | KEEP  | ALARM | OK
- - - - X | INSUFFICIENT_DATA | KEEP  | ALARM | OK
"""


def rows() -> list[Any]:
    found = []
    for least, table in ((3, EXAMPLES_3_OF_3), (2, EXAMPLES_2_OF_3)):
        for line in table.strip().splitlines():
            points, *states = (cell.strip() for cell in line.split("|"))
            treatments = ("missing", "ignore", "breaching", "notBreaching")
            found += [
                pytest.param(points, least, how, state, id=f"{least} of 3: {points} {how}")
                for how, state in zip(treatments, states, strict=True)
            ]
    return found


@pytest.mark.parametrize("present", ["OK", "ALARM", "INSUFFICIENT_DATA"])
@pytest.mark.parametrize(("points", "least", "how", "state"), rows())
def test_missing_data_is_treated_as_documented(
    points: str, least: int, how: str, state: str, present: str
) -> None:
    breaching = [{"0": False, "X": True, "-": None}[one] for one in points.split()]

    found = decide(breaching, of=3, least=least, missing=how, state=present)

    assert found == (present if state == "KEEP" else state)


def test_three_of_three_as_in_the_figure() -> None:
    """The figure in "Alarm evaluation": in alarm from the third to the fifth period, never else."""
    breaching = [c == "X" for c in "XXXXX000X"]

    states = [
        decide(breaching[:n], of=3, least=3, missing="missing", state="OK") for n in range(3, 10)
    ]

    assert states == ["ALARM", "ALARM", "ALARM", "OK", "OK", "OK", "OK"]


def alarm(**changes: Any) -> dict[str, Any]:
    return {
        "Namespace": "N",
        "MetricName": "M",
        "Dimensions": [{"Name": "Queue", "Value": "a"}],
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
        "StateValue": "OK",
    } | changes


def store(*values: float, **dimensions: str) -> Store:
    """The last value is of the minute that ends now."""
    found = Store()
    metric = Metric.of("N", "M", dimensions or {"Queue": "a"})
    for minute, value in enumerate(reversed(values), 1):
        found.add(metric, value, NOW - minute * MINUTE, "Count")
    return found


@pytest.mark.parametrize(
    ("changes", "values", "state"),
    [
        ({}, [2], "ALARM"),
        ({}, [1], "OK"),
        ({"ComparisonOperator": "GreaterThanOrEqualToThreshold"}, [1], "ALARM"),
        ({"ComparisonOperator": "LessThanThreshold"}, [0.5], "ALARM"),
        ({"ComparisonOperator": "LessThanThreshold"}, [1], "OK"),
        ({"ComparisonOperator": "LessThanOrEqualToThreshold"}, [1], "ALARM"),
        ({"Statistic": "Average"}, [2], "ALARM"),
        ({"Period": 300}, [0, 0, 1, 0, 1], "ALARM"),
        ({"Period": 300, "Statistic": "Average"}, [0, 0, 1, 0, 1], "OK"),
        ({"EvaluationPeriods": 3, "DatapointsToAlarm": 2}, [2, 0, 2], "ALARM"),
        ({"EvaluationPeriods": 3}, [2, 0, 2], "OK"),
        ({"Unit": "Count"}, [2], "ALARM"),
        ({"Unit": "Bytes"}, [2], "OK"),
        ({"Dimensions": []}, [2], "OK"),
        ({"Dimensions": [{"Name": "Queue", "Value": "b"}]}, [2], "OK"),
        ({"MetricName": "Other"}, [2], "OK"),
        ({"Namespace": "Other"}, [2], "OK"),
        ({"MetricName": "Other", "TreatMissingData": "breaching"}, [2], "ALARM"),
        ({"MetricName": "Other", "TreatMissingData": "missing"}, [2], "INSUFFICIENT_DATA"),
    ],
)
def test_an_alarm_is_evaluated(changes: dict[str, Any], values: list[float], state: str) -> None:
    assert verdict(alarm(**changes), store(*values), NOW).state == state


@pytest.mark.parametrize(("percentile", "state"), [("p50", "OK"), ("p90", "OK"), ("p99", "ALARM")])
def test_a_percentile_is_of_the_values(percentile: str, state: str) -> None:
    found = Store()
    for value in [1.0] * 95 + [9.0] * 5:
        found.add(Metric.of("N", "M", {"Queue": "a"}), value, NOW - MINUTE)
    given = alarm(ExtendedStatistic=percentile, Statistic=None)

    assert verdict(given, found, NOW).state == state


def test_an_alarm_on_metric_math_is_evaluated() -> None:
    query = {"Metric": {"Namespace": "N", "Dimensions": []}, "Period": 60, "Stat": "Sum"}

    def metric(key: str, name: str) -> dict[str, Any]:
        stat = query | {"Metric": {"Namespace": "N", "MetricName": name}}
        return {"Id": key, "MetricStat": stat, "ReturnData": False}

    given = alarm(
        Metrics=[
            metric("bad", "Bad"),
            metric("all", "All"),
            {"Id": "share", "Expression": "IF(all >= 10, 100 * FILL(bad, 0) / all, 0)"},
        ],
        Threshold=5.0,
    )
    found = Store()
    found.add(Metric("N", "All"), 20, NOW - MINUTE)
    assert verdict(given, found, NOW).state == "OK"
    found.add(Metric("N", "Bad"), 2, NOW - MINUTE)
    answer = verdict(given, found, NOW)
    assert answer.state == "ALARM"
    assert "[10.0 (" in answer.reason
    assert "1 out of the last 1 datapoints" in answer.reason


def test_alarms_on_dynamodb_ignore_missing_data_unless_told_otherwise() -> None:
    assert treatment(alarm(Namespace="AWS/DynamoDB", TreatMissingData=None)) == "ignore"
    assert treatment(alarm(Namespace="AWS/DynamoDB", TreatMissingData="breaching")) == "breaching"
    assert treatment(alarm(TreatMissingData=None)) == "missing"
