"""Each input of the root shows up where it should, defaults are safe, and the pieces are wired.

The tests read the states of wiring.tftest.hcl, which have every attribute of every module. A path
is an address without "module." and [0], then attributes; single blocks need no index.
"""

import json
import re
import shlex
import tomllib
from fnmatch import fnmatchcase as fnmatch
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from local.terraform import short_address
from tests.terraform.wiring.arrives import ARRIVES
from tests.terraform.wiring.names import ALARM, BALANCER, FUNCTIONS, LAMBDA, OBJECTIVE, Resources
from tests.terraform.wiring.policies import POLICIES, statement
from tests.terraform.wiring.reading import differences, in_order, resolved, value
from tests.terraform.wiring.wires import AFTER, DEFAULTS, NAMED, OUTPUTS, WIRES

ROOT = Path(__file__).resolve().parents[3]
RESOURCES = tomllib.loads(Path(__file__).with_name("resources.toml").read_text())


def test_every_input_has_a_row() -> None:
    declared = re.findall(r'^variable "(\w+)"', (ROOT / "variables.tf").read_text(), re.MULTILINE)

    assert declared
    assert [name for name in declared if name not in ARRIVES] == []


@pytest.mark.parametrize("name", ARRIVES)
def test_an_input_shows_up_where_it_should(states: dict[str, Resources], name: str) -> None:
    for run, expected in ARRIVES[name].items():
        assert differences(states[run], expected) == {}, f"{name} in run {run!r}"


def test_the_defaults_are_safe(states: dict[str, Resources]) -> None:
    assert differences(states["defaults"], DEFAULTS) == {}


def test_the_pieces_are_wired(states: dict[str, Resources]) -> None:
    assert differences(states["defaults"], WIRES) == {}


@pytest.mark.parametrize(
    ("run", "policy"), [(run, policy) for run, policies in POLICIES.items() for policy in policies]
)
def test_a_policy_has_the_expected_statements(
    states: dict[str, Resources], run: str, policy: str
) -> None:
    said = [
        {name: one[name] or empty for name, empty in statement("", "", []).items()}
        for one in states[run][policy]["statement"]
    ]

    assert in_order(said) == in_order(resolved(states[run], POLICIES[run][policy]))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_hooks_and_what_runs_them_are_in_a_package_only_if_given(
    states: dict[str, Resources], function: str
) -> None:
    archive = f"{function}.data.archive_file.this"
    files = {
        run: {source["filename"] for source in states[run][archive]["source"]}
        for run in ("defaults", "hooks")
    }
    runner = {f"async_ingest_hooks/{name}.py" for name in ("__init__", "hooks", "values")}
    hooks = {"__init__.py", "invalid.py", "order_schema.py", "order.schema.json"}

    assert files["hooks"] - files["defaults"] == runner | hooks


def test_every_policy_is_tested(states: dict[str, Resources]) -> None:
    there = {
        address
        for address, values in states["given"].items()
        if ".aws_iam_policy_document." in address and values["statement"]
    }

    assert there == POLICIES["given"].keys()


def test_the_outputs_describe_what_was_created(
    tested: dict[str, dict[str, Any]], states: dict[str, Resources]
) -> None:
    outputs = {name: one.get("value") for name, one in tested["given"]["outputs"].items()}
    assert outputs.pop("next_steps")  # below
    alarms = {
        address.split('"')[1]: values
        for address, values in states["given"].items()
        if address.startswith((ALARM, OBJECTIVE))
    }
    for output, attribute in (("alarm_arns", "arn"), ("alarm_names", "alarm_name")):
        assert outputs.pop(output) == {key: alarm[attribute] for key, alarm in alarms.items()}
    url = f"https://{value(states['given'], BALANCER)['dns_name']}/orders"

    assert outputs == resolved(states["given"], OUTPUTS | {"endpoint_url": url})


class Steps(NamedTuple):
    """What the text of the output next_steps must have; DNS is the load balancer's name."""

    url: str
    order: dict[str, Any]
    says: str
    via: tuple[str, ...] = ()


