import pytest

from local.stack import Stack
from tests.changes.system import ChangingSystem


@pytest.fixture(scope="module")
def changing(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> ChangingSystem:
    """The session's system, managed by a configuration whose inputs can be exchanged."""
    system = ChangingSystem(stack.emulator, tmp_path_factory.mktemp("changing"), "e2e")
    system.adopt(stack.terraform.state_path)
    return system
