"""Consumers' configurations, outside the repository, planned by each engine."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local.terraform import Terraform
from tests.consumers.configurations import ALONE, CONFIGURATIONS, Configuration, missing
from tests.consumers.engines import ENGINES, ON_PATH, OPENTOFU, Engine
from tests.support.plans import write_test
from tests.support.repository import TAG, Repository

# In make test, beside the consumer that tests/e2e applies.
FAST = [(ON_PATH, "regions"), (ON_PATH, "table_alone")]

CASES = [
    pytest.param(
        engine,
        name,
        id=f"{engine}-{name}",
        marks=[] if (engine, name) in FAST else [pytest.mark.nightly],
    )
    for engine in ENGINES
    for name in CONFIGURATIONS
    if engine == ON_PATH or name not in ALONE
]


@pytest.mark.parametrize(("engine", "name"), CASES)
def test_it_plans(
    repository: Repository,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    engine: Engine,
    name: str,
) -> None:
    engine.require()
    configuration = CONFIGURATIONS[name](repository, TAG)
    directory = tmp_path / "with spaces" / "ä consumer"
    configuration.write(directory)
    data = directory.parent / "data"
    data.mkdir()

    if engine == OPENTOFU:
        # It mocks both subnets in one zone, which the module refuses.
        environment = request.getfixturevalue("emulator").environment()
        terraform = Terraform(directory, data, engine.environment({**os.environ, **environment}))
        terraform.init()
        with unwritable(data / "terraform" / "modules"):
            addresses = list(terraform.planned_actions())
    else:
        terraform = Terraform(directory, data, engine.environment(os.environ))
        addresses = mocked_plan(terraform, configuration)

    assert missing(configuration, addresses) == []


def mocked_plan(terraform: Terraform, configuration: Configuration) -> list[str]:
    """Plans with mocked providers. Returns the addresses of what it would create."""
    aliases = (provider.get("alias", "") for provider in configuration.providers)
    write_test(terraform.directory, aliases)
    terraform.init()
    with unwritable(terraform.state_path.parent / "terraform" / "modules"):
        return list(terraform.tested_resources())


@contextmanager
def unwritable(directory: Path) -> Iterator[None]:
    """Takes away the permission to write below a directory, and checks that nothing is written.

    The permission alone would not stop root.
    """
    before = written(directory)
    modes = {path: path.stat().st_mode for path in before}
    for path, mode in modes.items():
        path.chmod(mode & ~0o222)
    try:
        yield
    finally:
        for path, mode in modes.items():
            path.chmod(mode)
    assert written(directory) == before


def written(directory: Path) -> dict[Path, int]:
    """Returns when each file and directory was written last, in nanoseconds."""
    paths = [directory, *directory.rglob("*")]
    return {path: path.stat().st_mtime_ns for path in paths if not path.is_symlink()}


def test_what_is_written_into_a_module_is_seen(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text("")

    with pytest.raises((AssertionError, PermissionError)), unwritable(tmp_path):
        (tmp_path / "package.zip").write_text("")
