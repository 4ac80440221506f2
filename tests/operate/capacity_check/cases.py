"""The loads that the simulator predicts, and that are then sent through the local stack.

They are slow enough for an emulator on two cores: what takes long is the distance to the table, the
consumer, or a limit, and each of them is a setting that both sides know.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from async_ingest.capacity.calibration import Calibration, Times
from async_ingest.capacity.load import Load, Span
from async_ingest.capacity.settings import Settings


@dataclass(frozen=True)
class Case:
    """A load, and the system that takes it.

    Attributes:
        name: Of the load.
        load: One order a request.
        settings: Of the system.
        table_seconds: How much further away the table is than AWS's in the same region.
        seconds_per_message: What the consumer does beside writing.
    """

    name: str
    load: Load
    settings: Settings = field(default_factory=Settings)
    table_seconds: float = 0.0
    seconds_per_message: float = 0.0

    def calibration(self, measured: Calibration) -> Calibration:
        """Returns the stack's constants with the delays of this load, which do not vary."""
        calls = replace(
            measured,
            put_seconds=measured.put_seconds + self.table_seconds,
            batch_call_seconds=measured.batch_call_seconds + self.table_seconds,
            call_tail=_narrowed(
                measured.call_tail, measured.batch_call_seconds, self.table_seconds
            ),
            process_seconds_per_order=measured.process_seconds_per_order + self.seconds_per_message,
        )
        size = self.settings.process_batch_size
        varies, lasts = (
            Times(one, self.settings, self.load).process(size) for one in (measured, calls)
        )
        tail = _narrowed(measured.process_tail, varies, lasts - varies)
        return replace(calls, process_tail=tail)


def _narrowed(tail: float, seconds: float, more: float) -> float:
    """Returns the tail of something that takes longer, and always by the same."""
    return 1 + (tail - 1) * seconds / (seconds + more)


_TWO = Settings(process_maximum_concurrency=2)

CASES = (
    Case("steady", Load(8, 20)),
    Case(
        "burst of 20 times the rate",
        Load(1, 50, bursts=[Span(10, 25, 20)]),
        replace(_TWO, process_batch_size=5),
        table_seconds=1,
    ),
    Case(
        "table throttled for a minute",
        # It ends before the throttling does, so that a redelivery more or less is not all there is.
        Load(4, 70, throttled=[Span(20, 60)]),
        Settings(process_timeout_seconds=6, queue_visibility_timeout_seconds=10),
    ),
    Case("batches of 10", Load(15, 30), _TWO, table_seconds=2),
    Case(
        "batches of 100",
        Load(15, 30),
        replace(_TWO, process_batch_size=100, process_batching_window_seconds=1),
        table_seconds=2,
    ),
    Case("known keys", Load(14, 30, known=0.5), _TWO, table_seconds=1),
    Case("small concurrency", Load(6, 35), replace(_TWO, process_batch_size=2), table_seconds=1),
    Case(
        "poison",
        Load(6, 35, permanent_failures=1 / 6),
        Settings(
            process_timeout_seconds=6,
            process_dead_letter_immediately=False,
            queue_visibility_timeout_seconds=8,
            queue_max_receive_count=3,
        ),
    ),
    Case("slow consumer", Load(12, 30), seconds_per_message=0.6),
)
