"""The table of changes: table.toml and refused.toml."""

import fnmatch
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

TABLES = [Path(__file__).with_name(name) for name in ("table.toml", "refused.toml")]

Actions = dict[str, str]  # as Terraform plans them, by address


@dataclass(frozen=True)
class Change:
    """A change of inputs and its expected effect. table.toml explains the fields."""

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
        """Its most severe effect, in the words of the documentation."""
        if self.refused:
            return "refused"
        if self.is_nothing:
            return "nothing"
        if self.replaces:
            return "replaces"
        if self.destroys:
            return "destroys"
        return "new version" if self.versions else "in place"

    def plan_problems(self, actions: Actions) -> list[str]:
        """Returns how a plan differs from the expectation."""
        # terraform_data only remembers values: it is no part of the system.
        actions = {a: what for a, what in actions.items() if "terraform_data." not in a}
        replaced = [a for a, what in actions.items() if what == "replace"]
        destroyed = [a for a, what in actions.items() if what == "delete"]
        aliases = [a for a in actions if a.endswith("aws_lambda_alias.live")]
        versions = sorted(a.split(".")[0] for a in aliases if actions[a] == "update")
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

    def refusal_problem(self, output: str) -> str:
        """Returns how the output of a failed plan differs from the expectation, or ""."""
        words = re.sub(r"[\s│╷╵]+", " ", output)
        if self.refused and re.search(self.refused, words):
            return ""
        return f"refused: {words[-1500:]}" if words else "is not refused"


def _differences(verb: str, patterns: list[str], addresses: list[str]) -> list[str]:
    """Returns unexpected addresses, and patterns without an address."""
    strange = [a for a in addresses if not any(fnmatch.fnmatchcase(a, p) for p in patterns)]
    missing = [p for p in patterns if not fnmatch.filter(addresses, p)]
    return [
        *([f"{verb} {', '.join(sorted(strange))}, which is unexpected"] if strange else []),
        *([f"does not {verb[:-1]} {', '.join(missing)}"] if missing else []),
    ]


def load() -> dict[str, Change]:
    """Returns all changes by name.

    Raises:
        TypeError: A row has an unknown field.
    """
    rows = tomllib.loads("\n".join(path.read_text() for path in TABLES))
    return {name: Change(name=name, **row) for name, row in rows.items()}
