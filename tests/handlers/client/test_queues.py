"""A message counts as sent only if SQS confirms this very message."""

import base64
import hashlib
import json
from collections.abc import Iterator
from typing import Any

import boto3
import moto
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import aws
from shared.queues import Attributes, Queue, md5_of_attributes
from tests.support import clients
from tests.support.properties import examples

# What SQS takes: "SendMessage", API reference.
characters = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
texts = st.text(characters | st.sampled_from("\t\n\r"), min_size=1, max_size=30)
attribute_names = st.from_regex("[A-Za-z0-9_][A-Za-z0-9_-]{0,30}", fullmatch=True).filter(
    lambda name: not name.lower().startswith(("aws", "amazon"))
)
kinds = st.sampled_from(["", ".x", ".custom-type"])
numbers = (st.integers(-(10**30), 10**30) | st.floats(-1e100, 1e100)).map(str)
binaries = st.binary(min_size=1, max_size=30)
one_attribute: st.SearchStrategy[dict[str, str]] = (
    st.builds(lambda kind, v: {"DataType": f"String{kind}", "StringValue": v}, kinds, texts)
    | st.builds(lambda kind, v: {"DataType": f"Number{kind}", "StringValue": v}, kinds, numbers)
    | st.builds(
        lambda kind, v: {"DataType": f"Binary{kind}", "BinaryValue": base64.b64encode(v).decode()},
        kinds,
        binaries,
    )
)
several: st.SearchStrategy[Attributes] = st.dictionaries(
    attribute_names, one_attribute, max_size=10
)


class Moto:
    """moto's queue, called by boto3 with what our client would send."""

    def __init__(self) -> None:
        self._client = boto3.client("sqs", region_name=clients.REGION)
        self.url = self._client.create_queue(QueueName="orders")["QueueUrl"]

    def call(self, operation: str, parameters: str, deadline: aws.Deadline) -> dict[str, Any]:
        assert operation == "SendMessage"
        arguments = json.loads(parameters)
        for attribute in arguments["MessageAttributes"].values():
            if "BinaryValue" in attribute:
                attribute["BinaryValue"] = base64.b64decode(attribute["BinaryValue"])
        output: dict[str, Any] = self._client.send_message(**arguments)
        return output


@pytest.fixture(scope="module")
def moto_sqs() -> Iterator[Moto]:
    with pytest.MonkeyPatch.context() as patch:
        clients.isolate(patch)
        with moto.mock_aws():
            yield Moto()


@given(body=texts, attributes=several)
@examples(200)
def test_the_digest_is_that_of_moto(moto_sqs: Moto, body: str, attributes: Attributes) -> None:
    assert Queue(moto_sqs, moto_sqs.url).send(body, attributes, None, clients.deadline())


@given(
    attributes=st.dictionaries(attribute_names, one_attribute, min_size=1, max_size=4),
    data=st.data(),
)
@examples(200)
def test_every_part_of_an_attribute_changes_the_digest(
    attributes: Attributes, data: st.DataObject
) -> None:
    """Attributes that differ in a name, a type or a value have another digest."""
    name = data.draw(st.sampled_from(sorted(attributes)))
    changed = {key: dict(value) for key, value in attributes.items()}
    part = data.draw(st.sampled_from(["name", *changed[name]]))
    if part == "name":
        changed[f"{name}x"] = changed.pop(name)
    elif part == "BinaryValue":
        other = base64.b64decode(changed[name][part]) + b"x"
        changed[name][part] = base64.b64encode(other).decode()
    else:
        changed[name][part] += "x"
    assert md5_of_attributes(changed) != md5_of_attributes(attributes)


BODY = "body"
ATTRIBUTES: Attributes = {"accepted_at": {"DataType": "Number", "StringValue": "1"}}
CONFIRMATION = {
    "MessageId": "message-1",
    "MD5OfMessageBody": hashlib.md5(BODY.encode(), usedforsecurity=False).hexdigest(),
    "MD5OfMessageAttributes": md5_of_attributes(ATTRIBUTES),
}


def send(confirmation: dict[str, Any], attributes: Attributes = ATTRIBUTES) -> str:
    client = clients.builtin("http://sqs.invalid", "sqs")
    clients.Wire(client, json.dumps(confirmation).encode())
    return Queue(client, "http://sqs.invalid/1/orders").send(
        BODY, attributes, None, clients.deadline()
    )


def test_a_confirmed_message_is_sent() -> None:
    assert send(CONFIRMATION) == "message-1"


def test_a_message_without_attributes_is_confirmed() -> None:
    """SQS then has no digest of them."""
    confirmation = {k: v for k, v in CONFIRMATION.items() if k != "MD5OfMessageAttributes"}
    assert send(confirmation, attributes={}) == "message-1"


@pytest.mark.parametrize("name", CONFIRMATION)
@pytest.mark.parametrize("value", [..., None, "", 1, "0" * 32, ["message-1"]], ids=str)
def test_an_unconfirmed_message_fails(name: str, value: Any) -> None:
    if (name, value) == ("MessageId", "0" * 32):
        return  # as good an id as any
    confirmation = CONFIRMATION | {name: value}
    if value is ...:
        del confirmation[name]
    with pytest.raises(aws.CallError, match=r"Confirmed$"):
        send(confirmation)
