"""What the emulator's CloudWatch keeps of alarms and dashboards, and answers about them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

import botocore.session

from local.patches import around, internal, patch

JsonObject = dict[str, Any]
Response = tuple[int, dict[str, str], bytes]

JSON_TARGET = "GraniteServiceVersion20100801"  # targetPrefix of the service's model
# Kept as sent. "MetricAlarm", Amazon CloudWatch API Reference.
MEMBERS_KEPT = ("Metrics", "EvaluateLowSampleCountPercentile", "ThresholdMetricId")
# What the emulator makes up when it is absent, as in alarms on metric math.
MEMBERS_MADE_UP = (
    *("Namespace", "MetricName", "Dimensions", "Statistic", "ExtendedStatistic"),
    *("Period", "Threshold", "Unit"),
)
MAX_METRICS = 10  # "Create a CloudWatch alarm based on a metric math expression"
DAY, WEEK = 86_400, 7 * 86_400
MAX_WIDGETS = 500
WIDGET_TYPES = {"alarm", "chart", "custom", "explorer", "log", "metric", "text"}


@patch
def the_query_protocol_has_the_whole_answer() -> None:
    """AWS: every protocol of CloudWatch has the same content.

    The actions of the Amazon CloudWatch API Reference. The emulator omits, in the query protocol
    that terraform-provider-aws uses, most members of an alarm, metrics of an alarm on metric math,
    and does not escape the body of a dashboard. Here a query is read, and its answer written, by
    the service's model in botocore; between them, it is a call in JSON.
    """
    model = botocore.session.Session().get_service_model("cloudwatch")
    error = internal("services.cloudwatch", "_error")
    xml_response = internal("services.cloudwatch", "_xml")

    @around("services.cloudwatch", "handle_request")
    async def handle(  # noqa: PLR0917 - as the emulator has it
        original: Any, method: Any, path: Any, headers: Any, body: Any, query_params: Any
    ) -> Response:
        given = dict(query_params) | parse_qs(body.decode(errors="replace"), keep_blank_values=True)
        action = given.get("Action", [""])[0]
        is_query = "x-amz-target" not in headers and "smithy-protocol" not in headers
        if not is_query or action not in model.operation_names:
            answer: Response = await original(method, path, headers, body, query_params)
            return answer
        operation = model.operation_model(action)
        data = _from_query(operation.input_shape, _nested(given)) if operation.input_shape else {}
        as_json = {
            **headers,
            "content-type": "application/x-amz-json-1.0",
            "x-amz-target": f"{JSON_TARGET}.{action}",
        }
        status, _, content = await original("POST", "/", as_json, json.dumps(data).encode(), {})
        result = json.loads(content or "{}")
        if status != 200:
            return error(result["__type"], result["message"], status)  # type: ignore[no-any-return]
        inner = _to_xml(operation.output_shape, result) if operation.output_shape else ""
        wrapped = f"<{action}Result>{inner}</{action}Result>"
        return xml_response(200, f"{action}Response", wrapped)  # type: ignore[no-any-return]


def _nested(parameters: dict[str, list[str]]) -> JsonObject:
    """Turns {"A.member.1": ["x"]} into {"A": {"member": {"1": {"": "x"}}}}."""
    root: JsonObject = {}
    for name, values in parameters.items():
        node = root
        for part in name.split("."):
            node = node.setdefault(part, {})
        node[""] = values[0]
    return root


def _from_query(shape: Any, node: JsonObject) -> Any:
    """Converts the part of a query that has a shape of the model."""
    match shape.type_name:
        case "structure":
            return {
                name: _from_query(member, node[name])
                for name, member in shape.members.items()
                if name in node
            }
        case "list":  # an empty one is sent as "Dimensions="
            members = node.get("member", {})
            return [_from_query(shape.member, members[key]) for key in sorted(members, key=int)]
        case "boolean":
            return node[""].lower() == "true"
        case "integer" | "long":
            return int(node[""])
        case "double" | "float":
            return float(node[""])
        case _:
            return node[""]


def _to_xml(shape: Any, value: Any) -> str:
    """Converts JSON that has a shape of the model to an answer in the query protocol."""
    match shape.type_name:
        case "structure":
            return "".join(
                f"<{name}>{_to_xml(member, value[name])}</{name}>"
                for name, member in shape.members.items()
                if value.get(name) is not None
            )
        case "list":
            return "".join(f"<member>{_to_xml(shape.member, one)}</member>" for one in value)
        case "boolean":
            return str(value).lower()
        case "timestamp" if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC).isoformat()
        case _:
            return escape(str(value))


@patch
def alarms_keep_their_metrics() -> None:
    """AWS: an alarm watches a metric, or metric math of queries of which one returns data.

    "PutMetricAlarm" and "MetricDataQuery", Amazon CloudWatch API Reference; "Create a CloudWatch
    alarm based on a metric math expression", Amazon CloudWatch User Guide. What an alarm was
    created without is absent from its description. Without TreatMissingData, an alarm on a metric
    of AWS/DynamoDB ignores missing data. The emulator drops `Metrics`, and gives every alarm a
    metric, a statistic, a period and a threshold.
    """
    alarms = internal("services.cloudwatch", "_alarms")
    error = internal("services.cloudwatch", "_error")

    @around("services.cloudwatch", "_put_metric_alarm")
    def put(
        original: Any, params: Any, cbor_data: Any, is_cbor: bool, is_json: bool = False
    ) -> Response:
        if not (is_cbor or is_json):
            unconverted: Response = original(params, cbor_data, is_cbor, is_json)
            return unconverted
        if text := _refusal_of_alarm(cbor_data):
            return error("ValidationError", text, 400, use_json=is_json, use_cbor=is_cbor)  # type: ignore[no-any-return]
        answer: Response = original(params, cbor_data, is_cbor, is_json)
        if answer[0] == 200:
            alarm = alarms[cbor_data["AlarmName"]]
            for name in MEMBERS_MADE_UP:
                if cbor_data.get(name) in (None, ""):
                    alarm.pop(name, None)
            alarm |= {name: cbor_data[name] for name in MEMBERS_KEPT if cbor_data.get(name)}
        return answer


def _refusal_of_alarm(data: JsonObject) -> str | None:
    """Says why AWS would refuse an alarm, in words of our own, or returns None."""
    queries = data.get("Metrics") or []
    if bool(queries) == bool(data.get("MetricName")):
        return "An alarm has either MetricName or Metrics."
    if queries and (text := _refusal_of_queries(queries)):
        return text
    if not queries and bool(data.get("Statistic")) == bool(data.get("ExtendedStatistic")):
        return "An alarm on a metric has either Statistic or ExtendedStatistic."
    period = int(
        next(one["MetricStat"]["Period"] for one in queries if one.get("MetricStat"))
        if queries
        else data.get("Period") or 0
    )
    if period not in {10, 20, 30} and (period < 60 or period % 60):
        return "A period is 10, 20, 30, or a multiple of 60."
    of, least = int(data["EvaluationPeriods"]), int(data.get("DatapointsToAlarm") or 1)
    if least > of:
        return "DatapointsToAlarm is at most EvaluationPeriods."
    if of * period > (WEEK if period >= 3600 else DAY):
        return "An alarm looks at one day at most, or 7 days if its period is an hour or more."
    return None


def _refusal_of_queries(queries: list[JsonObject]) -> str | None:
    if sum(query.get("ReturnData", True) for query in queries) != 1:
        return "Exactly one element of the metrics list should return data."
    if any(bool(query.get("MetricStat")) == bool(query.get("Expression")) for query in queries):
        return "An element of the metrics list has either MetricStat or Expression."
    stats = [query["MetricStat"] for query in queries if query.get("MetricStat")]
    if not 1 <= len(stats) <= MAX_METRICS:
        return f"An alarm has 1 to {MAX_METRICS} metrics."
    if len({query["Id"] for query in queries}) != len(queries):
        return "The Ids of the metrics list differ."
    if not all(query["Id"][:1].islower() for query in queries):
        return "An Id begins with a lowercase letter."
    if len({int(stat["Period"]) for stat in stats}) > 1:
        return "Metrics of an alarm have the same period."
    return None


@patch
def dashboards_are_checked() -> None:
    """AWS: PutDashboard refuses a body that is not JSON, or has invalid widgets.

    "PutDashboard", Amazon CloudWatch API Reference; "Dashboard body structure and syntax" there has
    the rules, of which the basic ones are checked here: JSON, at most 500 widgets, their type,
    properties and place in a grid of 24 columns. The emulator stores whatever it gets.
    """
    error = internal("services.cloudwatch", "_error")

    @around("services.cloudwatch", "_put_dashboard")
    def put(
        original: Any, params: Any, cbor_data: Any, is_cbor: bool, is_json: bool = False
    ) -> Response:
        body = cbor_data if is_cbor or is_json else {"DashboardBody": params["DashboardBody"][0]}
        if faults := list(_faults_of_dashboard(body.get("DashboardBody", ""))):
            text = f"The dashboard body is invalid: {'; '.join(faults)}"
            return error("InvalidParameterInput", text, 400, use_json=is_json, use_cbor=is_cbor)  # type: ignore[no-any-return]
        answer: Response = original(params, cbor_data, is_cbor, is_json)
        return answer


def _faults_of_dashboard(text: str) -> list[str]:
    try:
        body = json.loads(text)
    except ValueError as fault:
        return [f"it is not JSON: {fault}"]
    widgets = body.get("widgets") if isinstance(body, dict) else None
    if not isinstance(widgets, list):
        return ["it has no array widgets"]
    faults = [] if len(widgets) <= MAX_WIDGETS else [f"it has more than {MAX_WIDGETS} widgets"]
    for number, widget in enumerate(widgets):
        if not isinstance(widget, dict):
            faults.append(f"/widgets/{number} is not an object")
            continue
        if widget.get("type") not in WIDGET_TYPES:
            faults.append(f"/widgets/{number}/type is unknown")
        if not isinstance(widget.get("properties"), dict):
            faults.append(f"/widgets/{number}/properties is not an object")
        limits = {"x": (0, 23), "y": (0, None), "width": (1, 24), "height": (1, 1000)}
        for name, (low, high) in limits.items():
            place = widget.get(name, low)
            if not isinstance(place, int) or place < low or (high is not None and place > high):
                faults.append(f"/widgets/{number}/{name} is out of range")
    return faults
