"""The alarms of an emulator, as an operator sees them, and its CloudWatch's clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from local.emulator import Emulator
from local.waiting import NotInTimeError

MINUTE = 60


class Monitoring:
    """Alarms and metrics of an emulator.

    Args:
        emulator: It must be running.
        prefix: Of the names of the alarms that are meant.
    """

    def __init__(self, emulator: Emulator, prefix: str = "") -> None:
        self._emulator = emulator
        self._prefix = prefix
        self.cloudwatch = emulator.client("cloudwatch")

    def alarms(self) -> dict[str, dict[str, Any]]:
        """Returns metric and composite alarms by name, as DescribeAlarms has them."""
        pages = self.cloudwatch.get_paginator("describe_alarms").paginate(
            AlarmTypes=["MetricAlarm", "CompositeAlarm"], AlarmNamePrefix=self._prefix
        )
        return {
            one["AlarmName"]: one
            for page in pages
            for one in (*page["MetricAlarms"], *page["CompositeAlarms"])
        }

    def states(self) -> dict[str, str]:
        """Returns the states of the alarms by name."""
        return {name: one["StateValue"] for name, one in self.alarms().items()}

    def state(self, name: str) -> str:
        """Returns the state of one alarm. Raises KeyError if there is none of this name."""
        return str(self.alarms()[name]["StateValue"])

    def move(self, seconds: float, *, skip: bool = False) -> None:
        """Moves CloudWatch's clock: see `Emulator.move_cloudwatch_clock`."""
        self._emulator.move_cloudwatch_clock(seconds, skip=skip)

    def move_until(self, name: str, state: str, minutes: int = 60, *, step: int = MINUTE) -> int:
        """Moves the clock, by seconds a step, until an alarm is in a state. Returns the minutes.

        Raises:
            NotInTimeError: It is not within so many minutes; the message has the alarm's reason.
        """
        for passed in range(0, minutes * MINUTE + 1, step):
            alarm = self.alarms()[name]
            if alarm["StateValue"] == state:
                return passed // MINUTE
            self.move(step)
        raise NotInTimeError(
            f"{name} is {alarm['StateValue']}, not {state}, after {minutes} minutes of "
            f"CloudWatch's clock: {alarm['StateReason']}"
        )

    def transitions(self, name: str) -> list[str]:
        """Returns the states that an alarm has gone into, oldest first."""
        pages = self.cloudwatch.get_paginator("describe_alarm_history").paginate(
            AlarmName=name,
            AlarmTypes=["MetricAlarm", "CompositeAlarm"],
            HistoryItemType="StateUpdate",
            ScanBy="TimestampAscending",
        )
        return [
            item["HistorySummary"].rpartition(" ")[2]
            for page in pages
            for item in page["AlarmHistoryItems"]
        ]

    def put(
        self,
        namespace: str,
        name: str,
        dimensions: Mapping[str, str],
        values: Iterable[float],
        unit: str = "Count",
    ) -> None:
        """Puts values of a metric, at the present time of CloudWatch's clock."""
        datum = {
            "MetricName": name,
            "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
            "Values": list(values),
            "Unit": unit,
        }
        self.cloudwatch.put_metric_data(Namespace=namespace, MetricData=[datum])

    def sum(
        self, namespace: str, name: str, dimensions: Mapping[str, str], seconds: int = 3600
    ) -> float | None:
        """Returns the sum of a metric in the last seconds of CloudWatch's clock, or None."""
        now = self._emulator.move_cloudwatch_clock(0)
        points = self.cloudwatch.get_metric_statistics(
            Namespace=namespace,
            MetricName=name,
            Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
            Period=MINUTE,
            StartTime=datetime.fromtimestamp(now - seconds, UTC),
            EndTime=datetime.fromtimestamp(now + MINUTE, UTC),
            Statistics=["Sum"],
        )["Datapoints"]
        return float(sum(point["Sum"] for point in points)) if points else None
