"""The handlers, with fakes or engines behind them."""

import pytest

from tests.unit.conftest import dynamodb, dynamodb_local, emulator, sqs
from tests.unit.support import ENVIRONMENT

__all__ = ["dynamodb", "dynamodb_local", "emulator", "sqs"]


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """For calls that are really made."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, ENVIRONMENT[name])
