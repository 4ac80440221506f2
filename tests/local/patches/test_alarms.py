"""local/patches/alarms.py: a clock that tests move, and evaluation once a minute."""

import json
from typing import Any

from local.emulator import Emulator
from local.http_client import send
from local.waiting import eventually
from tests.local.patches.checks import Checks

check = Checks("alarms")

(
    test_every_patch_has_a_check,
    test_the_check_passes_with_the_patch,
    test_the_check_fails_without_the_patch,
) = check.tests()


def alarm(name: str, **changes: Any) -> dict[str, Any]:
    return {
        "AlarmName": name,
        "Namespace": "Orders",
        "MetricName": "Failed",
        "Dimensions": [{"Name": "FunctionName", "Value": "process"}],
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 3,
        "DatapointsToAlarm": 2,
        "Threshold": 0.0,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
    } | changes


def states(emulator: Emulator) -> dict[str, str]:
    found = emulator.client("cloudwatch").describe_alarms(
        AlarmTypes=["MetricAlarm", "CompositeAlarm"]
    )
    every = found["MetricAlarms"] + found["CompositeAlarms"]
    return {one["AlarmName"]: one["StateValue"] for one in every}


def put_failed(emulator: Emulator) -> None:
    datum = {
        "MetricName": "Failed",
        "Value": 1,
        "Dimensions": [{"Name": "FunctionName", "Value": "process"}],
    }
    emulator.client("cloudwatch").put_metric_data(Namespace="Orders", MetricData=[datum])


@check()
def cloudwatch_has_a_clock_of_its_own(emulator: Emulator) -> None:
    def clock(method: str, query: str = "") -> float:
        url = f"{emulator.endpoint_url}/_ministack/cloudwatch/clock{query}"
        answer = send(url, method=method, tls=emulator.tls_context)
        assert answer.status == 200
        assert "now" in answer.json
        return float(answer.json["now"])

    before = clock("GET")
    assert clock("POST", "?seconds=21600") >= before + 21600
    assert clock("POST", "?seconds=864000&skip=1") >= before + 21600 + 864000
    emulator.reset()
    assert clock("GET") < before + 600


@check()
def alarms_are_evaluated_each_minute(emulator: Emulator) -> None:
    cloudwatch = emulator.client("cloudwatch")
    sns, sqs = emulator.client("sns"), emulator.client("sqs")
    topic = sns.create_topic(Name="operators")["TopicArn"]
    url = sqs.create_queue(QueueName="mail")["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue["QueueArn"])
    for one in (
        alarm("failed", AlarmActions=[topic]),
        alarm("wrong dimension", Dimensions=[]),
        alarm("wrong datapoints", DatapointsToAlarm=3),
        alarm("breaching", MetricName="Other", TreatMissingData="breaching"),
        alarm("missing", MetricName="Other", TreatMissingData="missing"),
    ):
        cloudwatch.put_metric_alarm(**one)
    rule = 'ALARM("failed") AND NOT ALARM("wrong dimension")'
    cloudwatch.put_composite_alarm(AlarmName="both", AlarmRule=rule)
    for _ in range(2):
        put_failed(emulator)
        emulator.move_cloudwatch_clock(60)

    assert states(emulator) == {
        "failed": "ALARM",
        "wrong dimension": "OK",
        "wrong datapoints": "OK",
        "breaching": "ALARM",
        "missing": "INSUFFICIENT_DATA",
        "both": "ALARM",
    }
    [mail] = eventually(
        lambda: sqs.receive_message(QueueUrl=url).get("Messages"), "a notification", 10
    )
    assert json.loads(json.loads(mail["Body"])["Message"])["NewStateValue"] == "ALARM"
    emulator.move_cloudwatch_clock(600)
    assert states(emulator)["failed"] == "OK"
    assert states(emulator)["both"] == "OK"
    items = cloudwatch.describe_alarm_history(AlarmName="failed", HistoryItemType="StateUpdate")
    assert [
        json.loads(one["HistoryData"])["newState"]["stateValue"]
        for one in items["AlarmHistoryItems"][:2]
    ] == ["OK", "ALARM"]
