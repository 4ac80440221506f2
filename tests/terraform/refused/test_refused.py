"""Every validation refuses what it should, with its own message and not by a failing expression.

Starting the provider takes longer than planning a module call, so several values are planned in one
call. A refused value hides the validations that depend on it; those are planned again without it.
"""

import json
import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.terraform.refused.pieces import BASES, PIECES
from tests.terraform.refused.root import ROOT as OF_ROOT
from tests.terraform.refused.rows import Row

ROOT = Path(__file__).resolve().parents[3]
ROWS = {".": OF_ROOT, **{f"modules/{name}": rows for name, rows in PIECES.items()}}
Found = tuple[str, Row]  # the module, and the row
Place = tuple[str, int]  # file and line
OURS = (
    "Invalid value for variable",
    "Resource precondition failed",
    "Check block assertion failed",
)

# Zones in which neither service has endpoints; the mocks list no zones.
ZONES = """
override_data {
  target = module.%s.data.aws_subnet.function
  values = { availability_zone = "eu-central-1a" }
}

override_data {
  target = module.%s.data.aws_vpc_endpoint_service.interface["sqs"]
  values = { availability_zones = ["eu-central-1b"] }
}

override_data {
  target = module.%s.data.aws_vpc_endpoint_service.interface["secrets_manager"]
  values = { availability_zones = ["eu-central-1b"] }
}
"""


class Call(NamedTuple):
    module: str
    rows: list[Row]

    @property
    def given(self) -> dict[str, str]:
        """The inputs of all rows."""
        found: dict[str, str] = {}
        for row in self.rows:
            found |= {row.input: row.value} | (row.also or {})
        return found

    def takes(self, module: str, row: Row) -> bool:
        """Whether the row is refused in this call just as it is alone.

        Rows with further inputs share a call only at the root, whose calls take longest.
        """
        if self.module != module or (row.also is not None and module != "."):
            return False
        wanted = {row.input: row.value} | (row.also or {})
        inputs = {one.input for one in self.rows}
        looked_at = set[str]().union(*(LOOKS_AT[module][name] for name in inputs))
        return (
            all(self.given.get(name, value) == value for name, value in wanted.items())
            and row.input not in inputs | looked_at
            and not LOOKS_AT[module][row.input] & inputs
        )

    def may_say(self, at: Place, lines: range) -> bool:
        """Whether this call may have caused what is reported at a place.

        Args:
            at: The call's own lines, or where a module refuses what another one passes on.
            lines: Those of the call.
        """
        file, line = at
        return line in lines if file == "main.tf" else Path(file).is_relative_to(ROOT / self.module)

    def hcl(self, name: str) -> str:
        base = BASES.get(Path(self.module).name, {"name": '"orders"'})
        lines = "".join(f"  {name} = {value}\n" for name, value in (base | self.given).items())
        return f'module "{name}" {{\n  source = "./checkout/{self.module}"\n{lines}}}\n'


def looks_at(module: str) -> dict[str, set[str]]:
    """Returns, by input, the other inputs that its validations depend on."""
    text = (ROOT / module / "variables.tf").read_text()
    blocks = re.findall(r'^variable "(\w+)" \{\n(.*?)^\}', text, re.MULTILINE | re.DOTALL)
    main = (ROOT / module / "main.tf").read_text()
    local_values = dict(re.findall(r"^  (\w+) += (.*)$", main, re.MULTILINE))

    def inputs(expression: str) -> set[str]:
        used = re.findall(r"\blocal\.(\w+)", expression)
        found = set(re.findall(r"\bvar\.(\w+)", expression))
        return found.union(*(inputs(local_values.get(name, "")) for name in used))

    return {name: inputs(body) - {name} for name, body in blocks}


LOOKS_AT = {module: looks_at(module) for module in ROWS}


def calls(rows: list[Found]) -> list[Call]:
    found: list[Call] = []
    for module, row in rows:
        if call := next((one for one in found if one.takes(module, row)), None):
            call.rows.append(row)
        else:
            found.append(Call(module, [row]))
    return found


class Said(NamedTuple):
    summary: str
    detail: str
    at: Place
    rule: Place


