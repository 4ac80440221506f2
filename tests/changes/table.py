"""The table of changes, table.toml and refused.toml, as Python reads it."""

import fnmatch
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

TABLES = [Path(__file__).with_name(name) for name in ("table.toml", "refused.toml")]

Actions = dict[str, list[str]]  # as Terraform plans them, by address


@dataclass(frozen=True)
class Change:
    """One input, from one value to another, and what is expected of it.

    table.toml explains the fields.
    """

    name: str
    inputs: dict[str, Any]
    says: str = ""
    base: dict[str, Any] = field(default_factory=dict)
    versions: list[str] = field(default_factory=list)
    replaces: list[str] = field(default_factory=list)
    destroys: list[str] = field(default_factory=list)
    refused: str = ""
    is_nothing: bool = False
    not_applied: str = ""
    back: list[dict[str, Any]] = field(default_factory=list)
    one_way: str = ""
    held_by_versions: bool = False
    gap: bool = False
    loses: str = ""
    orders: list[dict[str, Any]] = field(default_factory=lambda: [{}])
    port: int = 80
    in_test: bool = False

    @property
    def is_applied(self) -> bool:
        return not (self.refused or self.is_nothing or self.not_applied)

    @property
    def kind(self) -> str:
        """The worst that it does, in the words of the documentation."""
        if self.refused:
            return "refused"
        if self.is_nothing:
            return "nothing"
        if self.replaces:
            return "replaces"
        if self.destroys:
            return "destroys"
        return "new version" if self.versions else "in place"

    def faults(self, actions: Actions) -> list[str]:
        """How a plan differs from what is expected of it."""
        # What only remembers something is no part of the system.
        actions = {a: what for a, what in actions.items() if "terraform_data." not in a}
        replaced = [a for a, what in actions.items() if {"delete", "create"} <= set(what)]
        destroyed = [a for a, what in actions.items() if what == ["delete"]]
        aliases = [a for a in actions if a.endswith("aws_lambda_alias.live")]
        versions = sorted(a.split(".")[0] for a in aliases if "create" not in actions[a])
        found = [
            *_differences("replaces", self.replaces, replaced),
            *_differences("destroys", self.destroys, destroyed),
        ]
        if versions != sorted(self.versions):
            found.append(f"new versions of {versions}, not of {sorted(self.versions)}")
        if self.is_nothing and actions:
            found.append(f"changes {', '.join(actions)}")
        if not self.is_nothing and not actions:
            found.append("is not in the plan")
        return found

    def fault_of_refusal(self, output: str) -> str:
        """How a plan that failed differs from what is expected of it, "" if it does not."""
        words = re.sub(r"[\s│╷╵]+", " ", output)
        if self.refused and re.search(self.refused, words):
            return ""
        return f"refused: {words[-1500:]}" if words else "is not refused"


def _differences(verb: str, patterns: list[str], addresses: list[str]) -> list[str]:
    """Each address must be expected, and each expectation met."""
    strange = [a for a in addresses if not any(fnmatch.fnmatchcase(a, p) for p in patterns)]
    missing = [p for p in patterns if not fnmatch.filter(addresses, p)]
    return [
        *([f"{verb} {', '.join(sorted(strange))}, which is not expected"] if strange else []),
        *([f"does not {verb[:-1]} {', '.join(missing)}"] if missing else []),
    ]


def load() -> dict[str, Change]:
    """All changes, by name.

    Raises:
        TypeError: A row has a field that there is not.
    """
    rows = tomllib.loads("\n".join(path.read_text() for path in TABLES))
    return {name: Change(name=name, **row) for name, row in rows.items()}
