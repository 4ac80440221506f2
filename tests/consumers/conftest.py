import pytest

from tests.support.repository import Repository


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A clone with a tag, in a path that a source must quote."""
    return Repository(tmp_path_factory.mktemp("a team's") / "clone of the module")
