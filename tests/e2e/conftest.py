"""The whole system, applied once by real Terraform to the local stack: IAM enforced, TLS on."""

from collections.abc import Iterator

import pytest

from local.emulator import ROOT, Emulator
from tests.e2e.stack import Stack, Terraform

EXAMPLE = ROOT / "examples" / "minimal"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What destroys the stack comes last."""
    items.sort(key=lambda item: "destroy" in item.name)


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator(tmp_path_factory.mktemp("emulator"), auth=True, tls=True) as running:
        yield running


@pytest.fixture(scope="session")
def stack(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    work = tmp_path_factory.mktemp("terraform")
    terraform = Terraform(EXAMPLE, work, emulator, name="e2e", deletion_protection="false")
    terraform.init()
    terraform.apply()
    return Stack(emulator, terraform)
