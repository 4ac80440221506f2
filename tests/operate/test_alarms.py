"""A selection of `make operate`, on the system that other tests use too."""

import pytest

from local.stack import Stack
from tests.operate.causes import CAUSES, System
from tests.operate.drive import Findings, defined, drive, unknown_alarms

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def system(stack: Stack) -> System:
    return System(stack)


def test_every_alarm_has_a_cause(system: System) -> None:
    assert unknown_alarms(defined(system)) == set()


@pytest.mark.parametrize(
    "name", ["the_load_balancer_may_not_invoke_ingest", "an_order_cannot_be_stored"]
)
def test_an_alarm_is_raised_by_its_cause_and_ends(system: System, name: str) -> None:
    cause = CAUSES[name]
    findings = Findings(sorted(cause.alarms))

    drive(system, cause, findings)

    assert findings.complaints == []
