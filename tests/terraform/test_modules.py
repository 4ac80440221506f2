"""The tests of each module set every input of it."""

import re

import pytest

from local.emulator import ROOT

MODULES = sorted(path.name for path in (ROOT / "modules").iterdir() if path.is_dir())


@pytest.mark.parametrize("module", MODULES)
def test_every_input_of_a_module_is_set_by_its_tests(module: str) -> None:
    test = (ROOT / "tests" / "terraform" / f"{module}.tftest.hcl").read_text()
    variables = (ROOT / "modules" / module / "variables.tf").read_text()
    inputs = re.findall(r'^variable "(\w+)"', variables, re.MULTILINE)

    assert [name for name in inputs if not re.search(rf"\b{name}\s+= ", test)] == []
