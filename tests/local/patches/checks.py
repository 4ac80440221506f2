"""The checks of a module of patches: each passes with its patch and fails without it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local import patches
from local.emulator import Emulator
from local.waiting import NotInTimeError

Check = Callable[[Emulator], None]


class Checks:
    """The checks of the patches in one module of local/patches, in the order of the patches."""

    def __init__(self, module: str) -> None:
        self.names = [
            name
            for name, function in patches.all_patches().items()
            if function.__module__ == f"local.patches.{module}"
        ]
        self._checks: dict[str, Check] = {}
        self._need_auth: set[str] = set()

    def __call__(self, *, auth: bool = False) -> Callable[[Check], Check]:
        """Registers the check of the patch with the same name, with IAM enforced if `auth`."""

        def register(function: Check) -> Check:
            self._checks[function.__name__] = function
            if auth:
                self._need_auth.add(function.__name__)
            return function

        return register

    def tests(self) -> tuple[Callable[..., None], Callable[..., None], Callable[..., None]]:
        """Returns the tests of a module, for pytest to find under the names given there."""

        def every_patch_has_a_check() -> None:
            self.assert_complete()

        @pytest.mark.parametrize("name", self.names)
        def with_the_patch(emulators: dict[bool, Emulator], name: str) -> None:
            self.with_patch(name, emulators)

        @pytest.mark.nightly  # it starts an emulator for each patch
        @pytest.mark.parametrize("name", self.names)
        def without_the_patch(tmp_path: Path, name: str) -> None:
            self.without_patch(name, tmp_path)

        return every_patch_has_a_check, with_the_patch, without_the_patch

    def assert_complete(self) -> None:
        assert (problem := self.problem()) is None, problem

    def problem(self) -> str | None:
        """Says which patch lacks a check, or which check is misplaced."""
        if missing := [name for name in self.names if name not in self._checks]:
            return f"no check for {missing[0]}: add a function of this name"
        if unknown := [name for name in self._checks if name not in self.names]:
            return f"the check {unknown[0]} has no patch"
        for name, found in zip(self.names, self._checks, strict=True):
            if name != found:
                return f"the check {found} is out of order: the patch {name} comes first"
        return None

    def with_patch(self, name: str, emulators: dict[bool, Emulator]) -> None:
        check = self._check_of(name)
        emulator = emulators[name in self._need_auth]
        emulator.reset()
        check(emulator)

    def without_patch(self, name: str, directory: Path, **options: Any) -> None:
        check = self._check_of(name)
        auth = name in self._need_auth
        with (
            Emulator(directory, port=0, auth=auth, tls=auth, without=[name], **options) as emulator,
            pytest.raises((AssertionError, NotInTimeError)),
        ):
            check(emulator)

    def _check_of(self, name: str) -> Check:
        if name not in self._checks:
            pytest.fail(f"no check for {name}: add a function of this name")
        return self._checks[name]


def code_of(call: Callable[..., Any], **arguments: Any) -> str | None:
    """Returns the error code with which a call is refused, or None."""
    try:
        call(**arguments)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return None


def text_of(call: Callable[..., Any], **arguments: Any) -> str:
    """Returns the text with which a call is refused, or ""."""
    try:
        call(**arguments)
    except ClientError as error:
        return str(error.response["Error"]["Message"])
    return ""
