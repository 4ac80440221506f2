"""docs/openapi.yaml agrees with the code: kinds of problems, headers and limits."""

import json
import re
import time
from functools import reduce
from typing import Any

import pytest
import schemathesis

from ingest import handler
from ingest.keyring import Keyring
from ingest.signature import Verifier
from local.emulator import ROOT
from local.events import request
from shared import orders
from tests.support.fakes import FakeSqs, error
from tests.support.hooks import Hooks
from tests.support.runtime import invoke
from tests.support.secrets import FakeSecretsManager
from tests.support.signatures import ARN, HEADER
from tests.support.versions import NUMBER

pytestmark = pytest.mark.usefixtures("quick_calls")

DOCUMENT = schemathesis.openapi.from_path(ROOT / "docs" / "openapi.yaml")
RAW: dict[str, Any] = dict(DOCUMENT.raw_schema)
SCHEMAS = RAW["components"]["schemas"]
OPERATION = RAW["paths"]["/lambda/api"]["post"]
KIND = "urn:async-ingest:problem:"
# A request for each kind of problem.
REQUESTS: dict[str, dict[str, Any]] = {
    "not-found": {"path": "/"},
    "method-not-allowed": {"httpMethod": "GET"},
    "unauthorized": {},
    "unsupported-media-type": {"headers": {}},
    "invalid-json": {"body": "{"},
    "invalid-order": {"body": "{}"},
    "too-large": {
        "body": json.dumps([{"order_id": n, "item": "x" * 999} for n in map(str, range(300))])
    },
    "unavailable": {},
}


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    """Returns what a reference refers to."""
    while "$ref" in node:
        node = reduce(lambda inner, name: inner[name], node["$ref"][2:].split("/"), RAW)
    return node


def documented(status: int) -> dict[str, Any]:
    return resolved(OPERATION["responses"][str(status)])


# The origin of an answer by its media type, as its description names it.
ORIGINS = {
    "application/problem+json": "the function",
    "text/html": 'HTTP {} in "Troubleshoot your Application Load Balancers"',
}


def kinds(response: dict[str, Any]) -> set[str]:
    schema = resolved(response["content"].get("application/problem+json", {}).get("schema", {}))
    schemas = map(resolved, schema.get("oneOf", [schema]))
    return {one["properties"]["type"]["const"] for one in schemas if "properties" in one}


def test_the_document_is_valid() -> None:
    assert RAW["openapi"].startswith("3.1.")
    DOCUMENT.validate()


def test_the_document_has_every_kind_of_problem() -> None:
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
    assert of_schemas - {("about:blank", 403), ("about:blank", 404)} == {
        (KIND + k, s) for k, (s, _) in handler._PROBLEMS.items()
    }


def test_the_readme_has_every_status_of_the_function() -> None:
    table = (ROOT / "README.md").read_text().partition("\n| status | when |\n")[2]
    rows = re.findall(r"^\| (\d.*?) \|", table.partition("\n\n")[0], re.MULTILINE)
    listed = [int(one) for row in rows for one in re.findall(r"\d{3}", row)]

    assert sorted(listed) == sorted({202, *(status for status, _ in handler._PROBLEMS.values())})


