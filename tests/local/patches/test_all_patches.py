"""What holds for every patch: its documentation, and the messages about its check."""

import re

import pytest

from local import patches
from local.emulator import ROOT, Emulator
from tests.local.patches.checks import Checks

PAGE = (ROOT / "docs" / "emulator.md").read_text()


@pytest.mark.parametrize("name", patches.all_patches())
def test_the_docstring_compares_aws_and_the_emulator(name: str) -> None:
    text = " ".join((patches.all_patches()[name].__doc__ or "").split())

    assert text.startswith("AWS: ")
    assert "The emulator " in text


def test_the_page_names_every_patch() -> None:
    named = re.findall(r"\| `(\w+)` \|$", PAGE, re.MULTILINE)

    for name in patches.all_patches():
        assert name in named, f"docs/emulator.md does not name {name}"
    assert sorted(named) == sorted(patches.all_patches())


def test_the_page_names_the_pinned_version() -> None:
    assert f"`ministack` {patches.PINNED_VERSION}" in PAGE


def checks(*names: str) -> Checks:
    found = Checks("zones")
    for name in names:

        def check(_: Emulator) -> None: ...

        check.__name__ = name
        found()(check)
    return found


def test_a_missing_check_is_named() -> None:
    first, *rest = Checks("zones").names

    assert checks(*rest).problem() == f"no check for {first}: add a function of this name"


def test_a_misplaced_check_is_named() -> None:
    first, second, *rest = Checks("zones").names

    problem = checks(second, first, *rest).problem()

    assert problem == f"the check {second} is out of order: the patch {first} comes first"


def test_a_check_without_a_patch_is_named() -> None:
    names = Checks("zones").names

    assert checks(*names, "another").problem() == "the check another has no patch"


def test_a_complete_list_has_no_problem() -> None:
    assert checks(*Checks("zones").names).problem() is None
