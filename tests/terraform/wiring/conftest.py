"""Runs `terraform test` once, and provides its states and plans to the tests beside this file."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.terraform.wiring.names import Actions, Resources
from tests.terraform.wiring.reading import resources

ROOT = Path(__file__).resolve().parents[3]


def event(line: str) -> dict[str, Any]:
    """Parses an event without the provider schemas, which come last and are most of its text."""
    start, cut, _ = line.partition(',"provider_schemas":')
    kind = "test_plan" if '"test_plan":{' in start else "test_state"
    found: dict[str, Any] = json.loads(f'{start}}},"type":"{kind}"}}' if cut else line)
    return found


def done(change: dict[str, Any]) -> list[str]:
    actions: list[str] = change["actions"]
    if actions != ["update"]:
        return [one for one in actions if one != "no-op"]
    before, after, unknown = change["before"], change["after"], change["after_unknown"]
    known = {name for name in before | after if before.get(name) != after.get(name)}
    return sorted(known | {name for name in unknown if name not in after})


@pytest.fixture(scope="session")
def events() -> list[dict[str, Any]]:
    result = subprocess.run(
        ["terraform", "test", "-json", "-verbose", "-test-directory=tests/terraform/wiring"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    found = [event(line) for line in result.stdout.splitlines()]
    said = [one["diagnostic"] for one in found if one["type"] == "diagnostic"]
    assert result.returncode == 0, said
    return found


@pytest.fixture(scope="session")
def tested(events: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {one["@testrun"]: one["test_state"] for one in events if one["type"] == "test_state"}


@pytest.fixture(scope="session")
def plans(events: list[dict[str, Any]]) -> dict[str, Actions]:
    """By run and address: "create", "delete", or the attributes of an update."""
    return {
        one["@testrun"]: {
            change["address"]: done(change["change"])
            for change in one["test_plan"].get("resource_changes", [])
        }
        for one in events
        if one["type"] == "test_plan"
    }


@pytest.fixture(scope="session")
def states(tested: dict[str, dict[str, Any]]) -> dict[str, Resources]:
    return {run: resources(state["root_module"]) for run, state in tested.items()}
