"""Alarms, dashboard and saved queries, in the states of wiring.tftest.hcl.

Wrong names of metrics, dimensions and log fields plan and apply without an error, and then nothing
ever comes: so each is compared with what AWS documents, or with what the handlers write.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from shared import telemetry
from tests.support import child
from tests.terraform.wiring.dashboard import faults
from tests.terraform.wiring.names import ALARM, DASHBOARD, OBJECTIVE, QUERY, Resources

ROOT = Path(__file__).resolve().parents[3]
RUNS = ("defaults", "given", "existing", "without_endpoints")
DAY, WEEK = 86400, 7 * 86400

BY_FUNCTION, BY_QUEUE = frozenset({"FunctionName"}), frozenset({"QueueName"})
BY_TABLE = frozenset({"TableName"})
OWN = re.findall(
    r"^([A-Z]\w+) +(?:orders|requests|messages|both|ms)", telemetry.__doc__ or "", re.M
)

# "CloudWatch metrics for your Application Load Balancer", "Types of metrics for Lambda functions",
# "Available CloudWatch metrics for Amazon SQS", "DynamoDB Metrics and dimensions".
DIMENSIONS: dict[str, dict[str, frozenset[str]]] = {
    "AWS/ApplicationELB": {
        "HTTPCode_ELB_5XX_Count": frozenset({"LoadBalancer"}),
        "HTTPCode_Target_5XX_Count": frozenset({"LoadBalancer", "TargetGroup"}),
        "RequestCount": frozenset({"LoadBalancer", "TargetGroup"}),
    },
    "AWS/Lambda": {
        **dict.fromkeys(("Duration", "Errors", "Invocations", "Throttles"), BY_FUNCTION),
        "ConcurrentExecutions": BY_FUNCTION,
        "ClaimedAccountConcurrency": frozenset[str](),
    },
    "AWS/SQS": dict.fromkeys(
        (
            "ApproximateAgeOfOldestMessage",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesVisible",
            "NumberOfMessagesDeleted",
            "NumberOfMessagesReceived",
            "NumberOfMessagesSent",
        ),
        BY_QUEUE,
    ),
    "AWS/DynamoDB": {
        "SystemErrors": frozenset({"TableName", "Operation"}),
        **dict.fromkeys(
            (
                "ConsumedWriteCapacityUnits",
                "WriteAccountLimitThrottleEvents",
                "WriteKeyRangeThroughputThrottleEvents",
                "WriteMaxOnDemandThroughputThrottleEvents",
                "WriteProvisionedThroughputThrottleEvents",
                "WriteThrottleEvents",
            ),
            BY_TABLE,
        ),
    },
    "AsyncIngest": dict.fromkeys(OWN, BY_FUNCTION),
}


class Metric(NamedTuple):
    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]


def alarms(state: Resources) -> dict[str, dict[str, Any]]:
    return {one.split('"')[1]: values for one, values in state.items() if one.startswith(ALARM)}


def of_alarm(alarm: dict[str, Any]) -> Iterator[Metric]:
    queries = [one for query in alarm["metric_query"] for one in query["metric"]]
    for one in queries or [alarm]:
        dimensions = tuple(sorted((one["dimensions"] or {}).items()))
        yield Metric(one["namespace"], one["metric_name"], dimensions)


def drawn(widget: dict[str, Any]) -> Iterator[Metric]:
    for metric in widget["properties"]["metrics"]:
        path = [one for one in metric if isinstance(one, str)]
        if path:
            pairs = zip(path[2::2], path[3::2], strict=True)
            yield Metric(path[0], path[1], tuple(sorted(pairs)))


def body(state: Resources) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(state[DASHBOARD]["dashboard_body"])
    return found


def graphs(state: Resources) -> list[dict[str, Any]]:
    return [one for one in body(state)["widgets"] if one["type"] == "metric"]


@pytest.mark.parametrize("run", RUNS)
def test_an_alarm_is_on_a_metric_that_exists(states: dict[str, Resources], run: str) -> None:
    found = {metric for one in alarms(states[run]).values() for metric in of_alarm(one)}
    if DASHBOARD in states[run]:
        found |= {metric for widget in graphs(states[run]) for metric in drawn(widget)}

    assert len(found) > 20
    for namespace, name, dimensions in found:
        assert DIMENSIONS[namespace][name] == {key for key, _ in dimensions}, (namespace, name)
        assert all(value for _, value in dimensions)


@pytest.mark.parametrize("run", RUNS)
def test_an_alarm_keeps_cloudwatchs_rules(states: dict[str, Resources], run: str) -> None:
    """ "Create a CloudWatch alarm based on a metric math expression", "PutMetricAlarm"."""
    for key, alarm in alarms(states[run]).items():
        queries = {query["id"]: query for query in alarm["metric_query"]}
        periods = {
            period
            for query in queries.values()
            for period in (query["period"], *(one["period"] for one in query["metric"]))
            if period
        } or {alarm["period"]}
        [period] = periods
        assert period % 60 == 0
        assert period * alarm["evaluation_periods"] <= (WEEK if period >= 3600 else DAY), key
        assert 1 <= alarm["datapoints_to_alarm"] <= alarm["evaluation_periods"]
        assert len(alarm["alarm_name"]) <= 255
        assert len(alarm["alarm_description"]) <= 1024
        if queries:
            assert [one for one, query in queries.items() if query["return_data"]] == ["result"]
            assert sum(bool(query["metric"]) for query in queries.values()) <= 10
            for query in queries.values():
                used = re.findall(r"\b[a-z]\w*", query["expression"] or "")
                assert set(used) <= queries.keys() - {query["id"]}, key


def test_an_alarm_says_what_it_means_and_where_to_read_on(states: dict[str, Resources]) -> None:
    runbook = (ROOT / "docs" / "operations.md").read_text()
    objectives = {
        one.split('"')[1]: values
        for one, values in states["given"].items()
        if one.startswith(OBJECTIVE)
    }
    for key, alarm in {**alarms(states["given"]), **objectives}.items():
        means, look, anchor = re.split(r" First look: | Runbook: ", alarm["alarm_description"])
        assert means.endswith(".")
        assert look.split(" Runbook")[0]
        short = re.sub(r"-(1h|5m|6h|30m|BatchExecuteStatement|PutItem)$", "", key)
        assert anchor == f"docs/operations.md#{short}"
        assert f"\n### {short}\n" in runbook


@pytest.mark.parametrize("run", ["defaults", "existing", "without_endpoints"])
def test_the_dashboard_is_valid_and_complete(states: dict[str, Resources], run: str) -> None:
    state = states[run]
    watched = {
        metric
        for key, one in alarms(state).items()
        if not re.search("-(5m|30m)$", key)
        for metric in of_alarm(one)
    }

    assert faults(state[DASHBOARD]["dashboard_body"]) == []
    assert watched <= {metric for widget in graphs(state) for metric in drawn(widget)}
    assert {widget["properties"]["region"] for widget in graphs(state)} == {"eu-central-1"}
    (overview,) = [one for one in body(state)["widgets"] if one["type"] == "alarm"]
    assert set(overview["properties"]["alarms"]) == {
        values["arn"]
        for address, values in state.items()
        if address.startswith((ALARM, OBJECTIVE)) and not re.search('-[0-9]+[hm]"', address)
    }


def test_alarms_with_a_threshold_are_lines_in_a_graph_of_their_metric(
    states: dict[str, Resources],
) -> None:
    state = states["defaults"]
    lines = {
        line["label"].removeprefix("alarm "): (line["value"], set(drawn(widget)))
        for widget in graphs(state)
        for line in widget["properties"]["annotations"]["horizontal"]
    }

    for key, (value, metrics) in lines.items():
        alarm = alarms(state)[key]
        assert value == (alarm["threshold"] or 1), key
        assert set(of_alarm(alarm)) <= metrics, key
    with_threshold = {key for key, alarm in alarms(state).items() if alarm["threshold"]}
    assert {key for key in with_threshold if not re.search("-(5m|30m)$", key)} <= lines.keys()


def test_the_dashboard_reads_in_the_order_of_the_data_flow(states: dict[str, Resources]) -> None:
    rows = [one for one in body(states["defaults"])["widgets"] if one["type"] == "text"]
    rows.sort(key=lambda row: row["y"])

    assert [row["properties"]["markdown"].removeprefix("### ").split(":")[0] for row in rows] == [
        *("Clients to load balancer to ingest", "Ingest", "Queue", "Process", "Table"),
        *("Dead-letter queue", "Objectives"),
    ]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"x": 20}, "outside the grid"),
        ({"y": 4}, "covers widget"),
        ({"width": 1.5}, "not a whole number"),
        ({"type": "chart"}, "unknown type"),
        ({"properties.colour": "red"}, "unknown properties"),
        ({"properties.metrics": []}, "0 metrics"),
        ({"properties.metrics": [["AWS/SQS", "X", "QueueName"]]}, "a dimension without a value"),
        ({"properties.metrics": [[{"expression": "m1 + 1"}]]}, "unknown ids ['m1']"),
        ({"properties.metrics": [["AWS/SQS", "X"]]}, "no label"),
        (
            {"properties.metrics": [[{"expression": "m1 + 1"}], ["AWS/SQS", "X", {"id": "m1"}]]},
            "['m1'] beside m1 + 1",
        ),
        ({"properties.stat": "average"}, "unknown statistic"),
        ({"properties.region": ""}, "no region"),
        ({"properties.yAxis": {"left": {"min": 1}}}, "does not begin at 0"),
        (
            {
                "properties.annotations": {
                    "horizontal": [{"label": "a", "value": 1, "color": "red"}]
                }
            },
            "line {",
        ),
    ],
)
def test_the_validation_sees_mistakes(
    states: dict[str, Resources], change: dict[str, Any], says: str
) -> None:
    document = body(states["defaults"])
    widget = [one for one in document["widgets"] if one["type"] == "metric"][1]
    for path, value in change.items():
        *parents, name = path.split(".")
        (widget[parents[0]] if parents else widget)[name] = value

    assert says in " ".join(faults(json.dumps(document)))


# All lines that the functions write, as Lambda's JSON format has them: its formatter adds these
# fields (aws/aws-lambda-python-runtime-interface-client, lambda_runtime_log_utils.py).
LINES = """
import json, logging, types
def line(record):
    usual = set(vars(logging.makeLogRecord({})))
    extra = {name: value for name, value in vars(record).items() if name not in usual}
    fields = {"timestamp": "", "level": record.levelname, "message": record.getMessage()}
    return json.dumps(fields | {"logger": record.name, "requestId": "r"} | extra)
