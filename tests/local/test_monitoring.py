"""What an operator sees of alarms."""

from pathlib import Path

import pytest

from local.emulator import Emulator
from local.monitoring import Monitoring
from local.waiting import NotInTimeError


def test_an_alarm_goes_on_and_off_by_a_moved_clock(tmp_path: Path) -> None:
    with Emulator(tmp_path, port=0) as emulator:
        monitoring = Monitoring(emulator, "orders-")
        for name in ("orders-failing", "others"):
            monitoring.cloudwatch.put_metric_alarm(
                AlarmName=name,
                Namespace="Orders",
                MetricName="Failed",
                Dimensions=[{"Name": "FunctionName", "Value": "process"}],
                Statistic="Sum",
                Period=60,
                EvaluationPeriods=1,
                Threshold=1,
                ComparisonOperator="GreaterThanThreshold",
                TreatMissingData="notBreaching",
            )
        assert monitoring.move_until("orders-failing", "OK") == 1

        monitoring.put("Orders", "Failed", {"FunctionName": "process"}, [1, 1])

        assert monitoring.move_until("orders-failing", "ALARM", 2) == 1
        assert monitoring.states() == {"orders-failing": "ALARM"}
        assert monitoring.sum("Orders", "Failed", {"FunctionName": "process"}) == 2
        assert monitoring.sum("Orders", "Failed", {}) is None
        monitoring.move(600)
        with pytest.raises(NotInTimeError, match="is OK, not ALARM, after 5 minutes"):
            monitoring.move_until("orders-failing", "ALARM", 5)
        assert monitoring.transitions("orders-failing")[-3:] == ["OK", "ALARM", "OK"]
