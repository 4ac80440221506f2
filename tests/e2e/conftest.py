"""The system with signatures, versions and hooks, which two files use."""

from collections.abc import Iterator

import pytest

from local.emulator import Emulator
from local.stack import Stack
from tests.e2e.signed import apply_signed


@pytest.fixture(scope="session")
def signing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Emulator(tmp_path_factory.mktemp("emulator"), auth=True, tls=True) as emulator:
        yield apply_signed(emulator, tmp_path_factory.mktemp("signed"))
