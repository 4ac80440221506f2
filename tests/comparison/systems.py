"""The same system twice: composed of public modules, and by this module. Each can be planned."""

import json
import re
import shutil
import tomllib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from local.emulator import ROOT
from local.terraform import Terraform, TerraformError
from tests.comparison.sources import COMPOSED
from tests.support import checkov
from tests.support.mutation import Mutation
from tests.support.repository import Repository
from tools import markup

MISWIRINGS = Path(__file__).with_name("miswirings.toml")
NAME = '  name = "orders"\n'  # in the module block of the README


class Fixed(NamedTuple):
    """Where this module fixes what a composition may get wrong."""

    file: str
    text: str


class Miswiring(NamedTuple):
    """See miswirings.toml."""

    mistake: str
    text: str
    replacement: str
    cost: str
    about: str = ""
    inputs: Mapping[str, Any] = MappingProxyType({})
    fixed: Fixed | None = None
    refused_by_aws: str = ""
    measured: str = ""
    ignored: bool = False

    def in_composed(self, text: str) -> str:
        return Mutation("composed/main.tf", self.text, self.replacement).applied_to(text)

    def in_used(self, text: str) -> str:
        """Adds the inputs to the module block. An expression in JSON is one in Terraform."""
        inputs = (f"  {name} = {json.dumps(value)}\n" for name, value in self.inputs.items())
        return Mutation("README.md", NAME, NAME + "".join(inputs)).applied_to(text)


def miswirings() -> list[Miswiring]:
    rows = tomllib.loads(MISWIRINGS.read_text())["miswiring"]
    return [
        Miswiring(**{**row, "fixed": Fixed(**row["fixed"]) if "fixed" in row else None})
        for row in rows
    ]


def used() -> str:
    """Returns the configuration with which the README uses this module."""
    return markup.blocks((ROOT / "README.md").read_text(), "hcl")[0]


def lines(text: str) -> int:
    """Counts lines that are neither blank nor a comment."""
    return len(re.findall(r"^\s*[^\s#]", text, re.MULTILINE))


class System:
    """A root module, initialized.

    Args:
        directory: Where it is made. It must not exist.
        text: Of main.tf.
        environment: Of Terraform.
    """

    def __init__(self, directory: Path, text: str, environment: Mapping[str, str]) -> None:
        shutil.copytree(COMPOSED / "src", directory / "src")
        (directory / "main.tf").write_text(text)
        data = directory / ".terraform"  # hidden from checkov
        data.mkdir()
        self.directory, self.text = directory, text
        self._terraform = Terraform(directory, data, environment)
        self._terraform.init()
        self.planned = self._planned()

    def size(self) -> dict[str, int]:
        """Returns what its author writes and reads, and what it makes."""
        modules = self._terraform.state_path.parent / "terraform" / "modules" / "modules.json"
        called = json.loads(modules.read_text())["Modules"]
        return {
            "lines of Terraform": lines(self.text),
            "module blocks": sum("." not in one["Key"] and one["Key"] != "" for one in called),
            "resources": len([name for name in self.planned if ".data." not in f".{name}"]),
        }

    def findings(self) -> dict[str, dict[str, int]]:
        """Returns how often each check of checkov fails, and is skipped, in the plan."""
        results = checkov.planned(self._terraform)

        def counts(kind: str) -> dict[str, int]:
            found = Counter(one["check_id"] for one in results[f"{kind}_checks"])
            return dict(sorted(found.items()))

        return {"failed": counts("failed"), "skipped": counts("skipped")}

    def complaint(self, text: str, about: str, *, ignored: bool = False) -> str:
        """Returns what the plan of another text complains of, or "" if it does not.

        Raises:
            AssertionError: It complains of something else, or the plan does not change, unless the
                other text is `ignored`.
        """
        (self.directory / "main.tf").write_text(text)
        try:
            changed = self._planned()
        except TerraformError as error:
            if not about or about not in str(error):
                raise AssertionError(f"refused, but not for {about!r}") from error
            return _first_sentence(str(error))
        finally:
            (self.directory / "main.tf").write_text(self.text)
        assert ignored == (changed == self.planned), f"ignored is {ignored}:\n{text}"
        return ""

    def _planned(self) -> dict[str, Any]:
        """Returns what an apply would leave or read, as far as it is known, by address."""
        changes = self._terraform.planned_document()["resource_changes"]
        return {one["address"]: one["change"]["after"] for one in changes}


def _first_sentence(error: str) -> str:
    """Returns the detail of Terraform's first diagnostic, or its summary if there is none."""
    summary, *details = (line.strip() for line in error.splitlines() if line.strip())
    about = [line for line in details if not re.search(r":\d+$", line)]
    return about[0] if about and not about[0].startswith("Error: ") else summary


def make_both(directory: Path, environment: Mapping[str, str]) -> tuple[System, System]:
    """Returns the composed system, and the same one by this module, from a git repository."""
    repository = Repository(directory / "repository")
    here = re.sub(r'"git::[^"]+"', lambda _: f'"{repository.source()}"', used())
    composed = System(directory / "composed", (COMPOSED / "main.tf").read_text(), environment)
    return composed, System(directory / "here", here, environment)
