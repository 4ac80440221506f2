"""local/patches/cloudwatch.py: what CloudWatch keeps of alarms and dashboards."""

import json
import urllib.parse
import xml.etree.ElementTree as ET
from typing import Any

from local.emulator import REGION, Emulator
from local.http_client import send
from tests.local.patches.checks import Checks, code_of

check = Checks("cloudwatch")

(
    test_every_patch_has_a_check,
    test_the_check_passes_with_the_patch,
    test_the_check_fails_without_the_patch,
) = check.tests()

DEPTH: dict[str, Any] = {
    "AlarmName": "<depth>",
    "Namespace": "AWS/SQS",
    "MetricName": "ApproximateNumberOfMessagesVisible",
    "Dimensions": [{"Name": "QueueName", "Value": "orders"}],
    "Statistic": "Maximum",
    "Period": 60,
    "EvaluationPeriods": 3,
    "Threshold": 1.5,
    "ComparisonOperator": "GreaterThanThreshold",
    "TreatMissingData": "notBreaching",
    "AlarmActions": ["arn:aws:sns:us-east-1:000000000000:operators"],
}
SHARE: dict[str, Any] = {
    "AlarmName": "share",
    "EvaluationPeriods": 3,
    "DatapointsToAlarm": 2,
    "Threshold": 5.0,
    "ComparisonOperator": "GreaterThanThreshold",
    "Metrics": [
        {
            "Id": "bad",
            "MetricStat": {
                "Metric": {
                    "Namespace": "Orders",
                    "MetricName": "Rejected",
                    "Dimensions": [{"Name": "FunctionName", "Value": "ingest"}],
                },
                "Period": 300,
                "Stat": "Sum",
                "Unit": "Count",
            },
            "ReturnData": False,
            "AccountId": "000000000000",
        },
        {
            "Id": "result",
            "Expression": "IF(bad >= 1, 100, 0)",
            "Label": "Share & more",
            "Period": 300,
            "ReturnData": True,
        },
    ],
}


def query(emulator: Emulator, action: str, **parameters: str) -> str:
    """Calls CloudWatch by the query protocol, which the AWS provider uses and boto3 does not."""
    credential = f"Credential=test/20260101/{REGION}/monitoring/aws4_request"
    return send(
        emulator.endpoint_url,
        urllib.parse.urlencode({"Action": action, "Version": "2010-08-01"} | parameters).encode(),
        headers={
            "Authorization": f"AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=0",
            "Content-Type": "application/x-www-form-urlencoded",
        },
    ).body.decode()


@check()
def the_query_protocol_has_the_whole_answer(emulator: Emulator) -> None:
    emulator.client("cloudwatch").put_metric_alarm(**DEPTH)

    xml = query(emulator, "DescribeAlarms", **{"AlarmNames.member.1": "<depth>"})

    for member in (
        "<AlarmName>&lt;depth&gt;</AlarmName>",
        "<Threshold>1.5</Threshold>",
        "<TreatMissingData>notBreaching</TreatMissingData>",
        "<ActionsEnabled>true</ActionsEnabled>",
        "<Dimensions><member><Name>QueueName</Name><Value>orders</Value></member></Dimensions>",
        "<AlarmActions><member>arn:aws:sns:us-east-1:000000000000:operators</member></AlarmActions>",
    ):
        assert member in xml
    body = json.dumps({"widgets": [{"type": "text", "properties": {"markdown": "a < b & c"}}]})
    query(emulator, "PutDashboard", DashboardName="d", DashboardBody=body)
    read = ET.fromstring(query(emulator, "GetDashboard", DashboardName="d"))  # noqa: S314
    assert read.findtext(".//{*}DashboardBody") == body
    assert "<Code>ResourceNotFound</Code>" in query(emulator, "GetDashboard", DashboardName="x")


@check()
def alarms_keep_their_metrics(emulator: Emulator) -> None:
    cloudwatch = emulator.client("cloudwatch")

    cloudwatch.put_metric_alarm(**SHARE)

    [alarm] = cloudwatch.describe_alarms(AlarmNames=["share"])["MetricAlarms"]
    assert alarm.get("Metrics") == SHARE["Metrics"]
    assert not {"Namespace", "MetricName", "Statistic", "Period", "Dimensions"} & alarm.keys()
    bad, result = SHARE["Metrics"]
    for refused in (
        SHARE | {"Metrics": [bad, result | {"ReturnData": False}]},
        SHARE | {"Metrics": [bad | {"ReturnData": True}, result]},
        SHARE | {"MetricName": "Rejected", "Namespace": "Orders"},
        SHARE | {"DatapointsToAlarm": 4},
        SHARE | {"EvaluationPeriods": 289},
        DEPTH | {"ExtendedStatistic": "p90"},
    ):
        assert code_of(cloudwatch.put_metric_alarm, **refused) == "ValidationError"


@check()
def dashboards_are_checked(emulator: Emulator) -> None:
    cloudwatch = emulator.client("cloudwatch")

    def refusal(body: str) -> str | None:
        return code_of(cloudwatch.put_dashboard, DashboardName="d", DashboardBody=body)

    text = {"type": "text", "properties": {"markdown": "x"}, "x": 0, "width": 24}
    assert refusal(json.dumps({"widgets": [text]})) is None
    for body in (
        "{",
        "[]",
        '{"widgets": {}}',
        json.dumps({"widgets": [text | {"type": "unknown"}]}),
        json.dumps({"widgets": [text | {"properties": None}]}),
        json.dumps({"widgets": [text | {"width": 25}]}),
        json.dumps({"widgets": [text] * 501}),
    ):
        assert refusal(body) == "InvalidParameterInput"
