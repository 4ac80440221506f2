"""The requests are those that botocore makes of the same parameters."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import botocore.session
import pytest
from botocore import xform_name
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from hypothesis import given
from hypothesis import strategies as st

from process.messages import Entry
from process.writer import Writer
from shared import orders
from shared.queues import Attributes, Queue, md5_of_attributes
from tests.support import clients
from tests.support.properties import examples
from tests.support.scripted_server import ScriptedServer

QUEUE_URL = "https://sqs.eu-central-1.amazonaws.com/123456789012/orders"
# What a request says of its body and operation, beside the signature and the SDK's own telemetry.
COMPARED = ("content-type", "x-amz-target", "x-amzn-query-mode", "x-amzn-trace-id")

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
names = texts.filter(bool)
values = st.recursive(
    st.builds(lambda text: {"S": text}, texts)
    | st.builds(lambda number: {"N": str(number)}, st.integers() | st.decimals(allow_nan=False))
    | st.builds(lambda flag: {"BOOL": flag}, st.booleans())
    | st.just({"NULL": True}),
    lambda inner: (
        st.builds(lambda items: {"L": items}, st.lists(inner, max_size=3))
        | st.builds(lambda items: {"M": items}, st.dictionaries(texts, inner, max_size=3))
    ),
    max_leaves=8,
)
items = st.dictionaries(names, values, max_size=5)
puts = st.fixed_dictionaries(
    {"TableName": names, "Item": items},
    optional={
        "ConditionExpression": texts,
        "ExpressionAttributeNames": st.dictionaries(names, texts, max_size=3),
        "ExpressionAttributeValues": items,
    },
)
statements = st.fixed_dictionaries(
    {"Statement": names}, optional={"Parameters": st.lists(values, min_size=1, max_size=5)}
)
batches = st.builds(
    lambda found: {"Statements": found}, st.lists(statements, min_size=1, max_size=25)
)
attributes: st.SearchStrategy[Attributes] = st.dictionaries(
    names,
    st.fixed_dictionaries({"DataType": names, "StringValue": texts})
    | st.fixed_dictionaries(
        {
            "DataType": names,
            "BinaryValue": st.binary(max_size=30).map(lambda b: base64.b64encode(b).decode()),
        }
    ),
    max_size=10,
)
messages = st.fixed_dictionaries(
    {"QueueUrl": st.just(QUEUE_URL), "MessageBody": texts},
    optional={"MessageAttributes": attributes},
)
versions = st.fixed_dictionaries({"SecretId": names, "VersionStage": names})
SERVICES = ("sqs", "dynamodb", "secretsmanager")


class Botocore:
    """Makes the same call with botocore, and keeps what it would send."""

    def __init__(self, service: str) -> None:
        self.client = botocore.session.Session().create_client(
            service, clients.REGION, config=Config(account_id_endpoint_mode="disabled")
        )
        self.sent: list[AWSPreparedRequest] = []
        self.client.meta.events.register("before-send", self._keep)

    def _keep(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        self.sent.append(request)
        return AWSResponse(request.url, 200, {}, _Raw())

    def call(self, operation: str, parameters: dict[str, Any]) -> AWSPreparedRequest:
        arguments = json.loads(json.dumps(parameters))
        for attribute in arguments.get("MessageAttributes", {}).values():
            if "BinaryValue" in attribute:
                attribute["BinaryValue"] = base64.b64decode(attribute["BinaryValue"])
        getattr(self.client, xform_name(operation))(**arguments)
        return self.sent.pop()


class _Raw:
    """An empty output."""

    def stream(self) -> Iterator[bytes]:
        yield b"{}"


def compare(ours: clients.Sent, theirs: AWSPreparedRequest) -> None:
    url = urlsplit(theirs.url)
    assert ours.line == f"{theirs.method} {url.path} HTTP/1.1"
    assert ours.headers["host"] == url.netloc
    for name in COMPARED:
        their_value = theirs.headers.get(name)
        if isinstance(their_value, bytes):
            their_value = their_value.decode()
        assert ours.headers.get(name) == their_value, name
    assert json.loads(ours.body) == json.loads(theirs.body)
    assert int(ours.headers["content-length"]) == len(ours.body)


@pytest.fixture(scope="module")
def sdk() -> dict[str, Botocore]:
    with pytest.MonkeyPatch.context() as patch:
        clients.isolate(patch)
        return {service: Botocore(service) for service in SERVICES}


@pytest.fixture(params=[False, True], ids=["no trace", "trace"])
def trace(request: pytest.FixtureRequest, environment: pytest.MonkeyPatch) -> None:
    if request.param:
        environment.setenv("AWS_LAMBDA_FUNCTION_NAME", "function")
        environment.setenv("_X_AMZN_TRACE_ID", "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1")


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("sqs", "SendMessage", messages),
        ("dynamodb", "PutItem", puts),
        ("dynamodb", "BatchExecuteStatement", batches),
        ("secretsmanager", "GetSecretValue", versions),
    ],
    ids=["SendMessage", "PutItem", "BatchExecuteStatement", "GetSecretValue"],
)
@pytest.mark.usefixtures("trace")
@given(data=st.data())
@examples(300)
def test_a_request_is_that_of_botocore(
    sdk: dict[str, Botocore],
    service: str,
    operation: str,
    parameters: st.SearchStrategy[dict[str, Any]],
    data: st.DataObject,
) -> None:
    client = clients.builtin(f"https://{service}.{clients.REGION}.amazonaws.com", service)
    wire = clients.Wire(client)
    given_parameters = data.draw(parameters)
    client.call(operation, json.dumps(given_parameters), clients.deadline())
    compare(wire.sent[0], sdk[service].call(operation, given_parameters))


@given(body=texts, attributes=attributes, trace=st.none() | texts, group=st.none() | texts)
@examples(200)
def test_the_request_of_a_message_is_valid(
    sdk: dict[str, Botocore],
    body: str,
    attributes: Attributes,
    trace: str | None,
    group: str | None,
) -> None:
    """It has all that Queue was given."""
    client = clients.builtin(f"https://sqs.{clients.REGION}.amazonaws.com", "sqs")
    answer = {
        "MessageId": "1",
        "MD5OfMessageBody": md5(body),
        "MD5OfMessageAttributes": md5_of_attributes(attributes),
    }
    wire = clients.Wire(client, json.dumps(answer).encode())
    Queue(client, QUEUE_URL).send(body, attributes, trace, clients.deadline(), group)
    parameters = json.loads(wire.sent[0].body)
    assert parameters["MessageBody"] == body
    assert parameters["MessageAttributes"] == attributes
    given_trace = parameters.get("MessageSystemAttributes", {}).get("AWSTraceHeader", {})
    assert given_trace.get("StringValue") == (trace or None)
    assert parameters.get("MessageGroupId") == (group or None)
    compare(wire.sent[0], sdk["sqs"].call("SendMessage", parameters))


def md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


json_values = st.recursive(
    st.none() | st.booleans() | texts | st.integers(-(10**30), 10**30).map(orders.Number),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


rows_of_orders = st.lists(
    st.dictionaries(names, json_values, min_size=1, max_size=4), min_size=1, max_size=30
)


@given(rows=rows_of_orders)
@examples(200)
def test_the_requests_of_orders_are_valid(
    sdk: dict[str, Botocore], rows: list[dict[str, Any]]
) -> None:
    """They have all that the orders say."""
    client = clients.builtin(f"https://dynamodb.{clients.REGION}.amazonaws.com")
    wire = clients.Wire(client)
    wire_rows = [{name: orders.to_wire(value) for name, value in row.items()} for row in rows]
    entries = [Entry((str(number),), 1, row) for number, row in enumerate(wire_rows)]
    Writer(client, "orders", "accepted_at", 1).write(entries, clients.deadline())
    written = []
    for sent in wire.sent:
        operation = sent.headers["x-amz-target"].partition(".")[2]
        parameters = json.loads(sent.body)
        compare(sent, sdk["dynamodb"].call(operation, parameters))
        if operation == "PutItem":
            written.append(parameters["Item"])
        else:
            statements = parameters["Statements"]
            written += [
                dict(zip(_names(statement), statement["Parameters"], strict=True))
                for statement in statements
            ]
    expected = [{name: json.loads(value) for name, value in row.items()} for row in wire_rows]
    assert written == expected


def _names(statement: dict[str, Any]) -> list[str]:
    found = re.findall(r"'((?:[^']|'')*)':\?", statement["Statement"])
    return [name.replace("''", "'") for name in found]


trace_texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@given(trace_id=trace_texts)
@examples(300)
def test_a_trace_changes_only_its_header(sdk: dict[str, Botocore], trace_id: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_LAMBDA_FUNCTION_NAME", "function")
        patch.setenv("_X_AMZN_TRACE_ID", trace_id)
        client = clients.builtin(f"https://dynamodb.{clients.REGION}.amazonaws.com")
        wire = clients.Wire(client)
        client.call("PutItem", '{"TableName":"t","Item":{}}', clients.deadline())
        compare(wire.sent[0], sdk["dynamodb"].call("PutItem", {"TableName": "t", "Item": {}}))


def test_no_trace_is_sent_outside_lambda(
    sdk: dict[str, Botocore], environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("_X_AMZN_TRACE_ID", "Root=1-5759e988-bd862e3fe1be46a994272793")
    client = clients.builtin(f"https://dynamodb.{clients.REGION}.amazonaws.com")
    wire = clients.Wire(client)
    client.call("PutItem", '{"TableName":"t","Item":{}}', clients.deadline())
    assert "x-amzn-trace-id" not in wire.sent[0].headers
    compare(wire.sent[0], sdk["dynamodb"].call("PutItem", {"TableName": "t", "Item": {}}))


VALUES = ["a\r\nx-injected: 1", "a\nb", "é", "\x7f", "\u2028"]


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN"])
def test_a_header_with_a_line_break_is_refused(
    name: str,
    value: str,
    server: ScriptedServer,
    environment: pytest.MonkeyPatch,
    pauses: list[float],
) -> None:
    environment.setenv(name, value)
    client = clients.builtin(server.url)
    assert clients.refusal(client).code == "MalformedHeader"
    assert server.requests == []
