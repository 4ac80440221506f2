"""docs/openapi.yaml says what the code has: kinds of problems, headers and limits."""

import json
from functools import reduce
from typing import Any

import pytest
import schemathesis

from ingest import handler
from local.emulator import ROOT
from shared import orders
from tests.unit.support import FakeSqs, error, invoke, request

DOCUMENT = schemathesis.openapi.from_path(ROOT / "docs" / "openapi.yaml")
RAW: dict[str, Any] = dict(DOCUMENT.raw_schema)
SCHEMAS = RAW["components"]["schemas"]
OPERATION = RAW["paths"]["/lambda/api"]["post"]
KIND = "urn:async-ingest:problem:"
# Of each kind, a request that leads to it.
REQUESTS: dict[str, dict[str, Any]] = {
    "not-found": {"path": "/"},
    "method-not-allowed": {"httpMethod": "GET"},
    "unsupported-media-type": {"headers": {}},
    "invalid-json": {"body": "{"},
    "invalid-order": {"body": "{}"},
    "too-large": {
        "body": json.dumps([{"order_id": n, "item": "x" * 999} for n in map(str, range(300))])
    },
    "unavailable": {},
}


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    """What a reference means."""
    while "$ref" in node:
        node = reduce(lambda inner, name: inner[name], node["$ref"][2:].split("/"), RAW)
    return node


def documented(status: int) -> dict[str, Any]:
    return resolved(OPERATION["responses"][str(status)])


def kinds(response: dict[str, Any]) -> set[str]:
    schema = resolved(response["content"].get("application/problem+json", {}).get("schema", {}))
    schemas = map(resolved, schema.get("oneOf", [schema]))
    return {one["properties"]["type"]["const"] for one in schemas if "properties" in one}


def test_it_is_openapi() -> None:
    assert RAW["openapi"].startswith("3.1.")
    DOCUMENT.validate()


def test_it_has_every_kind_of_problem() -> None:
    by_status: dict[str, set[str]] = {}
    for kind, (status, _) in handler._PROBLEMS.items():
        by_status.setdefault(str(status), set()).add(KIND + kind)
    of_responses = {status: kinds(resolved(one)) for status, one in OPERATION["responses"].items()}
    assert {status: found for status, found in of_responses.items() if found} == by_status
    of_schemas = {
        (s["properties"]["type"]["const"], s["properties"]["status"]["const"])
        for s in SCHEMAS.values()
        if "const" in s.get("properties", {}).get("type", {})
    }
    assert of_schemas - {("about:blank", 404)} == {
        (KIND + k, s) for k, (s, _) in handler._PROBLEMS.items()
    }


@pytest.mark.parametrize("kind", [None, *handler._PROBLEMS])
def test_the_answers_are_as_documented(sqs: FakeSqs, kind: str | None) -> None:
    if kind == "unavailable":
        sqs.troubles = [error("ServiceUnavailable")]
    answer = invoke(handler.handle, request(**(REQUESTS[kind] if kind else {}))).answer
    response = documented(answer["statusCode"])

    headers = dict(answer["headers"])
    media = response["content"][headers.pop("Content-Type")]
    assert set(headers) == set(response["headers"]) - {"X-Amzn-Trace-Id"}
    for name, value in headers.items():
        const = resolved(response["headers"][name])["schema"].get("const", value)
        assert str(const) == value
    content = json.loads(answer["body"])
    if kind:
        assert content["type"] == KIND + kind
        assert content["type"] in kinds(response)
    else:
        assert set(content) == set(resolved(media["schema"])["properties"])


def test_it_has_the_limits_of_the_code() -> None:
    order = SCHEMAS["Order"]
    keys = [order["properties"][key.name] for key in handler.SCHEMA.keys]
    assert order["required"] == [key.name for key in handler.SCHEMA.keys]
    assert [key["maxLength"] for key in keys] == list(orders.MAX_KEY_BYTES)
    assert order["properties"][handler.SCHEMA.stamp] is False
    assert SCHEMAS["Name"]["maxLength"] == orders.MAX_NAME_BYTES
    _, positive, negative = SCHEMAS["Number"]["anyOf"]
    smallest, beyond = (float(f"1E{n}") for n in (orders.EXPONENTS.start, orders.EXPONENTS.stop))
    assert (positive["minimum"], positive["exclusiveMaximum"]) == (smallest, beyond)
    assert (negative["maximum"], negative["exclusiveMinimum"]) == (-smallest, -beyond)
    assert SCHEMAS["Orders"]["oneOf"][1]["maxItems"] == handler.MAX_ORDERS
    errors = SCHEMAS["InvalidOrder"]["properties"]["errors"]
    assert errors["maxItems"] == orders.MAX_FAULTS
    assert errors["items"]["properties"]["attribute"]["maxLength"] == orders.SHOWN_NAME
    for limit in (
        f"{handler.MAX_BODY_BYTES} bytes",
        f"{orders.MAX_ITEM_BYTES} bytes",
        f"{orders.MAX_DIGITS} significant digits",
        f"{orders.MAX_LEVELS} levels",
        f"{orders.MAX_KEY_BYTES[0]} (partition) or {orders.MAX_KEY_BYTES[1]} (sort) bytes",
        f"more than {orders.MAX_NAME_BYTES}",
    ):
        assert limit in RAW["info"]["description"]


def test_its_examples_are_accepted(sqs: FakeSqs) -> None:
    examples = OPERATION["requestBody"]["content"]["application/json"]["examples"]
    for example in examples.values():
        assert (
            invoke(handler.handle, request(json.dumps(example["value"]))).answer["statusCode"]
            == 202
        )
    assert len(sqs.sent) == 2
