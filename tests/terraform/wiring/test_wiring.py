"""Each input of the root arrives where it is for, each default protects, the pieces are wired.

On the states of wiring.tftest.hcl, which hold every attribute of every module. Paths are addresses
without "module." and [0], then attributes; blocks that stand alone need no index.
"""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.terraform.wiring.arrives import ARRIVES
from tests.terraform.wiring.names import BALANCER, Resources
from tests.terraform.wiring.policies import POLICIES, statement
from tests.terraform.wiring.reading import differences, in_order, meant, short, value
from tests.terraform.wiring.wires import AFTER, DEFAULTS, NAMED, OUTPUTS, WIRES

ROOT = Path(__file__).resolve().parents[3]


def test_every_input_has_a_row() -> None:
    declared = re.findall(r'^variable "(\w+)"', (ROOT / "variables.tf").read_text(), re.MULTILINE)

    assert declared
    assert [name for name in declared if name not in ARRIVES] == []


@pytest.mark.parametrize("name", ARRIVES)
def test_an_input_arrives(states: dict[str, Resources], name: str) -> None:
    for run, expected in ARRIVES[name].items():
        assert differences(states[run], expected) == {}, f"{name} in run {run!r}"


def test_the_defaults_protect(states: dict[str, Resources]) -> None:
    assert differences(states["defaults"], DEFAULTS) == {}


def test_the_pieces_point_at_each_other(states: dict[str, Resources]) -> None:
    assert differences(states["defaults"], WIRES) == {}


@pytest.mark.parametrize(
    ("run", "policy"), [(run, policy) for run, policies in POLICIES.items() for policy in policies]
)
def test_a_policy_says(states: dict[str, Resources], run: str, policy: str) -> None:
    said = [
        {name: one[name] or empty for name, empty in statement("", "", []).items()}
        for one in states[run][policy]["statement"]
    ]

    assert in_order(said) == in_order(meant(states[run], POLICIES[run][policy]))


def test_every_policy_is_looked_at(states: dict[str, Resources]) -> None:
    there = {
        address
        for address, values in states["given"].items()
        if ".aws_iam_policy_document." in address and values["statement"]
    }

    assert there == POLICIES["given"].keys()


def test_the_outputs_tell(tested: dict[str, dict[str, Any]], states: dict[str, Resources]) -> None:
    outputs = {name: one.get("value") for name, one in tested["given"]["outputs"].items()}
    url = f"https://{value(states['given'], BALANCER)['dns_name']}/orders"

    assert outputs == meant(states["given"], OUTPUTS | {"endpoint_url": url})


@pytest.mark.parametrize(("later", "sooner"), AFTER.items())
def test_what_is_made_after_what(states: dict[str, Resources], later: str, sooner: str) -> None:
    assert sooner in map(short, states["given"][later]["depends_on"])


def test_tags_reach_every_resource(states: dict[str, Resources]) -> None:
    without = [
        address
        for address, values in states["given"].items()
        if "tags" in values and ".data." not in address and values["tags"].get("team") != "orders"
    ]

    assert without == []


def test_what_the_console_lists_by_name_has_one(states: dict[str, Resources]) -> None:
    names = {
        address: (values["tags"] or {}).get("Name", "")
        for address, values in states["given"].items()
        if ".data." not in address and any(f".aws_{kind}." in f".{address}" for kind in NAMED)
    }

    assert {address: name for address, name in names.items() if "orders" not in name} == {}
    assert len(names) > 2 * len(NAMED)
