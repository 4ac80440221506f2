"""CloudWatch's metrics: what is put, what is asked for, and what log lines hold."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from local.cloudwatch.alarms import results
from local.cloudwatch.clock import Clock
from local.cloudwatch.emf import metrics_in
from local.cloudwatch.maths import ExpressionError, Grid
from local.cloudwatch.series import MINUTE, Metric, Store
from local.patches import around, internal, patch

JsonObject = dict[str, Any]
Response = tuple[int, dict[str, str], bytes]

store = Store()
clock = Clock()
# Called for each minute of CloudWatch's clock, in this order, with the time of its end.
each_minute: list[Callable[[float], None]] = []


@patch
def metrics_are_found_by_their_dimensions() -> None:  # noqa: PLR0915 - the whole of an API
    """AWS: a metric is one exact set of dimensions, and GetMetricData evaluates metric math.

    "CloudWatch concepts", Amazon CloudWatch User Guide; "GetMetricData" and "GetMetricStatistics",
    Amazon CloudWatch API Reference. The emulator takes an absent set of dimensions for any, answers
    expressions with an error, and keeps each value for two weeks. Here a minute of a metric is one
    entry. (Metrics are not saved with the state.)
    """
    parse_time = internal("services.cloudwatch", "_parse_ts")
    cbor_time = internal("services.cloudwatch", "_cbor_timestamp")
    error = internal("services.cloudwatch", "_error")

    @around("services.cloudwatch", "record_metric")
    def record(
        _: Any,
        namespace: str,
        metric_name: str,
        value: float,
        unit: str = "None",
        dimensions: Any = None,
    ) -> None:
        store.add(Metric.of(namespace, metric_name, dimensions or {}), value, clock.now(), unit)

    @around("services.cloudwatch", "_store_datum")
    def store_datum(  # noqa: PLR0917 - as the emulator has it
        _: Any,
        namespace: str,
        name: str,
        dims: dict[str, str],
        ts: float,
        unit: str,
        value: Any,
        values: Any,
        counts: Any,
        stat_values: Any,
    ) -> None:
        metric = Metric.of(namespace, name, dims)
        if stat_values is not None:
            members = ("SampleCount", "Sum", "Minimum", "Maximum")
            count, total, low, high = (float(stat_values[member]) for member in members)
            store.add_set(metric, ts, unit, (count, total, low, high))
            return
        values = [float(value or 0)] if values is None else values
        for one, weight in zip(values, counts or [1.0] * len(values), strict=True):
            store.add(metric, float(one), ts, unit, float(weight))

    def encode(data: JsonObject, is_cbor: bool) -> Response:
        answer = internal("services.cloudwatch", "_cbor_ok" if is_cbor else "_json_ok")
        return answer(data)  # type: ignore[no-any-return]

    def encoded(at: float, is_cbor: bool) -> Any:
        return cbor_time(at) if is_cbor else int(at)

    def times(data: JsonObject, period: int) -> Grid:
        start, end = parse_time(data["StartTime"]), parse_time(data["EndTime"])
        first = math.floor(start / period) * period
        return Grid([float(at) for at in range(first, math.ceil(end), period)], period)

    @around("services.cloudwatch", "_list_metrics")
    def list_metrics(
        _: Any,
        params: Any,  # noqa: ARG001
        cbor_data: Any,
        is_cbor: bool,
        is_json: bool = False,  # noqa: ARG001
    ) -> Response:
        wanted = {(one["Name"], one.get("Value")) for one in cbor_data.get("Dimensions") or []}

        def matches(metric: Metric) -> bool:
            names = dict(metric.dimensions)
            return (
                cbor_data.get("Namespace") in (None, metric.namespace)
                and cbor_data.get("MetricName") in (None, metric.name)
                and all(name in names and value in (None, names[name]) for name, value in wanted)
            )

        found = [
            {
                "Namespace": one.namespace,
                "MetricName": one.name,
                "Dimensions": [{"Name": name, "Value": value} for name, value in one.dimensions],
            }
            for one in store.metrics()
            if matches(one)
        ]
        return encode({"Metrics": found}, is_cbor)

    @around("services.cloudwatch", "_get_metric_statistics")
    def get_metric_statistics(
        _: Any,
        params: Any,  # noqa: ARG001
        cbor_data: Any,
        is_cbor: bool,
        is_json: bool = False,  # noqa: ARG001
    ) -> Response:
        data = cbor_data
        names = {one["Name"]: one["Value"] for one in data.get("Dimensions") or []}
        metric = Metric.of(data["Namespace"], data["MetricName"], names)
        grid = times(data, int(data["Period"]))
        points = []
        for at in grid.timestamps:
            found = store.statistics(metric, at, at + grid.period, data.get("Unit"))
            if found.count:
                point: JsonObject = {name: found.get(name) for name in data.get("Statistics") or []}
                if extended := data.get("ExtendedStatistics"):
                    point["ExtendedStatistics"] = {name: found.get(name) for name in extended}
                unit = (store.units(metric) or ["None"])[0]
                points.append(point | {"Timestamp": encoded(at, is_cbor), "Unit": unit})
        return encode({"Datapoints": points, "Label": metric.name}, is_cbor)

    @around("services.cloudwatch", "_get_metric_data")
    def get_metric_data(
        _: Any,
        params: Any,  # noqa: ARG001
        cbor_data: Any,
        is_cbor: bool,
        is_json: bool = False,
    ) -> Response:
        queries = cbor_data["MetricDataQueries"]
        periods = [int(one["MetricStat"]["Period"]) for one in queries if one.get("MetricStat")]
        grid = times(cbor_data, max(periods, default=MINUTE))
        try:
            known = results(queries, store, grid)
        except ExpressionError as fault:
            return error("ValidationError", str(fault), 400, use_json=is_json, use_cbor=is_cbor)  # type: ignore[no-any-return]
        newest_first = cbor_data.get("ScanBy") != "TimestampAscending"
        answers = []
        for query in queries:
            if not query.get("ReturnData", True):
                continue
            found = known[query["Id"]]
            if isinstance(found, float):
                found = dict.fromkeys(grid.timestamps, found)
            for points in found if isinstance(found, list) else [found]:
                ordered = sorted(points, reverse=newest_first)
                answers.append(
                    {
                        "Id": query["Id"],
                        "Label": query.get("Label") or query["Id"],
                        "StatusCode": "Complete",
                        "Timestamps": [encoded(at, is_cbor) for at in ordered],
                        "Values": [points[at] for at in ordered],
                    }
                )
        return encode({"MetricDataResults": answers}, is_cbor)

    @around("services.cloudwatch", "reset")
    def reset(original: Any) -> None:
        original()
        store.clear()


@patch
def log_lines_become_metrics() -> None:
    """AWS: a log line in the embedded metric format becomes metrics.

    "Specification: Embedded metric format", Amazon CloudWatch User Guide. The emulator keeps the
    line only.
    """

    @around("services.cloudwatch_logs", "_append_log_events")
    def append(original: Any, stream: JsonObject, events: list[JsonObject]) -> None:
        original(stream, events)
        for event in events:
            for datum in metrics_in(event["message"]):
                at = clock.of(datum.at or event["timestamp"] / 1000)
                for value in datum.values:
                    store.add(datum.metric, value, at, datum.unit)
