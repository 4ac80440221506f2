"""LOG_LEVEL is applied by the handlers; metrics are written at any level."""

import json
import socket

import pytest

from tests.support import child

# A warning for a dead letter that cannot be sent, an error for a malformed record, and metrics.
PROCESS = """
from types import SimpleNamespace
from process import handler
attributes = {"SentTimestamp": "1700000000000"}
not_json = {"messageId": "1", "body": "not JSON", "attributes": attributes}
malformed = {"messageId": "2", "body": '{"order_id":"1","item":"Kopi"}', "attributes": None}
context = SimpleNamespace(aws_request_id="r", get_remaining_time_in_millis=lambda: 9000)
handler.handle({"Records": [not_json, malformed]}, context)
"""
INGEST = """
from types import SimpleNamespace
from ingest import handler
context = SimpleNamespace(aws_request_id="r", get_remaining_time_in_millis=lambda: 9000)
handler.LOG.info("an info")
handler.LOG.warning("a warning")
handler.LOG.error("an error")
handler.handle({}, context)
"""
# As the runtime: a handler for all levels on the root logger, before the function is imported.
RUNTIME = "import logging, sys; logging.basicConfig(stream=sys.stderr, format='%(message)s')\n"


@pytest.mark.parametrize(
    ("level", "logged"),
    [
        ("TRACE", ["an info", "a warning", "an error"]),
        ("DEBUG", ["an info", "a warning", "an error"]),
        ("INFO", ["an info", "a warning", "an error"]),
        ("WARN", ["a warning", "an error"]),
        ("ERROR", ["an error"]),
        ("FATAL", []),
    ],
)
def test_ingest_logs_at_its_level_and_metrics_always(level: str, logged: list[str]) -> None:
    result = child.run(RUNTIME + INGEST, LOG_LEVEL=level)

    assert result.returncode == 0, result.stderr
    assert result.stderr.splitlines() == logged
    assert json.loads(result.stdout)["Rejected"] == 1


@pytest.mark.parametrize(
    ("level", "logged"),
    [
        ("INFO", {"Dead-lettering failed", "Unexpected exception"}),
        ("ERROR", {"Unexpected exception"}),
        ("FATAL", set()),
    ],
)
def test_process_logs_at_its_level_and_metrics_always(level: str, logged: set[str]) -> None:
    with socket.socket() as nobody:  # bound, but not listening
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        result = child.run(RUNTIME + PROCESS, LOG_LEVEL=level, AWS_ENDPOINT_URL=url)

    assert result.returncode == 0, result.stderr
    assert set(result.stderr.splitlines()) == logged
    assert json.loads(result.stdout)["Failed"] == 2


@pytest.mark.parametrize("function", ["ingest", "process"])
def test_an_unknown_level_stops_the_start(function: str) -> None:
    result = child.run(f"import {function}.handler", LOG_LEVEL="LOUD")

    assert result.returncode != 0
    assert "LOUD" in result.stderr.splitlines()[-1]
