"""How long the pieces take: assumptions, or measured on the system that is to be predicted."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

from async_ingest.capacity import aws
from async_ingest.capacity.distribution import slowest_of
from async_ingest.capacity.load import Load
from async_ingest.capacity.settings import Settings
from async_ingest.errors import OpsError

# As in lambda_src/process/writer.py: from this share of known keys on, PutItem comes first.
KNOWN_SHARE = 0.9
# As in lambda_src/process/handler.py: throttled calls are repeated for half of what is left.
MARGIN_SECONDS = 1.5


def _assumed(value: float, says: str) -> Any:
    return field(default=value, metadata={"says": says})


@dataclass(frozen=True)
class Calibration:
    """Mean seconds. CPU seconds are those of a full core, of which a function has a share."""

    load_balancer_seconds: float = _assumed(0.002, "the load balancer's own part of a POST")
    ingest_cpu_seconds: float = _assumed(0.001, "CPU of a request in ingest")
    ingest_seconds: float = _assumed(0.010, "what ingest waits for SQS to confirm")
    ingest_tail: float = _assumed(5, "99th percentile of a POST ÷ median")
    ingest_requests_per_second: float = _assumed(
        math.inf, "requests a second that the way to ingest carries"
    )
    # Billed since August 2025: "AWS Lambda standardizes billing for INIT Phase" (AWS Compute Blog).
    cold_start_seconds: float = _assumed(0.4, "a cold start, all of it billed")
    poll_seconds: float = _assumed(0.015, "from a free poller's receive to the invocation")
    dispatch_seconds: float = _assumed(0, "seconds a batch that all pollers share, one by one")
    process_cpu_seconds_per_batch: float = _assumed(0.002, "CPU of an invocation of process")
    process_cpu_seconds_per_order: float = _assumed(0.0003, "CPU of an order in process")
    process_seconds_per_batch: float = _assumed(0, "of an invocation, beside CPU and calls")
    process_seconds_per_order: float = _assumed(0, "of an order, beside CPU and calls")
    put_seconds: float = _assumed(0.006, "a PutItem; AWS says single-digit milliseconds")
    batch_call_seconds: float = _assumed(0.012, "a BatchExecuteStatement of 25 orders")
    call_tail: float = _assumed(5, "99th percentile of a call of DynamoDB ÷ median")
    process_tail: float = _assumed(4, "99th percentile of an invocation of process ÷ median")
    orders_per_call: int = _assumed(25, "orders a BatchExecuteStatement")
    parallel_calls: int = _assumed(8, "calls at the same time in an invocation")

    def described(self) -> list[str]:
        """Returns a line for each value."""
        return [
            f"{one.name} = {getattr(self, one.name):g}: {one.metadata['says']}"
            for one in fields(self)
            if math.isfinite(getattr(self, one.name))
        ]


def read(path: Path) -> Calibration:
    """Reads a calibration: a JSON object with some of the values.

    Raises:
        OpsError: The file is not one.
    """
    try:
        values = json.loads(path.read_text())
        known = {one.name for one in fields(Calibration)}
        if unknown := values.keys() - known:
            raise OpsError(f"{path} has {', '.join(sorted(unknown))}, and may have: {known}.")
        if any(not isinstance(value, int | float) or value < 0 for value in values.values()):
            raise OpsError(f"{path}: every value is a number of at least 0.")
        return replace(Calibration(), **values)
    except (OSError, ValueError, AttributeError) as error:
        raise OpsError(f"{path} is not a calibration: {error}") from None


class Times:
    """How long a request and a batch take, with given settings and load."""

    def __init__(self, calibration: Calibration, settings: Settings, load: Load) -> None:
        self.calibration = calibration
        self._load = load
        self._cores = settings.cores(settings.process_memory_size)
        self.ingest = (
            calibration.ingest_cpu_seconds / settings.cores(settings.ingest_memory_size)
            + calibration.ingest_seconds
        )
        self.post = calibration.load_balancer_seconds + self.ingest
        self.retrying = max(0.0, (settings.process_timeout_seconds - MARGIN_SECONDS) / 2)
        self.process = cache(self._process)

    @property
    def units_per_order(self) -> float:
        """Write units, with those of an INSERT that finds its key, or nearly finds it."""
        units = math.ceil(self._load.order_bytes / aws.BYTES_PER_UNIT)
        wasted = self._load.known if self._load.known < KNOWN_SHARE else 0
        return units * (1 + wasted)

    def _process(self, messages: int) -> float:
        """Returns the seconds of an invocation with so many messages, while the table has room."""
        known = self.calibration
        orders = messages * self._load.orders_per_request
        inserted = 0 if orders == 1 or self._load.known >= KNOWN_SHARE else orders
        put = orders * self._load.known if inserted else orders
        return (
            known.process_seconds_per_batch
            + known.process_seconds_per_order * orders
            + (known.process_cpu_seconds_per_batch + known.process_cpu_seconds_per_order * orders)
            / self._cores
            + self._rounds(math.ceil(inserted / known.orders_per_call)) * known.batch_call_seconds
            + self._rounds(math.ceil(put)) * known.put_seconds
        )

    def _rounds(self, calls: int) -> float:
        """Returns how many mean calls, one after another, take as long as these on all threads.

        An invocation ends with the slowest of the last calls.
        """
        if not calls:
            return 0.0
        threads = self.calibration.parallel_calls
        slowest = slowest_of(min(calls, threads), self.calibration.call_tail)
        return max(math.ceil(calls / threads), max(0.0, calls / threads - 1) + slowest)
