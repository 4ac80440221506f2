"""Secrets Manager is slow, denies, throttles or answers nonsense: 503 in time, never a pass."""

import json
import logging
import time
from typing import Any

import pytest

from ingest import handler, keyring, signature
from ingest.keyring import Keyring
from ingest.signature import Verifier
from local.events import Context
from tests.support import child, clients, secrets
from tests.support.fakes import FakeSqs
from tests.support.scripted_server import (
    Behavior,
    ScriptedServer,
    answer,
    reset,
    send_and_close,
    silence,
    trickle,
)
from tests.support.scripted_server import error as server_error
from tests.support.signatures import ARN, HEADER, SHOP
from tests.support.signatures import signature as signature_of

READ_SECONDS = 0.3

REPLIES: dict[str, Behavior] = {
    "silence": silence(),
    "reset": reset(),
    "half an answer": send_and_close(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"),
    "500": answer(500, b"<html>"),
    "throttled": server_error(400, "ThrottlingException"),
    "denied": server_error(400, "AccessDeniedException"),
    "not decrypted": server_error(400, "DecryptionFailure"),
    "deleted": server_error(400, "InvalidRequestException"),
    "a list": answer(body=b"[]"),
    "no secret": answer(body=b"{}"),
    "binary": answer(body=b'{"SecretBinary":"e30="}'),
    "no object": answer(body=b'{"SecretString":"null"}'),
}


def prepare(monkeypatch: pytest.MonkeyPatch, url: str, implementation: str) -> dict[str, Any]:
    """Returns a signed request to an ingest that fetches its secret from a server."""
    monkeypatch.setattr(signature, "MAX_READ_SECONDS", READ_SECONDS)
    client = clients.client(url, "secretsmanager", READ_SECONDS, implementation=implementation)
    monkeypatch.setattr(handler, "SIGNATURE", Verifier(Keyring(client, ARN), HEADER, 300))
    value = signature_of(key_id="shop", secret=SHOP, at=int(time.time()))
    return secrets.signed(value)


def post(event: dict[str, Any]) -> Any:
    return handler.handle(event, Context(lambda: 5_500))


@pytest.mark.usefixtures("quick_calls")
@pytest.mark.parametrize("implementation", clients.IMPLEMENTATIONS)
@pytest.mark.parametrize("reply", REPLIES)
def test_a_failing_service_is_answered_503_in_time(
    sqs: FakeSqs,
    monkeypatch: pytest.MonkeyPatch,
    reply: str,
    implementation: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with ScriptedServer(usual=REPLIES[reply]) as server:
        event = prepare(monkeypatch, server.url, implementation)
        start = time.monotonic()
        given = post(event)

        assert server.requests
    assert time.monotonic() - start < 5
    assert given["statusCode"] == 503
    assert not sqs.sent
    errors = [record.message for record in caplog.records if record.levelno == logging.ERROR]
    assert errors == ["The secret cannot be fetched"]


@pytest.mark.usefixtures("quick_calls")
def test_an_answer_that_trickles_in_is_cut_off(
    sqs: FakeSqs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the builtin client; botocore waits for as long as bytes arrive."""
    with ScriptedServer(usual=trickle(b"HTTP/1.1 200 OK\r\n" + b"x" * 9999)) as server:
        event = prepare(monkeypatch, server.url, "builtin")
        start = time.monotonic()
        assert post(event)["statusCode"] == 503
    assert time.monotonic() - start < 5


@pytest.mark.usefixtures("quick_calls")
@pytest.mark.parametrize("implementation", clients.IMPLEMENTATIONS)
def test_either_client_fetches_the_secret(
    sqs: FakeSqs, monkeypatch: pytest.MonkeyPatch, implementation: str
) -> None:
    body = json.dumps({"SecretString": json.dumps({"shop": SHOP})})
    text = answer(body=body.encode())
    missing = server_error(400, "ResourceNotFoundException")
    with ScriptedServer(script=[text, missing]) as server:
        assert post(prepare(monkeypatch, server.url, implementation))["statusCode"] == 202
        stages = [json.loads(one.body)["VersionStage"] for one in server.requests]
    assert stages == ["AWSCURRENT", "AWSPREVIOUS"]


def test_botocore_can_refresh_within_the_time_for_it() -> None:
    """It starts no attempt that could outlast the deadline."""
    longest = 1.0 + signature.MAX_READ_SECONDS  # botocore_client.CONNECT_SECONDS

    assert longest < keyring.REFRESH_SECONDS
    assert longest <= (6 - handler.MARGIN_SECONDS) / 2  # the shortest timeout of ingest


PROGRAM = """
from ingest import handler
ring = handler.SIGNATURE._keyring
print(ring._secrets, ring._tried, ring._client.url)
"""


def test_a_start_fetches_nothing_so_a_snapshot_has_no_secret() -> None:
    result = child.run(
        PROGRAM,
        SIGNATURE_SECRET_ARN=ARN,
        SIGNATURE_HEADER=HEADER,
        SIGNATURE_TOLERANCE_SECONDS="300",
    )

    assert result.stdout.split() == [
        *("None", "None", "https://secretsmanager.us-east-1.amazonaws.com"),
    ]
