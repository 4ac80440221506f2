"""The whole system, applied once to the local stack: IAM enforced, TLS on."""

import sys
from collections.abc import Iterator

import pytest

from local.emulator import Emulator
from local.stack import Stack
from tests.support.stack import apply_minimal

NAME = "e2e"  # of the system


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Moves the tests that destroy a system to the end."""
    items.sort(key=lambda item: item.get_closest_marker("destroys") is not None)


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    directory = tmp_path_factory.mktemp("emulator")
    limits = sys.platform.startswith("linux")
    with Emulator(directory, auth=True, tls=True, function_limits=limits) as running:
        yield running


@pytest.fixture(scope="session")
def stack(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    return apply_minimal(emulator, tmp_path_factory.mktemp("terraform"), NAME)
