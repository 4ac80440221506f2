"""One look at a system: traffic, queue, table, dead letters, alarms, versions."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from async_ingest import redrive
from async_ingest.dead_letters import DeadLetter, Selection
from async_ingest.errors import OpsError, described
from async_ingest.system import ALIAS, System

NAMESPACE = "AsyncIngest"
INGEST = ("Accepted", "Rejected", "Failed")
PROCESS = ("Written", "Superseded", "DeadLettered", "Failed")
LOOKED_AT = 1000  # dead letters, of which the reasons are counted
REASONS_SECONDS = 60.0  # for which they are kept: each look is a receive


@dataclass
class Status:
    """What is seen of a system. None is what is not known: no data, or no permission."""

    minutes: int
    ingest: dict[str, float | None]
    process: dict[str, float | None]
    age_ms: float | None
    oldest_seconds: float | None
    visible: int
    in_flight: int
    mapping: str
    dead_letters: int
    reasons: dict[str, int]
    alarms: dict[str, str]
    versions: dict[str, str]
    unknown: list[str]

    def as_json(self) -> dict[str, Any]:
        return vars(self)


class Observer:
    """Looks at a system again and again."""

    def __init__(self, system: System, minutes: int) -> None:
        self._system = system
        self._minutes = minutes
        self._reasons: dict[str, int] = {}
        self._reasons_at = -REASONS_SECONDS

    def look(self) -> Status:
        """Returns the present state. Raises ClientError if not even the queues may be seen."""
        system, unknown = self._system, list[str]()

        def known(read: Any, otherwise: Any) -> Any:
            try:
                return read()
            except ClientError as error:
                unknown.append(described(error))
            except OpsError as error:  # such as that there is no mapping
                unknown.append(str(error))
            return otherwise

        visible, in_flight = system.depth(system.queue_url)
        dead = sum(system.depth(system.dead_letter_url))
        metrics: dict[str, float | None] = known(self._metrics, {})
        return Status(
            minutes=self._minutes,
            ingest={name: metrics.get(f"ingest{name}") for name in INGEST},
            process={name: metrics.get(f"process{name}") for name in PROCESS},
            age_ms=metrics.get("age"),
            oldest_seconds=metrics.get("oldest"),
            visible=visible,
            in_flight=in_flight,
            mapping=known(lambda: str(system.mapping()["State"]), "unknown"),
            dead_letters=dead,
            reasons=known(self._count_reasons, {}) if dead else {},
            alarms=known(self._alarms, {}),
            versions=known(self._versions, {}),
            unknown=unknown,
        )

    def _metrics(self) -> dict[str, float | None]:
        functions = {
            "ingest": self._system.ingest_function,
            "process": self._system.process_function,
        }
        queries = [
            _query(f"{function}{metric}", NAMESPACE, metric, "Sum", FunctionName=name)
            for function, name in functions.items()
            for metric in (INGEST if function == "ingest" else PROCESS)
        ]
        process = functions["process"]
        queries.append(_query("age", NAMESPACE, "Age", "p95", FunctionName=process))
        oldest = "ApproximateAgeOfOldestMessage"
        queries.append(_query("oldest", "AWS/SQS", oldest, "Maximum", QueueName=self._system.name))
        end = datetime.now(UTC)
        answer = self._system.aws.client("cloudwatch").get_metric_data(
            MetricDataQueries=queries,
            StartTime=end - timedelta(minutes=self._minutes),
            EndTime=end,
        )
        found: dict[str, float | None] = {}
        for result in answer["MetricDataResults"]:
            values, metric = result["Values"], result["Id"]
            combine = max if metric in ("age", "oldest") else sum
            found[metric] = combine(values) if values else None
        return found

    def _count_reasons(self) -> dict[str, int]:
        if time.monotonic() - self._reasons_at > REASONS_SECONDS:
            counted = Counter[str]()

            def count(letter: DeadLetter) -> None:
                counted[letter.kind] += 1

            redrive.look(self._system, Selection(limit=LOOKED_AT), count)
            self._reasons, self._reasons_at = dict(counted.most_common()), time.monotonic()
        return self._reasons

    def _alarms(self) -> dict[str, str]:
        pages = (
            self._system.aws.client("cloudwatch")
            .get_paginator("describe_alarms")
            .paginate(
                AlarmNamePrefix=f"{self._system.name}-",
                AlarmTypes=["MetricAlarm", "CompositeAlarm"],
            )
        )
        return {
            alarm["AlarmName"]: alarm["StateValue"]
            for page in pages
            for alarm in (*page.get("MetricAlarms", []), *page.get("CompositeAlarms", []))
        }

    def _versions(self) -> dict[str, str]:
        lambda_ = self._system.aws.client("lambda")
        return {
            name: lambda_.get_alias(FunctionName=name, Name=ALIAS)["FunctionVersion"]
            for name in self._system.functions
        }


def _query(
    query_id: str, namespace: str, metric: str, statistic: str, **dimensions: str
) -> dict[str, Any]:
    return {
        "Id": query_id,
        "MetricStat": {
            "Metric": {
                "Namespace": namespace,
                "MetricName": metric,
                "Dimensions": [
                    {"Name": name, "Value": value} for name, value in dimensions.items()
                ],
            },
            "Period": 60,
            "Stat": statistic,
        },
    }
