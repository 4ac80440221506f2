"""local/patches/metrics.py: what is put, what is asked for, and what log lines hold."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from local.emulator import Emulator
from local.waiting import eventually
from tests.local.patches.checks import Checks, code_of

check = Checks("metrics")

(
    test_every_patch_has_a_check,
    test_the_check_passes_with_the_patch,
    test_the_check_fails_without_the_patch,
) = check.tests()


def around_now() -> dict[str, Any]:
    now = datetime.now(UTC)
    return {"StartTime": now - timedelta(minutes=10), "EndTime": now + timedelta(minutes=5)}


def query(key: str, name: str, **dimensions: str) -> dict[str, Any]:
    metric = {
        "Namespace": "Orders",
        "MetricName": name,
        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
    }
    return {"Id": key, "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}}


@check()
def metrics_are_found_by_their_dimensions(emulator: Emulator) -> None:
    cloudwatch = emulator.client("cloudwatch")
    of_function = [{"Name": "FunctionName", "Value": "process"}]
    for value, dimensions in ((3.0, []), (4.0, of_function)):
        datum = {"MetricName": "Written", "Value": value, "Dimensions": dimensions}
        cloudwatch.put_metric_data(Namespace="Orders", MetricData=[datum])
    cloudwatch.put_metric_data(
        Namespace="Orders", MetricData=[{"MetricName": "Age", "Values": [1, 9], "Counts": [9, 1]}]
    )

    answer = cloudwatch.get_metric_data(
        MetricDataQueries=[
            query("all", "Written"),
            query("of", "Written", FunctionName="process") | {"Id": "of", "ReturnData": False},
            {"Id": "share", "Expression": "100 * all / SUM([all, of])", "Label": "Share"},
        ],
        **around_now(),
    )
    values = {one["Id"]: sum(one["Values"]) for one in answer["MetricDataResults"]}
    assert values["all"] == 3
    assert round(values["share"], 9) in {100 / 1, round(300 / 7, 9), round(300 / 3, 9)}
    assert "of" not in values

    def points(name: str, **options: Any) -> list[dict[str, Any]]:
        found = cloudwatch.get_metric_statistics(
            Namespace="Orders", MetricName=name, Period=3600, **options, **around_now()
        )
        return list(found["Datapoints"])

    assert sum(one["Sum"] for one in points("Written", Statistics=["Sum"])) == 3
    [age] = points("Age", ExtendedStatistics=["p100"])
    assert age["ExtendedStatistics"] == {"p100": 9}
    listed = cloudwatch.list_metrics(Namespace="Orders", Dimensions=[{"Name": "FunctionName"}])
    assert [one["Dimensions"] for one in listed["Metrics"]] == [of_function]
    wrong = {"Id": "a", "Expression": "NO(a)"}
    refused = code_of(cloudwatch.get_metric_data, MetricDataQueries=[wrong], **around_now())
    assert refused == "ValidationError"


@check()
def log_lines_become_metrics(emulator: Emulator) -> None:
    logs, cloudwatch = emulator.client("logs"), emulator.client("cloudwatch")
    logs.create_log_group(logGroupName="/orders")
    logs.create_log_stream(logGroupName="/orders", logStreamName="a")
    now = int(time.time() * 1000)
    directive = {
        "Namespace": "Orders",
        "Dimensions": [["FunctionName"]],
        "Metrics": [{"Name": "Age", "Unit": "Milliseconds"}],
    }
    line = {
        "_aws": {"Timestamp": now, "CloudWatchMetrics": [directive]},
        "FunctionName": "process",
        "Age": [5, 6.5],
    }
    events = [{"timestamp": now, "message": text} for text in ("x", json.dumps(line))]
    logs.put_log_events(logGroupName="/orders", logStreamName="a", logEvents=events)

    def datapoints() -> list[dict[str, Any]]:
        found = cloudwatch.get_metric_statistics(
            Namespace="Orders",
            MetricName="Age",
            Dimensions=[{"Name": "FunctionName", "Value": "process"}],
            Period=3600,
            Statistics=["Sum", "SampleCount"],
            **around_now(),
        )
        return list(found["Datapoints"])

    [point] = eventually(datapoints, "the metric of a log line", 5)
    assert (point["Sum"], point["SampleCount"], point["Unit"]) == (11.5, 2, "Milliseconds")
