"""Signed requests: who signs with their secret, now, is let in; others learn no reason."""

import base64
import hmac
import json
import logging
from typing import Any

import pytest

from ingest import handler, keyring, signature
from ingest.keyring import Keyring
from ingest.signature import Verifier
from shared.aws import CallError
from tests.support import secrets
from tests.support.fakes import FakeSqs
from tests.support.ingest import ORDER
from tests.support.runtime import invoke
from tests.support.secrets import Clock, FakeSecretsManager
from tests.support.signatures import ARN, HEADER, OLD_TILL, SHOP, TILL
from tests.support.signatures import signature as signature_of

NOW = 1_800_000_000
TOLERANCE = 300


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock(NOW)
    monkeypatch.setattr(keyring, "time", clock)
    monkeypatch.setattr(signature, "time", clock)
    return clock


@pytest.fixture(autouse=True)
def manager(monkeypatch: pytest.MonkeyPatch) -> FakeSecretsManager:
    """Signatures are required of all requests."""
    fake = FakeSecretsManager({"shop": SHOP, "till": [TILL, OLD_TILL]})
    monkeypatch.setattr(handler, "SIGNATURE", Verifier(Keyring(fake, ARN), HEADER, TOLERANCE))
    return fake


def answer(value: Any, body: str = ORDER, **changes: Any) -> dict[str, Any]:
    return invoke(handler.handle, secrets.signed(value, body, **changes)).answer


def by_shop(body: str | bytes = ORDER, at: int = NOW) -> str:
    return signature_of(body, key_id="shop", secret=SHOP, at=at)


# Accepted ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("key_id", "secret"), [("shop", SHOP), ("till", TILL), ("till", OLD_TILL)])
def test_each_secret_of_a_key_id_holds(sqs: FakeSqs, key_id: str, secret: str) -> None:
    value = signature_of(key_id=key_id, secret=secret, at=NOW)

    invocation = invoke(handler.handle, secrets.signed(value))

    assert invocation.answer["statusCode"] == 202
    assert invocation.metrics["key_id"] == key_id
    assert [one["MessageBody"] for one in sqs.sent] == [ORDER]


@pytest.mark.parametrize("at", [NOW - TOLERANCE, NOW + TOLERANCE])
def test_clocks_may_differ_by_the_tolerance(sqs: FakeSqs, at: int) -> None:
    assert answer(by_shop(at=at))["statusCode"] == 202


def test_the_body_is_signed_as_it_is_sent(sqs: FakeSqs) -> None:
    """Also where the load balancer hands it over in base64, and with what JSON would drop."""
    spaced = '{ "order_id" : "1",  "item":"K\u00f6nig" }\n'
    encoded = base64.b64encode(spaced.encode()).decode()

    assert answer(by_shop(spaced), spaced)["statusCode"] == 202
    assert answer(by_shop(spaced), encoded, isBase64Encoded=True)["statusCode"] == 202


def test_the_header_may_come_in_either_shape(sqs: FakeSqs) -> None:
    assert answer([f"  {by_shop()} "])["statusCode"] == 202


def test_a_digest_may_be_in_upper_case(sqs: FakeSqs) -> None:
    head, _, digest = by_shop().rpartition("=")

    assert answer(f"{head}={digest.upper()}")["statusCode"] == 202


def test_a_replay_within_the_tolerance_is_accepted(sqs: FakeSqs, clock: Clock) -> None:
    """With a new stamp: order_version_attribute makes it harmless."""
    value = by_shop()

    first = answer(value)
    clock.now += TOLERANCE
    again = answer(value)
    clock.now += 1
    late = answer(value)

    assert [one["statusCode"] for one in (first, again, late)] == [202, 202, 401]


# Refused ----------------------------------------------------------------------------------------

