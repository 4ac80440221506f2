"""Which system is meant, and what a person reads when it is not clear."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from async_ingest import outputs, system
from async_ingest.aws import Aws
from async_ingest.errors import OpsError
from async_ingest.main import main
from tests.ops.queues import Queues

URL = "https://sqs.us-east-1.amazonaws.com/000000000000/"
ARN = "arn:aws:sqs:us-east-1:000000000000:"


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"queue_url": URL + "a", "dead_letter_queue_url": URL + "a-dead-letter"}, ["a"]),
        ({"queue_name": "a"}, ["a"]),
        ({"queue_arn": ARN + "a"}, ["a"]),
        ({"orders_queue_url": URL + "a", "returns_queue_url": URL + "b"}, ["a", "b"]),
        ({"orders": {"queue_url": URL + "a"}, "returns": {"queue_name": "b"}}, ["a", "b"]),
        ({"all": {"eu": {"queue_name": "a"}, "us": {"queue_name": "b"}}}, ["a", "b"]),
        ({"dead_letter_queue_url": URL + "a-dead-letter", "vpc_id": "vpc-1"}, []),
        ({"queue_url": None}, []),
    ],
    ids=str,
)
def test_systems_are_found_in_outputs(given: dict[str, Any], names: list[str]) -> None:
    assert sorted(outputs.systems_in(given)) == names


def test_outputs_with_a_prefix_are_known_without_it() -> None:
    given = {"orders_queue_url": URL + "a", "orders_table_name": "t", "table_name": "other"}

    assert outputs.systems_in(given)["a"]["table_name"] == "t"


@pytest.fixture
def terraform(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What terraform output prints."""
    printed: dict[str, Any] = {}

    def run(*_: Any, **__: Any) -> subprocess.CompletedProcess[str]:
        text = json.dumps({name: {"value": value} for name, value in printed.items()})
        return subprocess.CompletedProcess([], 0, text, "")

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(shutil, "which", lambda name: name)
    return printed


def test_one_of_two_systems_is_not_guessed(queues: Queues, terraform: dict[str, Any]) -> None:
    terraform |= {"orders_queue_name": "a", "returns_queue_name": "b"}
    aws, directory = Aws(), Path()

    with pytest.raises(OpsError, match=r"Which system\? .*: a, b\. Pass --name\."):
        system.find(aws, None, directory)
    with pytest.raises(OpsError, match=r"no system c in .*There are: a, b\."):
        system.find(aws, "c", directory)
    assert system.find(aws, "b", directory).name == "b"


def test_a_region_with_two_systems_is_not_guessed(
    queues: Queues, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["a", "b"]
    monkeypatch.setattr(system, "_deployed", lambda _aws: names)

    with pytest.raises(OpsError, match="several in region us-east-1: a, b"):
        system.find(Aws(), None, None)
    names.remove("b")
    assert system.find(Aws(), None, None).name == "a"


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["dlq", "list", "--name", "other"], 4, "There is no queue other-dead-letter in us-east"),
        (["dlq", "list"], 4, "There is no system in region us-east-1"),
        (["dlq", "list", "--profile", "nobody"], 4, "profile (nobody) could not be found"),
        (["dlq", "redrive", "--by", "task", "--reason", "x"], 2, "leave out the selection"),
        (["dlq", "list", "--older-than", "soon"], 2, "soon is not a duration"),
        (["dlq", "list", "--key", "x"], 2, "x is not NAME=VALUE"),
    ],
    ids=str,
)
def test_errors_are_one_line_and_a_code(
    queues: Queues, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, text: str
) -> None:
    if code == 2 and "task" in arguments:
        arguments = [*arguments, "--name", "orders"]

    assert main(arguments) == code

    said = capsys.readouterr().err
    assert text in said
    assert "Traceback" not in said
    assert code == 2 or len(said.splitlines()) == 1
