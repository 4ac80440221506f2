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
    """Those of the patches in one module of local/patches."""

    def __init__(self, module: str) -> None:
        self.names = [
            name
            for name, function in patches.all_patches().items()
            if function.__module__ == f"local.patches.{module}"
        ]
        self._checks: dict[str, Check] = {}
        self._need_auth: set[str] = set()

    def __call__(self, *, auth: bool = False) -> Callable[[Check], Check]:
        """Register the check of the patch that has the same name."""

        def register(function: Check) -> Check:
            self._checks[function.__name__] = function
            if auth:
                self._need_auth.add(function.__name__)
            return function

        return register

    def tests(self) -> tuple[Callable[..., None], Callable[..., None], Callable[..., None]]:
        """What pytest finds under the names that a module gives them."""

        def every_patch_has_a_check() -> None:
            self.assert_complete()

        @pytest.mark.parametrize("name", self.names)
        def with_the_patch(emulators: dict[bool, Emulator], name: str) -> None:
            self.with_patch(name, emulators)

        @pytest.mark.parametrize("name", self.names)
        def without_the_patch(tmp_path: Path, name: str) -> None:
            self.without_patch(name, tmp_path)

        return every_patch_has_a_check, with_the_patch, without_the_patch

    def assert_complete(self) -> None:
        assert list(self._checks) == self.names
        for name in self.names:
            text = " ".join((patches.all_patches()[name].__doc__ or "").split())
            assert text.startswith("AWS: ")
            assert "The emulator " in text

    def with_patch(self, name: str, emulators: dict[bool, Emulator]) -> None:
        emulator = emulators[name in self._need_auth]
        emulator.reset()
        self._checks[name](emulator)

    def without_patch(self, name: str, directory: Path, **options: Any) -> None:
        auth = name in self._need_auth
        with (
            Emulator(directory, port=0, auth=auth, tls=auth, without=[name], **options) as emulator,
            pytest.raises((AssertionError, NotInTimeError)),
        ):
            self._checks[name](emulator)


def code_of(call: Callable[..., Any], **arguments: Any) -> str | None:
    """The error code with which a call is refused, or None."""
    try:
        call(**arguments)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return None


def text_of(call: Callable[..., Any], **arguments: Any) -> str:
    """The text with which a call is refused, or nothing."""
    try:
        call(**arguments)
    except ClientError as error:
        return str(error.response["Error"]["Message"])
    return ""
