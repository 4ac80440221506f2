"""A signed request that someone sends again within the tolerance, from ingest to the table."""

import json
from typing import Any

import pytest

from ingest import handler, keyring, signature
from ingest.keyring import Keyring
from ingest.signature import Verifier
from local.events import record
from process import handler as process_handler
from shared import telemetry
from tests.support import secrets
from tests.support.fakes import FakeDynamoDB, FakeSqs
from tests.support.runtime import invoke
from tests.support.secrets import Clock, FakeSecretsManager
from tests.support.signatures import ARN, HEADER, SHOP
from tests.support.signatures import signature as signature_of
from tests.support.versions import NUMBER, set_versions

NOW = 1_600_000_000  # earlier than the records were sent: process believes no later stamp


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Requests must be signed; time passes as the test says."""
    clock = Clock(NOW)
    for module in (keyring, signature):
        monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(telemetry, "now_microseconds", lambda: int(clock.now * 1_000_000))
    fake = FakeSecretsManager({"shop": SHOP})
    monkeypatch.setattr(handler, "SIGNATURE", Verifier(Keyring(fake, ARN), HEADER, 300))
    return clock


def order(quantity: int, at: int) -> dict[str, Any]:
    body = json.dumps({"order_id": "1", "item": "Kopi Susu", "qty": quantity})
    value = signature_of(body, key_id="shop", secret=SHOP, at=at)
    return secrets.signed(value, body)


def deliver(sqs: FakeSqs) -> None:
    for number, message in enumerate(sqs.sent):
        stamp = int(message["MessageAttributes"]["accepted_at"]["StringValue"])
        event = {"Records": [record(message["MessageBody"], str(number), stamp)]}
        assert invoke(process_handler.handle, event).answer == {"batchItemFailures": []}


def answers(clock: Clock, *events: dict[str, Any]) -> list[int]:
    """Sends requests, one a second."""
    statuses = []
    for event in events:
        statuses.append(invoke(handler.handle, event).answer["statusCode"])
        clock.now += 1
    return statuses


def test_a_replay_overwrites_a_newer_order(
    sqs: FakeSqs, dynamodb: FakeDynamoDB, clock: Clock
) -> None:
    """Without order_version_attribute, the order accepted last wins: as the plan warns."""
    first = order(1, NOW)
    assert answers(clock, first, order(2, NOW), first) == [202, 202, 202]

    deliver(sqs)
    assert [item["qty"]["N"] for item in dynamodb.table.values()] == ["1"]


def test_a_replay_after_the_tolerance_changes_nothing(
    sqs: FakeSqs, dynamodb: FakeDynamoDB, clock: Clock
) -> None:
    first = order(1, NOW)
    assert answers(clock, first, order(2, NOW)) == [202, 202]
    clock.now = NOW + 301
    assert answers(clock, first) == [401]

    deliver(sqs)
    assert [item["qty"]["N"] for item in dynamodb.table.values()] == ["2"]


def test_a_replay_changes_nothing_where_orders_have_versions(
    sqs: FakeSqs, dynamodb: FakeDynamoDB, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_versions(monkeypatch, NUMBER._replace(name="qty"), dynamodb)
    first = order(1, NOW)
    assert answers(clock, first, order(2, NOW), first) == [202, 202, 202]

    deliver(sqs)
    assert [item["qty"]["N"] for item in dynamodb.table.values()] == ["2"]
