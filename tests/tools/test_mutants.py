"""The fault suite's mutants fit the sources, which is otherwise seen only once a stack is there."""

import pytest

from tests.faults.mutants import MUTANTS
from tests.faults.scenarios import SCENARIOS
from tests.faults.system import SOURCE


@pytest.mark.parametrize("name", MUTANTS)
def test_each_mistake_can_be_made(name: str) -> None:
    mutant = MUTANTS[name]
    sources = {mutation.path: (SOURCE / mutation.path).read_text() for mutation in mutant.mutations}
    for mutation in mutant.mutations:
        sources[mutation.path] = mutation.applied_to(sources[mutation.path])

    for path, source in sources.items():
        compile(source, path, "exec")
    assert set(mutant.scenarios) <= SCENARIOS.keys()
