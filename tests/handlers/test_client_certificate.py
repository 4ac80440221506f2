"""The subject of a client's certificate: believed only where the load balancer verifies it."""

import json
from typing import Any

import pytest

from ingest import client_certificate, handler
from local.events import request
from tests.support import child
from tests.support.fakes import FakeSqs
from tests.support.runtime import invoke

HEADER = "X-Amzn-Mtls-Clientcert-Subject"
SUBJECT = "CN=till-7,O=Kopi,C=ID"


def subject(*values: str) -> str | None:
    return client_certificate.client_subject({HEADER.lower(): list(values)} if values else {})


def test_the_load_balancers_header_names_the_subject() -> None:
    assert subject(SUBJECT) == SUBJECT


@pytest.mark.parametrize("values", [(), ("",), (SUBJECT, SUBJECT), (SUBJECT, "CN=other")])
def test_anything_but_one_subject_is_none(values: tuple[str, ...]) -> None:
    """AWS documents no more than that it sets the header; a second value is a client's."""
    assert subject(*values) is None


@pytest.mark.parametrize(
    "shape",
    [
        {"headers": {HEADER: SUBJECT, "content-type": "application/json"}},
        {
            "multiValueHeaders": {HEADER: [SUBJECT], "content-type": ["application/json"]},
            "headers": None,
        },
    ],
    ids=["single", "multi"],
)
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_the_log_names_the_subject_where_asked(
    sqs: FakeSqs, monkeypatch: pytest.MonkeyPatch, shape: dict[str, Any], method: str
) -> None:
    assert "client_subject" not in invoke(handler.handle, request(**shape)).metrics

    monkeypatch.setattr(handler, "LOGGED_SUBJECT", client_certificate.logged_subject)
    metrics = invoke(handler.handle, request(httpMethod=method, **shape)).metrics

    assert metrics["client_subject"] == SUBJECT
    assert invoke(handler.handle, request()).metrics["client_subject"] == ""


def test_a_long_subject_is_cut_in_the_log() -> None:
    headers = {HEADER.lower(): ["CN=" + "x" * 9999]}

    assert len(client_certificate.logged_subject(headers)) == client_certificate.LOGGED_CHARACTERS


PROGRAM = """
import json, sys
from ingest import handler
print(json.dumps([sorted(name for name in sys.modules if name.startswith(("ingest", "shared"))),
                  handler.SIGNATURE is not None, handler.LOGGED_SUBJECT is not None,
                  handler.CLIENT_SUBJECT is not None]))
"""
SIGNED = {
    "SIGNATURE_SECRET_ARN": "arn:…",
    "SIGNATURE_HEADER": "X-Signature",
    "SIGNATURE_TOLERANCE_SECONDS": "300",
}


def started(**environment: str) -> Any:
    result = child.run(PROGRAM, **environment)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_what_is_off_is_not_imported() -> None:
    usual, *off = started()
    signed, *signature_on = started(**SIGNED)
    logged, *subject_on = started(CLIENT_CERTIFICATES="true", LOG_CLIENT_SUBJECT="true")
    _, *not_verified = started(LOG_CLIENT_SUBJECT="true")

    assert off == not_verified == [False, False, False]  # a client may send the header itself
    assert signature_on == [True, False, False]
    assert subject_on == [False, True, True]
    assert set(signed) - set(usual) == {"ingest.keyring", "ingest.signature"}
    assert set(logged) - set(usual) == {"ingest.client_certificate"}


@pytest.mark.parametrize("name", ["SIGNATURE_HEADER", "SIGNATURE_TOLERANCE_SECONDS"])
def test_a_missing_setting_of_signatures_stops_the_start(name: str) -> None:
    result = child.run("import ingest.handler", **(SIGNED | {name: ""}))

    assert result.returncode == 1
    assert f"SettingsError: Environment variable {name} is missing" in result.stderr
