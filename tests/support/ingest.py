"""Requests to ingest, with the assertions that hold for every answer."""

import json
from typing import Any

from ingest import handler
from local.events import REQUEST_ID, request
from tests.support.fakes import FakeSqs
from tests.support.runtime import invoke

ORDER = '{"order_id":"123","item":"Kopi Susu","qty":2}'
ANSWERS = {202, 400, 404, 405, 413, 415}  # while SQS works


def post(body: Any = ORDER, **changes: Any) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Sends a request, and returns status, body and headers of the answer."""
    answer, metrics = invoke(handler.handle, request(body, **changes))
    status: int = answer["statusCode"]
    headers: dict[str, str] = answer["headers"]
    content: dict[str, Any] = json.loads(answer["body"])
    assert answer["isBase64Encoded"] is False
    assert answer["statusDescription"].startswith(f"{status} ")
    assert answer["body"].isascii()
    assert headers["X-Request-Id"] == metrics["request_id"] == REQUEST_ID
    assert headers["Cache-Control"] == "no-store"
    assert metrics["status"] == status
    counts = (metrics["Accepted"], metrics["Rejected"], metrics["Failed"])
    if status == 202:
        assert headers["Content-Type"] == "application/json"
        assert counts == (content["orders"], 0, 0)
    else:
        assert headers["Content-Type"] == "application/problem+json"
        assert content["type"] == f"urn:async-ingest:problem:{metrics['problem']}"
        assert content["status"] == status
        assert content["title"]
        assert content["detail"]
        assert counts == ((0, 0, 1) if status == 503 else (0, 1, 0))
    return status, content, headers


def message_of(event: Any, sqs: FakeSqs) -> dict[str, Any] | None:
    """Handles an event, and returns the message sent, if the answer says that one was."""
    del sqs.sent[:]
    answer = invoke(handler.handle, event).answer
    assert answer["statusCode"] in ANSWERS
    assert len(sqs.sent) == (answer["statusCode"] == 202)
    if answer["statusCode"] != 202:
        problem = json.loads(answer["body"] or '{"detail":"HEAD"}')
        assert problem["detail"]
        return None
    return sqs.sent[0]
