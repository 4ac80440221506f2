"""Packages with hooks, as a team writes them."""

import importlib
import itertools
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from async_ingest_hooks.hooks import Hook

_numbers = itertools.count()


class Hooks:
    """Writes packages of hooks, each with a name of its own, and puts them into the handlers."""

    def __init__(self, directory: Path, patch: pytest.MonkeyPatch) -> None:
        self._directory = directory
        self._patch = patch
        patch.syspath_prepend(str(directory))

    def package(self, source: str, **modules: str) -> str:
        """Returns the name of a new package with this source, and modules in it."""
        name = f"hooks_{next(_numbers)}"
        folder = self._directory / name
        folder.mkdir()
        for module, text in {"__init__": source, **modules}.items():
            (folder / f"{module}.py").write_text(dedent(text))
        importlib.invalidate_caches()
        return name

    def hook(self, name: str, source: str, timeout_seconds: float = 5.0, **modules: str) -> Hook:
        """Returns a hook of a new package."""
        return Hook(self.package(source, **modules), name, timeout_seconds)

    def use(self, name: str, source: str, timeout_seconds: float = 5.0, **modules: str) -> Hook:
        """Puts a hook into its handler."""
        hook = self.hook(name, source, timeout_seconds, **modules)
        handler = {"accept": "ingest.handler", "prepare": "process.handler"}[name]
        self._patch.setattr(sys.modules[handler], "HOOK", hook)
        return hook
