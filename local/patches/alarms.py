"""CloudWatch's alarms: a clock that tests move, and evaluation once a minute."""

from __future__ import annotations

import asyncio
import importlib
import json
import math
import threading
import time
from types import SimpleNamespace
from typing import Any

from local.cloudwatch.alarms import verdict
from local.cloudwatch.series import MINUTE
from local.patches import around, internal, patch
from local.patches.metrics import clock, each_minute, store

Response = tuple[int, dict[str, str], bytes]

CLOCK_PATH = "/_ministack/cloudwatch/clock"  # see Emulator.move_cloudwatch_clock
MAX_HISTORY = 5000


@patch
def cloudwatch_has_a_clock_of_its_own() -> None:
    """AWS: an alarm of six hours takes six hours; gauges are taken each minute.

    "Alarm evaluation", Amazon CloudWatch User Guide. The emulator evaluates alarms when data is
    put, at the time of the machine. Here POST moves the clock of CloudWatch alone, minute by minute
    (seconds=N), or at once without what would happen in between (skip=1). Data that is put without
    a time gets this clock's.
    """
    minutes = _Minutes()
    internal("services.cloudwatch", "time")
    module = importlib.import_module("ministack.services.cloudwatch")
    vars(module)["time"] = SimpleNamespace(**vars(time) | {"time": clock.now})

    @around("app", "_handle_admin_reset")
    async def handle(original: Any, path: str, method: str, query_params: Any) -> Any:
        if path != CLOCK_PATH:
            return await original(path, method, query_params)
        if method == "POST":
            target = clock.now() + float(query_params["seconds"][0])
            if query_params.get("skip"):
                minutes.skip_to(target)
            await asyncio.to_thread(minutes.run_until, target)
        return 200, {"Content-Type": "application/json"}, json.dumps({"now": clock.now()}).encode()

    @around("services.cloudwatch", "reset")
    def reset(original: Any) -> None:
        original()
        clock.reset()
        minutes.skip_to(clock.now())

    threading.Thread(target=minutes.run, name="cloudwatch", daemon=True).start()


class _Minutes:
    """Runs what happens each minute of the clock, also of one that is moved."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latest = _minute(clock.now())

    def run(self) -> None:
        while True:
            time.sleep(1)
            self.run_until(clock.now())

    def run_until(self, target: float) -> None:
        with self._lock:
            while self._latest + MINUTE <= target:
                self._latest += MINUTE
                clock.move_to(self._latest)
                for action in each_minute:
                    action(self._latest)
            clock.move_to(target)

    def skip_to(self, target: float) -> None:
        with self._lock:
            clock.move_to(target)
            self._latest = _minute(target)


def _minute(at: float) -> float:
    return math.floor(at / MINUTE) * MINUTE


@patch
def alarms_are_evaluated_each_minute() -> None:
    """AWS: an alarm compares the datapoints of the metric with exactly its dimensions, M of N.

    "Alarm evaluation" and "Configuring how CloudWatch alarms treat missing data", Amazon CloudWatch
    User Guide; `local.cloudwatch.alarms` has the rules. The emulator ignores dimensions, datapoints
    to alarm, missing data and metric math, and takes all evaluation periods for one.
    """
    alarms = internal("services.cloudwatch", "_alarms")
    history = internal("services.cloudwatch", "_history_entries")
    record = internal("services.cloudwatch", "_record_history")
    dispatch = internal("services.cloudwatch", "_dispatch_alarm_actions")
    evaluate_parents = internal("services.cloudwatch", "_evaluate_parent_alarms")

    @around("services.cloudwatch", "_evaluate_alarm")
    def evaluate(_: Any, alarm: dict[str, Any]) -> None:  # noqa: ARG001 - at its minute
        return None

    def evaluate_all(minute: float) -> None:
        for alarm in list(alarms.values()):
            found = verdict(alarm, store, minute)
            before = alarm["StateValue"]
            if found.state == before:
                continue
            alarm |= {
                "StateValue": found.state,
                "StateReason": found.reason,
                "StateUpdatedTimestamp": int(minute),
                "StateTransitionedTimestamp": int(minute),
            }
            record(alarm["AlarmName"], before, found.state, found.reason)
            dispatch(alarm, before, found.state, found.reason)
            evaluate_parents(alarm)
        del history()[:-MAX_HISTORY]

    each_minute.append(evaluate_all)