class Out(logging.Handler):
    def emit(self, record):
        print(line(record))
logging.getLogger().addHandler(Out())
context = types.SimpleNamespace(aws_request_id="r", get_remaining_time_in_millis=lambda: 9000)
"""
INGEST = """
from ingest import handler
from shared.aws import CallError
def refuse(*_): raise CallError("ServiceUnavailable")
headers = {"content-type": "application/json"}
event = {"path": "/lambda/api", "httpMethod": "POST", "headers": headers}
body = '{"order_id":"secret-1","item":"Kopi"}'
for send, text in ((lambda *_: "m-1", body), (refuse, body), (refuse, "not JSON")):
    handler.QUEUE.send = send
    handler.handle(event | {"body": text}, context)
"""
PROCESS = """
from process import handler
from process.messages import Outcome
def record(body, **attributes):
    system = {"SentTimestamp": "1700000000000"}
    return {"messageId": "m-1", "body": body, "attributes": system, "messageAttributes": attributes}
stamp = {"accepted_at": {"stringValue": "1700000000000001", "dataType": "Number"}}
handler.WRITER.write = lambda entries, _: [Outcome.WRITTEN for _ in entries]
handler.DEAD_LETTER_QUEUE.send = lambda *_: "m-2"
good = record('{"order_id":"secret-1","item":"Kopi"}', **stamp)
handler.handle({"Records": [good, record("not JSON", **stamp)]}, context)
def fail(*_): raise ValueError("secret-2")
handler.WRITER.write = fail
handler.handle({"Records": [good]}, context)
"""


@pytest.fixture(scope="module")
def lines() -> list[dict[str, Any]]:
    found = []
    for function, script in (("orders-ingest", INGEST), ("orders-process", PROCESS)):
        result = child.run(LINES + script, AWS_LAMBDA_FUNCTION_NAME=function)
        assert result.returncode == 0, result.stderr
        found += [json.loads(line) for line in result.stdout.splitlines()]
    return found


def test_no_line_has_an_orders_values(lines: list[dict[str, Any]]) -> None:
    assert "secret" not in json.dumps(lines)


def queries(state: Resources) -> dict[str, str]:
    return {
        one.split('"')[1]: values["query_string"]
        for one, values in state.items()
        if one.startswith(QUERY)
    }


KEYWORDS = {
    *("fields", "filter", "stats", "sort", "limit", "by", "as", "asc", "desc", "and", "or", "not"),
    *("in", "like", "ispresent", "count", "pct", "max", "sum", "latest", "bin"),
}


@pytest.mark.parametrize(
    "name",
    [
        *("what happened to this order", "why refused", "why dead-lettered"),
        *("what fails", "what is slow"),
    ],
)
def test_a_query_reads_fields_that_the_lines_have(
    states: dict[str, Resources], lines: list[dict[str, Any]], name: str
) -> None:
    text = queries(states["defaults"])[name]
    code = re.sub(r"^#.*$|\"[^\"]*\"", "", text, flags=re.MULTILINE)
    made = set(re.findall(r"\bas (\w+)", code))
    used = set(re.findall(r"(?<![@\w.])[A-Za-z_]\w*", code)) - KEYWORDS - made

    assert used
    assert used <= {field for line in lines for field in line}
    assert set(re.findall(r"@\w+", code)) <= {"@timestamp", "@message"}
    assert len(text) <= 10000


def test_a_query_of_one_function_names_it_and_reads_its_lines(
    states: dict[str, Resources], lines: list[dict[str, Any]]
) -> None:
    assert 'FunctionName = "async-ingest-ingest"' in queries(states["defaults"])["why refused"]
    refused = [line for line in lines if line.get("status", 0) >= 400]
    assert {line["problem"] for line in refused} == {"unavailable", "invalid-json"}
    dead = [line for line in lines if line.get("message") == "Dead-lettered"]
    assert [(line["message_id"], bool(line["reason"])) for line in dead] == [("m-1", True)]
    levels = re.findall(r'"(\w+)"', queries(states["defaults"])["what fails"])
    assert {line["level"] for line in lines if "level" in line} <= set(levels)