def planned(directory: Path, of_it: list[Call]) -> list[Said]:
    (directory / "checkout").symlink_to(ROOT)
    (directory / "lambda_src").symlink_to(ROOT / "lambda_src")
    # Without it, the mocked provider would not be that of the modules.
    (directory / "versions.tf").write_text(
        'terraform {\n  required_providers {\n    aws = { source = "hashicorp/aws" }\n  }\n}\n'
    )
    named = {f"c{number}": call for number, call in enumerate(of_it)}
    (directory / "main.tf").write_text("".join(call.hcl(name) for name, call in named.items()))
    (directory / "refused.tftest.hcl").write_text(
        'mock_provider "aws" {\n  source = "./checkout/tests/terraform/mocks"\n}\n'
        + "".join(
            ZONES % (name, name, name) for name, call in named.items() if "endpoints" in call.module
        )
        + 'run "refused" {\n  command = plan\n}\n'
    )
    data = Path(os.environ.get("TF_DATA_DIR", ROOT / ".terraform"))
    environment = {**os.environ, "TF_DATA_DIR": ".terraform"}
    init = ("terraform", "init", "-backend=false", "-input=false")
    subprocess.run(
        [*init, f"-plugin-dir={data / 'providers'}"],
        cwd=directory,
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    result = subprocess.run(
        ["terraform", "test", "-json"],
        cwd=directory,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    events = [json.loads(line) for line in result.stdout.splitlines()]
    return [said(directory, one["diagnostic"]) for one in events if one["type"] == "diagnostic"]


def said(directory: Path, diagnostic: dict[str, Any]) -> Said:
    span = diagnostic.get("range") or {"filename": "", "start": {"line": 0}}
    at = (span["filename"], span["start"]["line"])
    rule = re.search(r"validation rule at (\S+?):(\d+),", diagnostic["detail"])
    file, line = (rule[1], int(rule[2])) if rule else at
    return Said(
        diagnostic["summary"],
        re.sub(r"\s+", " ", diagnostic["detail"]),
        at,
        (str((directory / file).resolve()), line),
    )


def heard(of_it: list[Call], all_said: list[Said]) -> Iterator[Found]:
    """Yields the rows that are refused, at their call or inside the module that it calls."""
    first = 1
    for number, call in enumerate(of_it):
        after = first + call.hcl(f"c{number}").count("\n")
        own = [one.detail for one in all_said if call.may_say(one.at, range(first, after))]
        for row in call.rows:
            if any(row.says in detail for detail in own):
                yield call.module, row
        first = after


class Trial(NamedTuple):
    said: list[Said]
    silent: list[Found]


EVERYTHING = [(module, row) for module, rows in ROWS.items() for row in rows]


def wanted(items: Sequence[Any]) -> list[Found]:
    """Returns the rows of the selected tests, or all if one of these is about all."""
    of_a_trial = [item for item in items if "trial" in getattr(item, "fixturenames", ())]
    given = [item.callspec.params for item in of_a_trial if hasattr(item, "callspec")]
    if len(given) < len(of_a_trial):
        return EVERYTHING
    return [(one["module"], one["row"]) for one in given]


@pytest.fixture(scope="session")
def trial(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Trial:
    """Plans rows of one input first, then the rest, and again until no further row is refused."""
    everything = wanted(request.session.items)
    silent = [one for one in everything if one[1].also is None]
    later = [one for one in everything if one[1].also is not None]
    all_said: list[Said] = []
    while silent or later:
        tried = calls(silent)
        new = planned(tmp_path_factory.mktemp("refused"), tried)
        all_said += new
        known = list(heard(tried, new))
        silent = [*(one for one in silent if one not in known), *later]
        if not known and not later:
            break
        later = []
    return Trial(all_said, silent)


@pytest.mark.parametrize(
    ("module", "row"),
    [
        pytest.param(module, row, id=f"{module} {row.input} = {row.value[:60]} {row.also or ''}")
        for module, row in EVERYTHING
    ],
)
def test_a_value_is_refused(trial: Trial, module: str, row: Row) -> None:
    assert (module, row) not in trial.silent


def test_no_refusal_is_an_expression_that_fails(trial: Trial) -> None:
    assert [one for one in trial.said if one.summary not in OURS] == []


def test_every_validation_and_precondition_refuses_something(trial: Trial) -> None:
    fired = {one.rule for one in trial.said}
    silent = []
    for path in (*ROOT.glob("*.tf"), *ROOT.glob("modules/*/*.tf")):
        lines = path.read_text().splitlines()
        for number, line in enumerate(lines, 1):
            kind = re.match(r"\s*(validation|precondition) \{", line)
            # Terraform reports the line of a validation's block, but of a precondition's condition.
            near = {(str(path), number + further) for further in range(4)}
            if kind and not near & fired:
                silent.append(f"{path.relative_to(ROOT)}:{number}: {lines[number].strip()}")
    assert silent == []
