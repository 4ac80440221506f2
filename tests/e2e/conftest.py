"""The whole system, applied once by real Terraform to the local stack: IAM enforced, TLS on."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.emulator import Emulator
from tests.e2e.stack import Stack, apply_minimal


@pytest.hookimpl(tryfirst=True)  # before xdist looks at the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What destroys the stack comes last, and all of it runs in one process."""
    items.sort(key=lambda item: "destroy" in item.name)
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.xdist_group("e2e"))


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    directory = tmp_path_factory.mktemp("emulator")
    limits = sys.platform.startswith("linux")
    with Emulator(directory, auth=True, tls=True, function_limits=limits) as running:
        yield running


@pytest.fixture(scope="session")
def stack(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    return apply_minimal(emulator, tmp_path_factory.mktemp("terraform"), "e2e")
