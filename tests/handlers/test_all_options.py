"""All options of ingest and process together, from the request to the row."""

import json
from typing import Any

import pytest

from ingest import client_certificate, fair_queue, handler, keyring, signature
from ingest.keyring import Keyring
from ingest.signature import Verifier
from local.events import record
from process import handler as process_handler
from tests.support import secrets
from tests.support.fakes import FakeDynamoDB, FakeSqs
from tests.support.hooks import Hooks
from tests.support.runtime import invoke
from tests.support.secrets import Clock, FakeSecretsManager
from tests.support.signatures import ARN, HEADER, SHOP
from tests.support.signatures import signature as signature_of
from tests.support.versions import NUMBER, set_versions

NOW = 1_600_000_000
SUBJECT = "CN=till-7,O=Kopi,C=ID"
MTLS = "X-Amzn-Mtls-Clientcert-Subject"
ACCEPT = """
    from async_ingest_hooks import Refused
    def accept(order, request):
        if order['qty'] < 1:
            raise Refused('must be at least 1', 'qty')
        return {**order, 'till': request.client_certificate_subject,
                'told': [name for name in request.headers if 'mtls' in name]}
"""
PREPARE = "def prepare(order): return {**order, 'revision': order['revision'] * 10}"


@pytest.fixture
def everything(
    dynamodb: FakeDynamoDB, hooks: Hooks, monkeypatch: pytest.MonkeyPatch
) -> FakeDynamoDB:
    for module in (keyring, signature):
        monkeypatch.setattr(module, "time", Clock(NOW))
    fake = FakeSecretsManager({"shop": SHOP})
    monkeypatch.setattr(handler, "SIGNATURE", Verifier(Keyring(fake, ARN), HEADER, 300))
    monkeypatch.setattr(handler, "CLIENT_SUBJECT", client_certificate.client_subject)
    monkeypatch.setattr(handler, "FAIR_QUEUE_ATTRIBUTE", "tenant")
    monkeypatch.setattr(handler, "fair_queue", fair_queue, raising=False)
    set_versions(monkeypatch, NUMBER, dynamodb)
    hooks.use("accept", ACCEPT)
    hooks.use("prepare", PREPARE)
    return dynamodb


def signed(**attributes: Any) -> dict[str, Any]:
    order = {"order_id": "1", "item": "Kopi Susu", "tenant": "shop-1", "qty": 2, "revision": 1}
    body = json.dumps(order | attributes)
    value = signature_of(body, key_id="shop", secret=SHOP, at=NOW)
    event = secrets.signed(value, body)
    event["headers"][MTLS] = SUBJECT
    return event


def status(event: dict[str, Any]) -> int:
    answered: int = invoke(handler.handle, event).answer["statusCode"]
    return answered


def test_the_highest_version_is_stored_as_the_hooks_return_it(
    sqs: FakeSqs, everything: FakeDynamoDB
) -> None:
    newer, older = signed(revision=7), signed(revision=3)

    assert [status(event) for event in (older, newer, older)] == [202, 202, 202]
    assert {message["MessageGroupId"] for message in sqs.sent} == {"shop-1"}
    for number, message in enumerate(sqs.sent):
        stamp = int(message["MessageAttributes"]["accepted_at"]["StringValue"])
        event = {"Records": [record(message["MessageBody"], str(number), stamp)]}
        assert invoke(process_handler.handle, event).answer == {"batchItemFailures": []}

    [row] = everything.table.values()
    assert row["revision"] == {"N": "70"}
    assert row[NUMBER.kept_in] == {"N": "70"}
    assert row["till"] == {"S": SUBJECT}
    assert row["told"] == {"L": [{"S": MTLS.lower()}]}


@pytest.mark.usefixtures("everything")
def test_each_option_refuses_what_is_its_own(sqs: FakeSqs) -> None:
    unsigned = signed()
    del unsigned["headers"][HEADER.lower()]

    assert status(unsigned) == 401
    assert status(signed(revision="1")) == 400
    assert status(signed(qty=0)) == 400
    assert sqs.sent == []


@pytest.mark.usefixtures("everything")
def test_a_hook_is_not_told_of_a_certificate_that_nobody_verified(
    sqs: FakeSqs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler, "CLIENT_SUBJECT", None)

    assert status(signed()) == 202
    [message] = sqs.sent
    order = json.loads(message["MessageBody"])
    assert (order["till"], order["told"]) == (None, [])
