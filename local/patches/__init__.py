"""Patches of the emulator where it differs from AWS so that tests of the module would be misled.

There is one function per difference. Its docstring says what AWS does, which AWS document says so,
and what the emulator does. Patches replace functions inside the emulator, so they are written for
one version of it: `apply` refuses any other, and a patch whose target is gone or takes other
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
    """A patch cannot be applied: the emulator is not the version it was written for."""


def patch(function: Patch) -> Patch:
    """Registers a function that changes the emulator, under the function's name."""
    _patches[function.__name__] = function
    return function


def all_patches() -> dict[str, Patch]:
    """Returns every patch by name, in the order in which they are applied."""
    modules = (
        *("read_back", "load_balancer", "functions"),
        *("queues", "network", "zones", "protection", "keys"),
        *("sqs", "dynamodb", "mappings", "firewall", "workers"),
        *("cloudwatch", "logs", "metrics", "service_metrics", "alarms"),
        "policies",
    )
    for module in modules:
        importlib.import_module(f"{__name__}.{module}")
    return dict(_patches)


def apply(without: Iterable[str] = ()) -> None:
    """Applies every patch except those named in `without`.

    Raises:
        PatchError: The emulator has another version, a name in `without` is unknown, or a target is
            not as expected.
    """
    installed = metadata.version("ministack")
    if installed != PINNED_VERSION:
        raise PatchError(
            f"local/patches is written for ministack {PINNED_VERSION}, and {installed} is "
            f"installed. Install ministack=={PINNED_VERSION}; or check each patch against "
            f"{installed}, run tests/local, and change PINNED_VERSION."
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
                f"{PINNED_VERSION}: reinstall that, or fix the patch."
            ) from None


def internal(module: str, name: str) -> Any:
    """Returns the `name` in `ministack.<module>`; `TABLE[key]` is an entry of one of its tables."""
    owner, key = _locate(module, name)
    missing = object()
    found = owner.get(key, missing) if isinstance(owner, dict) else getattr(owner, key, missing)
    if found is missing:
        raise PatchError(f"ministack.{module} has no {name}")
    return found


def around(module: str, name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Replaces a function of the emulator by one that takes the original, then its parameters."""

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
    """Inserts `addition` after the first `tag` of an answer that the emulator has written."""
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