@pytest.mark.parametrize("kind", [None, *handler._PROBLEMS])
def test_the_answers_are_as_documented(
    sqs: FakeSqs, kind: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind == "unauthorized":
        ring = Keyring(FakeSecretsManager({}), ARN)
        monkeypatch.setattr(handler, "SIGNATURE", Verifier(ring, HEADER, 300))
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


@pytest.mark.parametrize("status", OPERATION["responses"])
def test_every_answer_names_its_sources(status: str) -> None:
    """One for each origin that its media types imply, and no other."""
    response = documented(int(status))
    (sources,) = re.findall(r"^Sources?: ([^:]+)\.\s*\Z", response["description"], re.MULTILINE)

    expected = {ORIGINS[media].format(status) for media in response["content"] if media in ORIGINS}
    if "application/json" in response["content"]:
        expected.add("the function" if status == "202" else "a rule of the load balancer")
    found = re.split(r";\s+", sources)
    assert {source for source in found if not source.startswith('"')} == expected


@pytest.mark.parametrize("status", OPERATION["responses"])
def test_headers_are_required_only_where_the_function_alone_answers(status: str) -> None:
    response = documented(int(status))
    is_functions = {"text/html", "application/json"}.isdisjoint(response["content"])
    headers = {name: resolved(one) for name, one in response.get("headers", {}).items()}

    required = {name for name, header in headers.items() if header.get("required")}
    assert required == (
        {"X-Request-Id", "Cache-Control"} if is_functions or status == "202" else set()
    )


def test_the_load_balancers_refusals_have_the_form_of_the_functions() -> None:
    """They are problems in all but the media type, which a fixed response cannot have."""
    for name, status in {"NoRule": 404, "HttpsOnly": 403}.items():
        assert SCHEMAS[name]["properties"] == {
            "type": {"const": "about:blank"},
            "status": {"const": status},
        }
    (example,) = documented(403)["content"]["application/json"]["examples"].values()
    assert set(example["value"]) == set(SCHEMAS["Problem"]["required"])


def test_the_examples_of_refusals_are_answers(
    monkeypatch: pytest.MonkeyPatch, hooks: Hooks
) -> None:
    monkeypatch.setattr(time, "time", lambda: 1_800_000_000.0)
    examples = documented(400)["content"]["application/problem+json"]["examples"]
    expiring = [
        {"order_id": "1", "item": "a"},
        {"order_id": "2", "item": "a", "expires_at": 1_900_000_000_000},
    ]

    def answer(body: Any) -> Any:
        return json.loads(invoke(handler.handle, request(json.dumps(body))).answer["body"])

    assert examples["order"]["value"] == answer({"order_id": "1"})
    monkeypatch.setattr(handler, "SCHEMA", handler.SCHEMA._replace(expiry="expires_at"))
    assert examples["time_to_live"]["value"] == answer(expiring)
    monkeypatch.setattr(handler, "SCHEMA", handler.SCHEMA._replace(expiry=None, version=NUMBER))
    versioned = [{"order_id": "1", "item": "a"}, {"order_id": "2", "item": "a", "revision": "1"}]
    assert examples["version"]["value"] == answer(versioned)
    monkeypatch.setattr(handler, "SCHEMA", handler.SCHEMA._replace(version=None))
    source = """
        from async_ingest_hooks import Refused
        def accept(order, request):
            refusals = [("must be at least 1", "qty"), ("must be small or large", "size")]
            raise Refused.together(Refused(*one) for one in refusals)
    """
    hooks.use("accept", source)
    assert examples["hook"]["value"] == answer({"order_id": "1", "item": "a"})


def test_the_document_has_the_limits_of_the_code() -> None:
    order = SCHEMAS["Order"]
    keys = [order["properties"][key.name] for key in handler.SCHEMA.keys]
    assert order["required"] == [key.name for key in handler.SCHEMA.keys]
    assert [key["maxLength"] for key in keys] == list(orders.MAX_KEY_BYTES)
    assert order["properties"][handler.SCHEMA.accepted_at_name] is False
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
        f"at most {orders.MAX_EXPIRY}",
    ):
        assert limit in RAW["info"]["description"]

    assert "five years ago (of 365 days)" in RAW["info"]["description"]
    assert orders.MAX_EXPIRED_SECONDS == 5 * 365 * 86400


def test_the_examples_of_requests_are_accepted(sqs: FakeSqs) -> None:
    examples = OPERATION["requestBody"]["content"]["application/json"]["examples"]
    for example in examples.values():
        assert (
            invoke(handler.handle, request(json.dumps(example["value"]))).answer["statusCode"]
            == 202
        )
    assert len(sqs.sent) == 2