GOOD = by_shop()
FORGED: dict[str, Any] = {
    "none": None,
    "empty": "",
    "unknown key id": GOOD.replace("kid=shop", "kid=shoq"),
    "key id of another": GOOD.replace("kid=shop", "kid=till"),
    "another secret": signature_of(key_id="shop", secret=TILL, at=NOW),
    "another body": by_shop(ORDER + " "),
    "another time": GOOD.replace(f"t={NOW}", f"t={NOW + 1}"),
    "too old": by_shop(at=NOW - TOLERANCE - 1),
    "of the future": by_shop(at=NOW + TOLERANCE + 1),
    "last digit": GOOD[:-1] + ("0" if GOOD[-1] != "0" else "1"),
    "truncated": GOOD[:-1],
    "longer": f"{GOOD}0",
    "no digest": GOOD[:-64],
    "digest of nothing": GOOD[:-64] + "0" * 64,
    "not hexadecimal": GOOD[:-1] + "g",
    "full-width digits": GOOD[:-64] + "\uff10" * 64,
    "arabic digits in the time": GOOD.replace(f"t={NOW}", "t=\u0661\u0662\u0663"),
    "negative time": GOOD.replace(f"t={NOW}", f"t=-{NOW}"),
    "endless time": GOOD.replace(f"t={NOW}", "t=" + "9" * 5000),
    "milliseconds": by_shop(at=NOW * 1000),
    "other order of parts": ",".join(reversed(GOOD.split(","))),
    "a part twice": f"{GOOD},{GOOD}",
    "two digests": f"{GOOD},v1={'0' * 64}",
    "older version": GOOD.replace("v1=", "v0="),
    "line break": f"{GOOD}\n{GOOD}",
    "twice": [GOOD, GOOD],
    "a forged one first": [by_shop("{}"), GOOD],
    "huge": "t=1," * 4000,
    "huge key id": GOOD.replace("kid=shop", f"kid={'k' * 10_000}"),
    "key id with a line break": GOOD.replace("kid=shop", "kid=shop\\n"),
    "control characters": "\x00\x01\x7f",
    "bearer": "Bearer abc",
}


@pytest.mark.parametrize("value", FORGED.values(), ids=FORGED)
def test_others_are_refused_without_a_hint(sqs: FakeSqs, value: Any, caplog: Any) -> None:
    invocation = invoke(handler.handle, secrets.signed(value))

    given = invocation.answer.get("headers") or {
        name: one for name, (one,) in invocation.answer["multiValueHeaders"].items()
    }
    assert invocation.answer["statusCode"] == 401
    assert given["WWW-Authenticate"] == 'HMAC-SHA256 header="X-Signature"'
    assert json.loads(invocation.answer["body"]) == {
        "type": "urn:async-ingest:problem:unauthorized",
        "title": "The request is not signed as it must be",
        "status": 401,
        "detail": "Sign each request with a valid key, when you send it.",
    }
    assert not sqs.sent
    assert "key_id" not in invocation.metrics
    assert invocation.metrics["Rejected"] == 1
    assert not caplog.records


def test_headers_of_a_name_in_different_case_are_two(sqs: FakeSqs) -> None:
    event = secrets.signed(GOOD)
    event["headers"]["X-SIGNATURE"] = GOOD

    assert invoke(handler.handle, event).answer["statusCode"] == 401


@pytest.mark.parametrize("body", ["\ud800", "%%%", None, 7, ["x"]], ids=repr)
@pytest.mark.parametrize("is_base64", [True, False])
def test_a_body_that_no_client_can_send_is_refused(
    sqs: FakeSqs, body: Any, is_base64: bool
) -> None:
    assert answer(GOOD, body, isBase64Encoded=is_base64)["statusCode"] == 401


def test_the_signature_comes_after_path_and_method_and_before_the_body(sqs: FakeSqs) -> None:
    """So a stranger learns nothing about orders, and health checks stay what they are."""
    assert answer(None, path="/")["statusCode"] == 404
    assert answer(None, httpMethod="GET")["statusCode"] == 405
    assert answer(None, "{")["statusCode"] == 401
    assert answer(None, "x" * 999_999)["statusCode"] == 401
    assert answer(by_shop("{"), "{")["statusCode"] == 400


