"""A signed request that someone sends again within the tolerance, from ingest to the table."""

import json

import pytest

from ingest import handler, keyring, signature
from ingest.keyring import Keyring
from ingest.signature import Verifier
from local.events import record
from process import handler as process_handler
from shared import telemetry
from shared.version import Version
from tests.support import secrets
from tests.support.checker import Verdict, check, rows_of
from tests.support.fakes import FakeDynamoDB, FakeSqs
from tests.support.history import Attempt, History, Outcome
from tests.support.runtime import invoke
from tests.support.secrets import Clock, FakeSecretsManager
from tests.support.signatures import ARN, HEADER, SHOP
from tests.support.signatures import signature as signature_of
from tests.support.versions import set_versions

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


@pytest.fixture
def history() -> History:
    return History("replays")


def post(clock: Clock, attempt: Attempt) -> int:
    """Sends an order, whose number is its version, for the first time or again."""
    body = json.dumps(attempt.order)
    value = signature_of(body, key_id="shop", secret=SHOP, at=NOW)
    sent_at = telemetry.now_microseconds()
    status: int = invoke(handler.handle, secrets.signed(value, body)).answer["statusCode"]
    clock.now += 1
    if attempt.outcome is Outcome.INDETERMINATE:
        attempt.sent_at, attempt.answered_at = sent_at, telemetry.now_microseconds() - 1
        attempt.outcome = Outcome.ACKNOWLEDGED if status == 202 else Outcome.REFUSED
    return status


def verdict(history: History, sqs: FakeSqs, dynamodb: FakeDynamoDB) -> Verdict:
    """Delivers what is on the queue, and accounts for every order."""
    for number, message in enumerate(sqs.sent):
        stamp = int(message["MessageAttributes"]["accepted_at"]["StringValue"])
        event = {"Records": [record(message["MessageBody"], str(number), stamp)]}
        assert invoke(process_handler.handle, event).answer == {"batchItemFailures": []}
    return check(history, rows_of(dynamodb.table.values()), [])


def test_a_replay_makes_a_newer_order_stale(
    sqs: FakeSqs, dynamodb: FakeDynamoDB, clock: Clock, history: History
) -> None:
    """Without order_version_attribute, the order accepted last wins: as the plan warns."""
    first, second = history.order(1), history.order(1)
    assert [post(clock, one) for one in (first, second, first)] == [202, 202, 202]

    assert verdict(history, sqs, dynamodb).stale == [str(second.key)]


def test_a_replay_after_the_tolerance_changes_nothing(
    sqs: FakeSqs, dynamodb: FakeDynamoDB, clock: Clock, history: History
) -> None:
    first, second = history.order(1), history.order(1)
    assert [post(clock, one) for one in (first, second)] == [202, 202]
    clock.now = NOW + 301
    assert post(clock, first) == 401

    assert verdict(history, sqs, dynamodb).is_good


def test_a_replay_changes_nothing_where_orders_have_versions(
    sqs: FakeSqs, dynamodb: FakeDynamoDB, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = Version("number", "N", "order_version_N_number")
    set_versions(monkeypatch, version, dynamodb)
    history = History("versioned replays", version=version.name)
    first, second = history.order(1), history.order(1)
    assert [post(clock, one) for one in (first, second, first)] == [202, 202, 202]

    assert verdict(history, sqs, dynamodb).is_good
