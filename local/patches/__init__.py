"""Where the emulator answers differently from AWS, so that it would mislead a test of the module.

One function per difference. Its docstring says what AWS does, in which AWS document it says so,
and what the emulator does. Each replaces functions inside the emulator and so is written for one
version of it: `apply` refuses another version, and a patch whose target is gone or takes other
parameters stops the start instead of silently not applying.
"""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable, Iterable
from importlib import metadata
from typing import Any

PINNED_VERSION = "1.5.33"

Patch = Callable[[], None]
_patches: dict[str, Patch] = {}


class PatchError(RuntimeError):
    """A patch cannot be applied: the emulator is not the one it was written for."""


def patch(function: Patch) -> Patch:
    """Register a function that changes the emulator, under the function's name."""
    _patches[function.__name__] = function
    return function


def all_patches() -> dict[str, Patch]:
    """Every patch by name, in the order in which they are applied."""
    modules = (
        *("read_back", "load_balancer", "functions"),
        *("queues", "network", "zones", "protection", "keys"),
        *("sqs", "dynamodb", "mappings", "workers"),
    )
    for module in modules:
        importlib.import_module(f"{__name__}.{module}")
    return dict(_patches)


def apply(without: Iterable[str] = ()) -> None:
    """Apply every patch but those named in `without`.

    Raises PatchError for another version of the emulator, an unknown name in `without`, or a target
    that is not as expected.
    """
    installed = metadata.version("ministack")
    if installed != PINNED_VERSION:
        raise PatchError(
            f"local/patches is written for ministack {PINNED_VERSION}, and {installed} is "
            f"installed. Install ministack=={PINNED_VERSION}; or check each patch against "
            f"{installed}, run tests/local/test_emulator.py and tests/local, and change "
            "PINNED_VERSION."
        )
    patches, without = all_patches(), set(without)
    if unknown := sorted(without - patches.keys()):
        raise PatchError(f"No patch is called {unknown[0]}. There are: {', '.join(patches)}.")
    for name, change in patches.items():
        if name in without:
            continue
        try:
            change()
        except PatchError as error:
            raise PatchError(
                f"The patch {name} does not fit: {error}. It is written for ministack "
                f"{PINNED_VERSION}: reinstall that, or mend the patch."
            ) from None


def internal(module: str, name: str) -> Any:
    """The `name` in `ministack.<module>`; `TABLE[key]` is an entry of one of its tables."""
    owner, key = _locate(module, name)
    missing = object()
    found = owner.get(key, missing) if isinstance(owner, dict) else getattr(owner, key, missing)
    if found is missing:
        raise PatchError(f"ministack.{module} has no {name}")
    return found


def around(module: str, name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Replace a function of the emulator with one that takes the original, then its parameters."""

    def decorate(replacement: Callable[..., Any]) -> Callable[..., Any]:
        original = internal(module, name)
        expected = list(inspect.signature(replacement).parameters)[1:]
        found = list(inspect.signature(original).parameters)
        if found != expected:
            raise PatchError(f"ministack.{module}.{name} takes {found}, not {expected}")

        @functools.wraps(original)
        def patched(*args: Any, **kwargs: Any) -> Any:
            return replacement(original, *args, **kwargs)

        owner, key = _locate(module, name)
        if isinstance(owner, dict):
            owner[key] = patched
        else:
            setattr(owner, key, patched)
        return patched

    return decorate


def insert_after(xml: str, tag: str, addition: str) -> str:
    """Put `addition` behind the first `tag` of an answer that the emulator has written."""
    before, found, after = xml.partition(tag)
    if not found:
        raise PatchError(f"the emulator's answer has no {tag}: {xml[:200]}")
    return before + tag + addition + after


def _locate(module: str, name: str) -> tuple[Any, str]:
    try:
        owner: Any = importlib.import_module(f"ministack.{module}")
    except ImportError as error:
        raise PatchError(f"ministack.{module} cannot be imported ({error})") from None
    if name.endswith("]"):
        table, key = name[:-1].split("[")
        owner = getattr(owner, table, None)
        if not isinstance(owner, dict):
            raise PatchError(f"ministack.{module} has no table {table}")
        return owner, key
    return owner, name
