"""The whole system, applied once by real Terraform to the local stack: IAM enforced, TLS on."""

import sys
from collections.abc import Iterator

import pytest

from local.emulator import Emulator
from tests.changes.system import ChangingSystem
from tests.e2e.stack import Stack, apply_minimal


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What destroys the stack comes last."""
    items.sort(key=lambda item: "destroy" in item.name)


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    directory = tmp_path_factory.mktemp("emulator")
    limits = sys.platform.startswith("linux")
    with Emulator(directory, auth=True, tls=True, function_limits=limits) as running:
        yield running


@pytest.fixture(scope="session")
def stack(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    return apply_minimal(emulator, tmp_path_factory.mktemp("terraform"), "e2e")


@pytest.fixture(scope="module")
def changing(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> ChangingSystem:
    """The session's system, from a configuration whose inputs can be exchanged."""
    system = ChangingSystem(stack.emulator, tmp_path_factory.mktemp("changing"), "e2e")
    system.adopt(stack.terraform.state)
    return system
