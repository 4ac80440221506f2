"""The comparison with public modules is of what is here, and its page says what was measured.

`make compare` measures again.
"""

import json
import re
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from local.emulator import REGION, ROOT
from tests.comparison import document, sources, systems
from tests.comparison.systems import Miswiring
from tests.support.tables import create_table
from tools import setup

MISWIRINGS = systems.miswirings()
COMPOSED = (sources.COMPOSED / "main.tf").read_text()
INPUTS = set(re.findall(r'^variable "(\w+)"', (ROOT / "variables.tf").read_text(), re.MULTILINE))
MISSPELT = {"queue_visibility_timeout"}

each = pytest.mark.parametrize("row", MISWIRINGS, ids=lambda row: row.mistake)


@each
def test_a_mistake_changes_both_systems(row: Miswiring) -> None:
    assert row.in_composed(COMPOSED) != COMPOSED
    assert bool(row.inputs) == (row.in_used(systems.used()) != systems.used())
    assert row.inputs or row.fixed


@each
def test_its_counterpart_is_here(row: Miswiring) -> None:
    assert set(row.inputs) - INPUTS <= MISSPELT
    if row.fixed:
        assert (ROOT / row.fixed.file).read_text().count(row.fixed.text) == 1


def test_a_text_that_is_there_twice_is_no_mistake() -> None:
    with pytest.raises(AssertionError, match="2 times, not once"):
        MISWIRINGS[0].in_composed(COMPOSED + MISWIRINGS[0].text)


def test_what_was_measured_is_what_is_compared() -> None:
    report = document.recorded()

    assert report["made_from"] == document.made_from(), "measure again: make compare WRITE=1"
    assert list(report["miswirings"]) == [row.mistake for row in MISWIRINGS]
    assert list(report["commits"]) == list(sources.modules())


def test_the_page_says_what_was_measured() -> None:
    report = document.recorded()
    assert not document.is_stale(), "docs/comparison.md: make compare WRITE=1"

    report["here"]["resources"] += 1

    assert document.written(document.DOCUMENT.read_text(), report) != document.DOCUMENT.read_text()


def test_lines_are_neither_blank_nor_comments() -> None:
    assert systems.lines("# why\n\na = 1\n  # why\n  b = 2 # why\n\n") == 2


def test_without_the_modules_it_says_what_is_needed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("GIT_CONFIG_COUNT", "GIT_CONFIG_KEY_0", "GIT_CONFIG_VALUE_0"):
        monkeypatch.setenv(name, "0")  # restored afterwards
    monkeypatch.setenv("GIT_TERMINAL_PROMPT", "0")
    monkeypatch.setenv("MODULES_MIRROR", str(tmp_path))

    sources.use_mirror()

    with pytest.raises(setup.SetupError, match=r"NOTHING is compared.*(?s:.*)MODULES_MIRROR"):
        sources.commits()


@mock_aws
def test_the_composed_handlers_take_an_order_to_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    sqs = boto3.client("sqs")
    queue = sqs.create_queue(QueueName="orders")["QueueUrl"]
    create_table(boto3.client("dynamodb"), "orders", {"order_id": "S"})
    monkeypatch.setenv("QUEUE_URL", queue)
    monkeypatch.setenv("TABLE_NAME", "orders")
    ingest, process = handler("ingest"), handler("process")

    def post(body: str) -> int:
        status: int = ingest({"body": body, "isBase64Encoded": False}, None)["statusCode"]
        return status

    order = {"order_id": "123", "qty": 2}
    assert [post(body) for body in (json.dumps(order), "{", '{"qty": 2}')] == [202, 400, 400]
    [message] = sqs.receive_message(QueueUrl=queue)["Messages"]
    records: list[dict[str, Any]] = [
        {"messageId": "good", "body": message["Body"]},
        {"messageId": "bad", "body": "{}"},
    ]
    answer = process({"Records": records}, None)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "bad"}]}
    assert boto3.resource("dynamodb").Table("orders").scan()["Items"] == [order]


def handler(function: str) -> Callable[..., Any]:
    """Returns the handler of a function of the composed system."""
    found: Callable[..., Any] = runpy.run_path(
        str(sources.COMPOSED / "src" / function / "handler.py")
    )["handler"]
    return found
