"""Consumers' configurations, outside the repository, planned with mocked providers."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local.terraform import Terraform
from tests.consumers.configurations import CONFIGURATIONS, Configuration, missing
from tests.consumers.engines import ENGINES, ON_PATH, Engine
from tests.support.plans import tested_plan, write_test
from tests.support.repository import TAG, Repository

# In make test, beside the consumer that tests/e2e applies.
FAST = (ON_PATH, "regions")

CASES = [
    pytest.param(
        engine,
        name,
        id=f"{engine}-{name}",
        marks=[] if (engine, name) == FAST else [pytest.mark.nightly],
    )
    for engine in ENGINES
    for name in CONFIGURATIONS
]


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A clone with a tag, in a path that a source must quote."""
    return Repository(tmp_path_factory.mktemp("a team's") / "clone of the module")


def planned(configuration: Configuration, directory: Path, engine: Engine) -> list[str]:
    """Plans a configuration in a directory. Returns the addresses of what it would create."""
    configuration.write(directory)
    write_test(directory, (one.get("alias", "") for one in configuration.providers))
    data = directory.parent / "data"
    data.mkdir()
    terraform = Terraform(directory, data, engine.environment(os.environ))
    terraform.init()
    with unwritable(data / "terraform" / "modules"):
        return list(tested_plan(terraform))


@contextmanager
def unwritable(directory: Path) -> Iterator[None]:
    """Takes away the permission to write below a directory, and checks that nothing is written.

    The permission alone would not stop root.
    """
    everything = [directory, *directory.rglob("*")]
    before = {path: path.stat().st_mtime_ns for path in everything if not path.is_symlink()}
    modes = {path: path.stat().st_mode for path in before}
    for path, mode in modes.items():
        path.chmod(mode & ~0o222)
    try:
        yield
    finally:
        for path, mode in modes.items():
            path.chmod(mode)
    after = {
        path: path.stat().st_mtime_ns
        for path in [directory, *directory.rglob("*")]
        if not path.is_symlink()
    }
    assert after == before


@pytest.mark.parametrize(("engine", "name"), CASES)
def test_it_plans(repository: Repository, tmp_path: Path, engine: Engine, name: str) -> None:
    engine.require()
    configuration = CONFIGURATIONS[name](repository, TAG)

    addresses = planned(configuration, tmp_path / "with spaces" / "ä consumer", engine)

    assert missing(configuration, addresses) == []
