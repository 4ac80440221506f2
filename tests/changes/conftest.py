import pytest

from local.emulator import Emulator
from tests.changes.system import ChangingSystem


@pytest.fixture(scope="module")
def changing(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> ChangingSystem:
    """A system of its own, managed by a configuration whose inputs can be exchanged."""
    system = ChangingSystem(emulator, tmp_path_factory.mktemp("changing"), "changing")
    system.apply()
    return system
