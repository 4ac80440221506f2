"""A few kills; `make operate` does 50."""

import pytest

from local.stack import Stack
from tests.operate.kills import Killer

pytestmark = pytest.mark.stack


def test_a_killed_redrive_loses_nothing(stack: Stack) -> None:
    result = Killer(stack, seed=16, dead_letters=60).run(5)

    assert result.kills == 5
    assert result.is_good, result
