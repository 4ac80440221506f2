"""Terraform at the ends of its constraint, and OpenTofu: tools.engines.install has them."""

from collections.abc import Mapping
from typing import NamedTuple

import pytest

from tools.engines.install import ENGINES as DIRECTORY


class Engine(NamedTuple):
    """A program that is called as `terraform`."""

    name: str

    def __str__(self) -> str:
        return self.name

    def require(self) -> None:
        """Skips the test if it is not on this machine. The set-up has said what is missing."""
        if self != ON_PATH and not (DIRECTORY / self.name / "terraform").exists():
            pytest.skip(f"{self} is not here: make consumers says why")

    def environment(self, others: Mapping[str, str]) -> dict[str, str]:
        """Returns the environment in which it is the one on PATH."""
        before = others["PATH"]
        path = before if self == ON_PATH else f"{DIRECTORY / self.name}:{before}"
        return {**others, "PATH": path}


ON_PATH = Engine("terraform-on-PATH")
OPENTOFU = Engine("opentofu")
ENGINES = (ON_PATH, Engine("terraform-lowest"), Engine("terraform-newest"), OPENTOFU)
