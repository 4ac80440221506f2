"""The test event in docs/first-order.md is one that ingest accepts."""

import json
from pathlib import Path

from ingest import handler
from tests.support.fakes import FakeSqs
from tests.support.runtime import invoke
from tools import markup

PAGE = Path(__file__).resolve().parents[2] / "docs" / "first-order.md"


def test_the_event_is_accepted(sqs: FakeSqs, quick_calls: None) -> None:
    [event] = markup.blocks(PAGE.read_text(), "json")

    answer, _ = invoke(handler.handle, json.loads(event))

    assert answer["statusCode"] == 202