def test_a_health_check_needs_no_secret(manager: FakeSecretsManager) -> None:
    event = secrets.signed(None, "", httpMethod="GET")
    event["headers"]["user-agent"] = "ELB-HealthChecker/2.0"

    invocation = invoke(handler.handle, event)

    assert invocation.answer["statusCode"] == 405
    assert invocation.metrics["HealthChecks"] == 1
    assert not manager.calls


# The same work for each reason ------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["unknown key id", "key id of another", "another secret", "too old"]
)
def test_each_reason_takes_the_same_work(
    sqs: FakeSqs, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many HMACs and comparisons in constant time as the key id with the most secrets has."""
    done: list[str] = []

    class Counting:
        @staticmethod
        def digest(*arguments: Any) -> bytes:
            done.append("hmac")
            return hmac.digest(*arguments)

        @staticmethod
        def compare_digest(*arguments: Any) -> bool:
            done.append("comparison")
            return hmac.compare_digest(*arguments)

    monkeypatch.setattr(signature, "hmac", Counting)
    assert answer(GOOD)["statusCode"] == 202
    assert sorted(done) == ["comparison", "comparison", "hmac", "hmac"]
    del done[:]

    assert answer(FORGED[name])["statusCode"] == 401
    assert sorted(done) == ["comparison", "comparison", "hmac", "hmac"]


def test_what_fills_up_the_work_never_matches(sqs: FakeSqs) -> None:
    """Not even of someone who knew it, as from a snapshot."""
    signed = f"{NOW}.".encode() + ORDER.encode()
    digest = hmac.digest(signature._NOBODYS, signed, "sha256").hex()

    assert answer(f"t={NOW},kid=nobody,v1={digest}")["statusCode"] == 401
    assert answer(f"t={NOW},kid=shop,v1={digest}")["statusCode"] == 401


def test_only_a_signature_of_now_can_cause_a_call(
    sqs: FakeSqs, manager: FakeSecretsManager, clock: Clock
) -> None:
    """Neither an old one nor a malformed header."""
    answer(GOOD)
    clock.now += keyring.EARLY_SECONDS
    for name in ("none", "truncated", "unknown key id", "another secret"):
        answer(FORGED[name])
        answer(signature_of(key_id="shop", secret=TILL, at=NOW - 9999))
    assert len(manager.calls) == 4  # of "unknown key id", and none after it

    clock.now += keyring.EARLY_SECONDS
    answer(signature_of(key_id="shop", secret=TILL, at=NOW - 9999))
    assert len(manager.calls) == 4


# Without the secret -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "code",
    [
        *("AccessDeniedException", "ThrottlingException", "InternalServiceError", "ReadTimeout"),
        *("ResourceNotFoundException", "InvalidRequestException", "DecryptionFailure", "NoTime"),
    ],
)
@pytest.mark.parametrize("value", [GOOD, FORGED["another secret"], FORGED["unknown key id"]])
def test_without_the_secret_every_signed_request_is_503(
    sqs: FakeSqs,
    manager: FakeSecretsManager,
    code: str,
    value: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    manager.trouble = CallError(code)

    given = answer(value)

    assert (given["statusCode"], given["headers"]["Retry-After"]) == (503, "5")
    assert not sqs.sent
    (entry,) = caplog.records
    assert (entry.levelno, entry.__dict__["error"]) == (logging.ERROR, code)


def test_no_secret_is_in_the_log_the_answer_or_the_verifier(
    sqs: FakeSqs, manager: FakeSecretsManager, caplog: pytest.LogCaptureFixture
) -> None:
    manager.put("AWSCURRENT", f'{{"shop": "{SHOP}", "till": "{TILL}"')

    given = answer(GOOD)

    said = str([given, caplog.text, [record.__dict__ for record in caplog.records]])
    assert given["statusCode"] == 503
    assert SHOP not in said
    assert TILL not in said
