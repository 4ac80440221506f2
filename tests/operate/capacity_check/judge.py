"""A load as the simulator predicts it, and as the local stack takes it."""

from __future__ import annotations

from async_ingest.capacity.calibration import Calibration
from async_ingest.capacity.simulator import simulate
from tests.operate.capacity_check.cases import Case
from tests.operate.capacity_check.comparison import Comparison, Figures
from tests.operate.capacity_check.system import System


def compare(system: System, case: Case, calibration: Calibration) -> Comparison:
    """Predicts a load, then sends it."""
    result = simulate(case.settings, case.load, case.calibration(calibration))
    with system.configured(case.settings, case.table_seconds, case.seconds_per_message):
        system.warm_up()
        sent = system.send(case.load)
    document = sent.document
    return Comparison(
        case.name,
        case.load.requests / case.load.seconds,
        Figures(result.drain_seconds, result.peak_backlog, result.freshness["p95"]),
        Figures(sent.drain_seconds(case.load), document["peak_backlog"], sent.freshness_p95),
        document["problems"],
    )
