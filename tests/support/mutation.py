"""Deliberate mistakes: in the handlers, for tests of the tests, and in configurations."""

from dataclasses import dataclass
from pathlib import Path

from local.emulator import ROOT

SOURCES = ROOT / "lambda_src"


@dataclass(frozen=True)
class Mutation:
    """A text that a source file contains exactly once, and its replacement."""

    path: str  # below lambda_src, if it is a handler's
    text: str
    replacement: str

    def applied_to(self, source: str) -> str:
        found = source.count(self.text)
        assert found == 1, f"{self.path} has {self.text!r} {found} times, not once"
        return source.replace(self.text, self.replacement)


def package(function: str) -> dict[str, str]:
    """Returns the sources of a function's package by path."""
    paths: list[Path] = [
        path for folder in (function, "shared") for path in (SOURCES / folder).glob("*.py")
    ]
    return {path.relative_to(SOURCES).as_posix(): path.read_text() for path in sorted(paths)}
