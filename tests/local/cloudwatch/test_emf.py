"""Metrics in log lines."""

import json
from typing import Any

import pytest

from local.cloudwatch.emf import metrics_in
from local.cloudwatch.series import Metric


def line(**members: Any) -> str:
    directive = {
        "Namespace": "Orders",
        "Dimensions": [["FunctionName"], ["FunctionName", "Reason"]],
        "Metrics": [{"Name": "Written", "Unit": "Count"}, {"Name": "Age"}],
    }
    about = {"Timestamp": 1_800_000_000_000, "CloudWatchMetrics": [directive]}
    return json.dumps(
        {"_aws": about, "FunctionName": "process", "Reason": "late", "Written": 3} | members
    )


def test_each_set_of_dimensions_is_a_metric() -> None:
    found = list(metrics_in(line(Age=[1, 2.5])))

    one = {"FunctionName": "process"}
    both = one | {"Reason": "late"}
    assert [(datum.metric, datum.values, datum.unit) for datum in found] == [
        (Metric.of("Orders", "Written", one), (3.0,), "Count"),
        (Metric.of("Orders", "Written", both), (3.0,), "Count"),
        (Metric.of("Orders", "Age", one), (1.0, 2.5), "None"),
        (Metric.of("Orders", "Age", both), (1.0, 2.5), "None"),
    ]
    assert {datum.at for datum in found} == {1_800_000_000.0}


@pytest.mark.parametrize(
    ("members", "names"),
    [
        ({"Written": "3"}, set()),
        ({"Written": [1] * 101}, set()),
        ({"Written": True}, set()),
        ({"Written": []}, set()),
        ({"_aws": "x"}, set()),
        ({}, {"Written"}),
    ],
)
def test_what_is_no_number_is_no_metric(members: dict[str, Any], names: set[str]) -> None:
    assert {datum.metric.name for datum in metrics_in(line(**members))} == names


@pytest.mark.parametrize("text", ["", "REPORT", '{"_aws"', '["_aws"]', '{"_aws": 1}', "{}"])
def test_other_lines_have_none(text: str) -> None:
    assert list(metrics_in(text)) == []


def test_a_set_with_an_absent_dimension_is_left_out() -> None:
    members = json.loads(line())
    del members["Reason"]

    found = list(metrics_in(json.dumps(members)))

    assert [datum.metric.dimensions for datum in found] == [(("FunctionName", "process"),)]