DEFAULT_ORDER = {"order_id": "123", "item": "Kopi Susu", "qty": 2}
NEXT_STEPS = {
    "defaults": Steps(
        "http://DNS/lambda/api",
        DEFAULT_ORDER,
        "(from inside the VPC or a connected network, with an address in 10.0.0.0/16)",
    ),
    "given": Steps(
        "https://NAME/orders",
        {"customer": 123, "number": 1, "tenant": "tenant-1", "revision": 1, "qty": 2},
        "(from an address in 198.51.100.0/24 or 2001:db8::/32; NAME is one that the",
        ("--connect-to", "::DNS:"),
    ),
    "existing": Steps(
        "http://NAME/orders", DEFAULT_ORDER, "(NAME is that of the load balancer of existing_list"
    ),
    "without_endpoints": Steps(
        "http://DNS/lambda/api",
        {"order_id": "123", "updated_at": "2026-01-01T00:00:00Z", "qty": 2},
        "if your own listener rules let it through",
    ),
}


@pytest.mark.parametrize("run", NEXT_STEPS)
def test_the_next_steps_are_commands_with_the_systems_own_names(
    tested: dict[str, dict[str, Any]], states: dict[str, Resources], run: str
) -> None:
    expected = NEXT_STEPS[run]
    outputs = {name: one.get("value") for name, one in tested[run]["outputs"].items()}
    text = outputs["next_steps"].replace(outputs.get("load_balancer_dns_name") or "no DNS", "DNS")
    commands = [shlex.split(line) for line in text.splitlines() if line.startswith("  ")]
    send, see, *others = commands

    assert expected.says in text
    assert send[:3] == ["curl", "-i", expected.url]
    assert tuple(send[3:-4]) == expected.via
    assert send[-4:-1] == ["-H", "Content-Type: application/json", "-d"]
    assert json.loads(send[-1]) == expected.order
    keys = json.loads(value(states[run], f"ingest.{LAMBDA}.environment.variables.TABLE_KEYS"))
    assert json.loads(see[-1]) == {
        key["name"]: {key["type"]: str(expected.order[key["name"]])} for key in keys
    }
    assert [command[:3] for command in (see, *others)] == [
        ["aws", "dynamodb", "get-item"],
        ["async-ingest", "doctor", "--region"],
        ["async-ingest", "status", "--region"],
        ["aws", "logs", "tail"],
        ["aws", "logs", "tail"],
        ["aws", "sqs", "receive-message"],
        ["aws", "sqs", "start-message-move-task"],
        ["aws", "lambda", "update-event-source-mapping"],
    ]
    assert [command[3] for command in others[2:4]] == [
        f"/aws/lambda/{outputs[f'{function}_function_name']}" for function in FUNCTIONS
    ]
    for name in (
        *("table_name", "dead_letter_queue_url", "dead_letter_queue_arn", "queue_arn"),
        "event_source_mapping_id",
    ):
        assert any(outputs[name] in command for command in commands), name


@pytest.mark.parametrize(("later", "sooner"), AFTER)
def test_a_resource_depends_on_what_it_needs(
    states: dict[str, Resources], later: str, sooner: str
) -> None:
    assert sooner in map(short_address, states["given"][later]["depends_on"])


@pytest.mark.parametrize("run", RESOURCES)
def test_a_configuration_has_exactly_these_resources(
    states: dict[str, Resources], run: str
) -> None:
    lacks = RESOURCES[run].get("lacks", [])
    common = {
        address
        for address in RESOURCES["defaults"]["adds"]
        if not any(address == one or fnmatch(address, one) for one in lacks)
    }

    assert {a for a in states[run] if ".data." not in f".{a}"} == {
        *common,
        *RESOURCES[run].get("adds", []),
    }


@pytest.mark.parametrize("run", RESOURCES)
def test_a_policy_is_written_once(states: dict[str, Resources], run: str) -> None:
    policies = [one for one in states[run] if ".data.aws_iam_policy_document." in f".{one}"]

    assert policies
    assert [one for one in policies if re.search(r"\[\d+\]$", one)] == []


def test_tags_reach_every_resource(states: dict[str, Resources]) -> None:
    without = [
        address
        for address, values in states["given"].items()
        if "tags" in values and ".data." not in address and values["tags"].get("team") != "orders"
    ]

    assert without == []


def test_resources_that_the_console_lists_by_name_have_one(states: dict[str, Resources]) -> None:
    names = {
        address: (values["tags"] or {}).get("Name", "")
        for address, values in states["given"].items()
        if ".data." not in address and any(f".aws_{kind}." in f".{address}" for kind in NAMED)
    }

    assert {address: name for address, name in names.items() if "orders" not in name} == {}
    assert len(names) > 2 * len(NAMED)
