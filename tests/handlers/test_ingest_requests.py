"""Ingest: which requests are accepted and which are refused, and what a refusal says."""

import base64
import json
from typing import Any
from unittest.mock import Mock

import pytest

from ingest import handler
from local.events import request
from shared import orders
from tests.support.fakes import FakeSqs
from tests.support.ingest import ORDER, post
from tests.support.runtime import invoke

pytestmark = pytest.mark.usefixtures("quick_calls")


@pytest.mark.parametrize("path", ["/lambda/api", "/lambda/api/"])
def test_a_path_is_accepted_with_and_without_a_trailing_slash(sqs: FakeSqs, path: str) -> None:
    assert post(path=path)[0] == 202


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "application/json"},
        {"Content-Type": " Application/JSON ; Charset=UTF-8"},
        {"content-type": 'application/json;charset="utf-8"'},
        {"content-type": "application/json; charset=utf8; profile=x"},
        {"content-type": "application/vnd.shop.order+json"},
        {"content-type": "application/json;"},
        {"content-type": "application/json", "content-encoding": "identity"},
    ],
    ids=str,
)
def test_a_json_content_type_is_accepted(sqs: FakeSqs, headers: dict[str, str]) -> None:
    assert post(headers=headers)[0] == 202


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"path": "/"}, 404),
        ({"path": "/lambda/api//"}, 404),
        ({"path": "/lambda/api/x"}, 404),
        ({"path": "/lambda%2Fapi"}, 404),
        ({"path": None}, 404),
        ({"path": ["/lambda/api"]}, 404),
        ({"httpMethod": "GET"}, 405),
        ({"httpMethod": "PUT"}, 405),
        ({"httpMethod": "OPTIONS"}, 405),
        ({"httpMethod": "post"}, 405),
        ({"httpMethod": None}, 405),
        ({"headers": {}}, 415),
        ({"headers": None}, 415),
        ({"headers": {"content-type": None}}, 415),
        ({"headers": {"content-type": ""}}, 415),
        ({"headers": {"content-type": "text/plain"}}, 415),
        ({"headers": {"content-type": "text/json"}}, 415),
        ({"headers": {"content-type": "application/jsonp"}}, 415),
        ({"headers": {"content-type": "application/x+json2"}}, 415),
        ({"headers": {"content-type": "application/+json"}}, 415),
        ({"headers": {"content-type": "application/json, text/plain"}}, 415),
        ({"headers": {"content-type": "application/json; charset=latin-1"}}, 415),
        ({"headers": {"content-type": "application/json; a=b; CHARSET = utf-16"}}, 415),
        ({"headers": {"content-type": "application/json", "content-encoding": "gzip"}}, 415),
        ({"headers": {"content-type": "application/json", "Content-Type": "text/plain"}}, 415),
        ({"body": None}, 400),
        ({"body": {"order_id": "1", "item": "a"}}, 400),
        ({"isBase64Encoded": True, "body": "not base64"}, 400),
        ({"isBase64Encoded": True, "body": "e30"}, 400),
        ({"isBase64Encoded": True, "body": "e30=\n"}, 400),
        ({"isBase64Encoded": True, "body": base64.b64encode(b'{"order_id":"\xff"}').decode()}, 400),
        ({"isBase64Encoded": True, "body": "é"}, 400),
        ({"isBase64Encoded": True, "body": f"!{base64.b64encode(ORDER.encode()).decode()}"}, 400),
    ],
    ids=str,
)
def test_an_invalid_request_is_refused(sqs: FakeSqs, changes: dict[str, Any], status: int) -> None:
    body = changes.pop("body", ORDER)
    answer_status, _, headers = post(body, **changes)

    assert answer_status == status
    assert headers.get("Allow") == ("POST" if status == 405 else None)
    assert sqs.sent == []


@pytest.mark.parametrize(
    "event", [None, [], "", {}, {"headers": []}, {"multiValueHeaders": 1}], ids=str
)
def test_other_events_are_answered_404(sqs: FakeSqs, event: Any) -> None:
    assert invoke(handler.handle, event).answer["statusCode"] == 404


def test_conflicting_content_types_are_refused(sqs: FakeSqs) -> None:
    headers = {"content-type": ["application/json", "application/merge-patch+json"]}

    answer = invoke(handler.handle, request(ORDER, multiValueHeaders=headers)).answer

    assert answer["statusCode"] == 415


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "{}{}",
        "nul",
        "NaN",
        '{"order_id":"1","item":"a","p":NaN}',
        '{"order_id":"1","item":"a","p":-Infinity}',
        '{"order_id":"1","item":"a","p":01}',
        '{"order_id":"1","item":"a","p":1.}',
        '{"order_id":"1","item":"a\n"}',
        "{'order_id':'1','item':'a'}",
        "[" * 200_000,
        '{"a":' * 50_000,
        '{"order_id":"1","item":"a","p":' + "[" * 100_000 + "]" * 100_000 + "}",
    ],
)
def test_a_body_that_is_not_json_is_refused(sqs: FakeSqs, body: str) -> None:
    status, content, _ = post(body)

    assert (status, content["type"]) == (400, "urn:async-ingest:problem:invalid-json")
    assert "errors" not in content
    assert sqs.sent == []


# What a refusal says


def test_errors_name_the_order_and_the_attribute(sqs: FakeSqs) -> None:
    status, content, _ = post('[{"order_id":"1","item":"a"},7,{"item":"","p":1E400}]')

    assert (status, content["type"]) == (400, "urn:async-ingest:problem:invalid-order")
    assert [(e["order"], e.get("attribute")) for e in content["errors"]] == [
        (1, None),
        (2, "order_id"),
        (2, "item"),
        (2, "p"),
    ]
    assert all(e["detail"] for e in content["errors"])
    assert "order 1" in content["detail"]
    assert sqs.sent == []


def test_errors_are_few_short_and_escaped(sqs: FakeSqs) -> None:
    name = '<script>"\\\u202e' + "é" * 1000
    body = json.dumps([{name: "x" * 3000, "order_id": [], "item": 0}] * 50)

    content = post(body)[1]

    assert len(content["errors"]) == orders.MAX_FAULTS
    name_twice = f'{{"{"k" * 9999}":1,"{"k" * 9999}":2}}'
    content = post(name_twice)[1]
    assert content["errors"] == [
        {"order": 0, "attribute": "k" * 64, "detail": "appears more than once"}
    ]
    assert len(json.dumps(content)) < 1000


def test_checking_stops_at_the_maximum_number_of_errors(
    sqs: FakeSqs, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = Mock(side_effect=orders._faults)
    monkeypatch.setattr(orders, "_faults", check)

    post(json.dumps([{}] * 10_000))

    assert check.call_count <= orders.MAX_FAULTS
