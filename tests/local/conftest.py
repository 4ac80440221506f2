"""Two emulators that the tests share."""

from collections.abc import Iterator

import pytest

from local.emulator import Emulator


@pytest.fixture(scope="session")
def emulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[bool, Emulator]]:
    """One that enforces IAM over TLS, and one that does not."""
    with (
        Emulator(tmp_path_factory.mktemp("plain"), port=0) as plain,
        Emulator(tmp_path_factory.mktemp("enforced"), port=0, auth=True, tls=True) as enforced,
    ):
        yield {False: plain, True: enforced}
