"""The mutants fit the sources: otherwise one would notice only after deploying them."""

import pytest

from tests.faults import signatures, versions  # noqa: F401 - register scenarios
from tests.faults.mutants import MUTANTS
from tests.faults.scenarios import SCENARIOS
from tests.support.mutation import SOURCES


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_applies_to_the_sources(name: str) -> None:
    mutant = MUTANTS[name]
    sources = {
        mutation.path: (SOURCES / mutation.path).read_text() for mutation in mutant.mutations
    }
    for mutation in mutant.mutations:
        sources[mutation.path] = mutation.applied_to(sources[mutation.path])

    for path, source in sources.items():
        compile(source, path, "exec")
    assert set(mutant.scenarios) <= SCENARIOS.keys()
