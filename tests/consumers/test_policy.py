"""A team's own policy checks on a consumer that pins a commit, and the consumer applied."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.emulator import ROOT, Emulator
from local.stack import Stack
from local.terraform import Terraform
from tests.consumers import policy
from tests.consumers.engines import OPENTOFU
from tests.support import checkov
from tests.support.repository import Repository
from tests.support.stack import new_order

pytestmark = pytest.mark.nightly

MOST_LINES = 10


class Consumer:
    """A root module and its plan, laid out as Terraform leaves them for a policy check."""

    def __init__(self, directory: Path, emulator: Emulator, text: str) -> None:
        directory.mkdir()
        (directory / "main.tf").write_text(text)
        data = directory / ".terraform"  # hidden, so the module's own tests are not scanned
        data.mkdir()
        self.directory = directory
        self.terraform = Terraform(directory, data, emulator.environment())
        self.terraform.init()

    def static(self) -> set[str]:
        """Returns the ids of the checks that fail."""
        return _failed(checkov.static(self.directory))

    def planned(self) -> set[str]:
        return _failed(checkov.planned(self.terraform))


def _failed(results: dict[str, Any]) -> set[str]:
    return {check["check_id"] for check in results["failed_checks"]}


@pytest.fixture(scope="module")
def consumers(
    emulator: Emulator, repository: Repository, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Consumer]:
    top = tmp_path_factory.mktemp("policies")
    blocks = {"minimal": policy.MINIMAL, "secured": policy.SECURED}
    return {
        name: Consumer(top / name, emulator, policy.configuration(block, repository, name))
        for name, block in blocks.items()
    }


def test_the_whole_system_with_key_and_alarms_takes_few_lines() -> None:
    lines = [line for line in policy.SECURED.splitlines() if line]

    assert len(lines) <= MOST_LINES


def test_with_https_and_key_nothing_is_found(consumers: dict[str, Consumer]) -> None:
    assert consumers["secured"].static() == set()
    assert consumers["secured"].planned() == set()


def test_with_a_name_alone_only_what_is_documented_is_found(
    consumers: dict[str, Consumer],
) -> None:
    assert consumers["minimal"].static() == set()
    assert consumers["minimal"].planned() == set(documented())


def documented() -> Iterator[str]:
    """Yields the checks in the row of docs/security-controls.md about a name alone."""
    text = (ROOT / "docs" / "security-controls.md").read_text()
    [row] = re.findall(r"^\| only `name` \|.*$", text, re.MULTILINE)
    prefix = ""
    for start, number in re.findall(r"\b(CKV2?_AWS_)?(\d+)\b", row.split("|")[2]):
        prefix = start or prefix
        yield prefix + number


def test_opentofu_applies_it_and_it_takes_an_order(
    consumers: dict[str, Consumer], emulator: Emulator, tmp_path: Path
) -> None:
    OPENTOFU.require()
    environment = OPENTOFU.environment({**os.environ, **emulator.environment()})
    terraform = Terraform(consumers["minimal"].directory, tmp_path, environment)
    terraform.init()
    terraform.apply()
    stack = Stack(emulator, terraform, module="all")
    order = new_order()

    assert stack.post(order).status == 202

    stack.wait_for_row(order)
    assert terraform.pending_changes() == ""
