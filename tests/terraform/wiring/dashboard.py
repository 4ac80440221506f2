"""What is wrong with a dashboard's body, as far as its format is known.

Sources: "Dashboard Body Structure and Syntax", Amazon CloudWatch API Reference; "CloudWatch service
quotas", Amazon CloudWatch User Guide. PutDashboard accepts more than the console can show.
"""

import itertools
import json
import re
from collections.abc import Iterator
from typing import Any

COLUMNS = 24
MAX_HEIGHT = 1000
MAX_WIDGETS = 500
MAX_METRICS = 500  # of a widget
MAX_ALARMS = 100  # of a widget
MAX_DIMENSIONS = 30
PROPERTIES = {
    "alarm": {"alarms", "title"},
    "text": {"markdown"},
    "metric": {
        *("annotations", "metrics", "period", "region", "stat", "title", "view", "yAxis"),
    },
}
OPTIONS = {"color", "expression", "id", "label", "period", "stat", "visible", "yAxis"}
STATISTIC = re.compile(r"SampleCount|Average|Sum|Minimum|Maximum|p\d{1,2}(\.\d+)?")
COLOR = re.compile(r"#[0-9a-f]{6}")
ID = re.compile(r"[a-z][A-Za-z0-9_]*")


def faults(body: str) -> list[str]:
    """Returns what is wrong, each beginning with the number of the widget."""
    document = json.loads(body)
    widgets = document["widgets"]
    found = [] if set(document) <= {"widgets"} else [f"unknown: {sorted(document)}"]
    if len(widgets) > MAX_WIDGETS:
        found.append(f"{len(widgets)} widgets")
    for number, widget in enumerate(widgets):
        found += [f"{number}: {fault}" for fault in _of_widget(widget)]
    for (one, first), (other, second) in itertools.combinations(enumerate(widgets), 2):
        if _overlap(first, second):
            found.append(f"{other}: covers widget {one}")
    return found


def _of_widget(widget: dict[str, Any]) -> Iterator[str]:
    x, y, width, height = (widget[name] for name in ("x", "y", "width", "height"))
    if any(type(one) is not int for one in (x, y, width, height)):
        yield f"not a whole number: {x} {y} {width} {height}"
    if not (
        x >= 0 and y >= 0 and width >= 1 and x + width <= COLUMNS and 1 <= height <= MAX_HEIGHT
    ):
        yield f"outside the grid: {x} {y} {width} {height}"
    properties = widget["properties"]
    known = PROPERTIES.get(widget["type"])
    if known is None:
        yield f"unknown type {widget['type']}"
        return
    if set(properties) - known:
        yield f"unknown properties {sorted(set(properties) - known)}"
    if widget["type"] == "alarm" and not 1 <= len(properties["alarms"]) <= MAX_ALARMS:
        yield f"{len(properties['alarms'])} alarms"
    if widget["type"] == "metric":
        yield from _of_metrics(properties)


def _of_metrics(properties: dict[str, Any]) -> Iterator[str]:
    metrics = properties["metrics"]
    if not 1 <= len(metrics) <= MAX_METRICS:
        yield f"{len(metrics)} metrics"
    if not properties.get("region"):
        yield "no region"
    if properties["view"] not in ("timeSeries", "singleValue", "gauge", "bar", "pie", "table"):
        yield f"unknown view {properties['view']}"
    if properties["yAxis"] != {"left": {"min": 0}}:
        yield f"a scale that does not begin at 0: {properties['yAxis']}"
    if properties["period"] % 60:
        yield f"period {properties['period']}"
    yield from _of_ids(metrics)
    for metric in metrics:
        yield from _of_metric(metric, properties["stat"])
    for line in properties["annotations"]["horizontal"]:
        if not COLOR.fullmatch(line["color"]) or set(line) != {"color", "label", "value"}:
            yield f"line {line}"
        if not isinstance(line["value"], int | float):
            yield f"a line at {line['value']}"


def _of_metric(metric: list[Any], statistic: str) -> Iterator[str]:
    *path, options = metric if isinstance(metric[-1], dict) else (*metric, {})
    if set(options) - OPTIONS:
        yield f"unknown options {sorted(set(options) - OPTIONS)}"
    if not STATISTIC.fullmatch(options.get("stat", statistic)):
        yield f"unknown statistic {options.get('stat', statistic)}"
    if ("expression" in options) == bool(path):
        yield f"neither a metric nor an expression: {metric}"
    if path and (len(path) < 2 or len(path) % 2 or len(path) > 2 + 2 * MAX_DIMENSIONS):
        yield f"a dimension without a value: {path}"
    if not all(isinstance(one, str) and one for one in path):
        yield f"not text: {path}"
    if _is_drawn(options) and not options.get("label"):
        yield f"no label: {metric}"


def _is_drawn(options: dict[str, Any]) -> bool:
    return options.get("visible") is not False


def _of_ids(metrics: list[list[Any]]) -> Iterator[str]:
    shown = [one[-1] for one in metrics if isinstance(one[-1], dict)]
    ids = [one["id"] for one in shown if "id" in one]
    if len(set(ids)) < len(ids) or not all(map(ID.fullmatch, ids)):
        yield f"ids {ids}"
    for expression in (one["expression"] for one in shown if "expression" in one):
        read = set(ID.findall(re.sub(r"[A-Z_]+\(", "(", expression)))
        if unknown := read - set(ids):
            yield f"unknown ids {sorted(unknown)} in {expression}"
        if drawn := [one["id"] for one in shown if one.get("id") in read and _is_drawn(one)]:
            yield f"{drawn} beside {expression}, which is on another scale"
    if metrics and not any(map(_is_drawn, shown)):
        yield "nothing is visible"


def _overlap(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return bool(
        one["x"] < other["x"] + other["width"]
        and other["x"] < one["x"] + one["width"]
        and one["y"] < other["y"] + other["height"]
        and other["y"] < one["y"] + one["height"]
    )
