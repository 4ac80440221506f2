"""Credentials of the environment and of the endpoint that SnapStart uses, found as by botocore."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from botocore.credentials import ContainerProvider

from local.emulator import ROOT
from shared import connections, credentials
from tests.support import clients
from tests.support.container_endpoint import FULL, document, enough, refusal
from tests.support.scripted_server import (
    Behavior,
    ScriptedServer,
    answer,
    close,
    error,
    reset,
    silence,
)

RELATIVE = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
TOKEN = "AWS_CONTAINER_AUTHORIZATION_TOKEN"
TOKEN_FILE = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"


def test_credentials_of_the_environment_are_used(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("AWS_ACCESS_KEY_ID", "key")
    environment.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    assert credentials.current(enough) == credentials.Credentials("key", "secret")
    environment.setenv("AWS_SESSION_TOKEN", "token")
    assert credentials.current(enough) == credentials.Credentials("key", "secret", "token")


def test_the_environment_precedes_the_endpoint(
    endpoint: ScriptedServer, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("AWS_ACCESS_KEY_ID", "key")
    environment.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    assert credentials.current(enough).access_key == "key"
    assert endpoint.connections == 0


@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
@pytest.mark.parametrize("value", [None, ""])
def test_missing_credentials_fail_the_call(
    name: str, value: str | None, environment: pytest.MonkeyPatch
) -> None:
    if value is None:
        environment.delenv(name)
    else:
        environment.setenv(name, value)
    assert refusal() == "NoCredentials"
    client = clients.builtin("http://127.0.0.1:1")
    assert clients.refusal(client).code == "NoCredentials"


def test_the_session_token_is_sent(endpoint: ScriptedServer) -> None:
    with ScriptedServer() as service:
        clients.put(clients.builtin(service.url))
        headers = service.requests[0].headers
    assert headers["x-amz-security-token"] == "token-1"
    assert "Credential=key-1/" in headers["authorization"]


def test_the_endpoint_is_asked_with_its_token(
    endpoint: ScriptedServer, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv(TOKEN, "Bearer secret")
    credentials.current(enough)
    (request,) = endpoint.requests
    assert request.line == "GET /v1/credentials?id=1 HTTP/1.1"
    assert request.headers["authorization"] == "Bearer secret"
    assert request.headers["accept"] == "application/json"


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, None),
        ({TOKEN: ""}, None),
        ({TOKEN: "Basic abc"}, "Basic abc"),
        ({TOKEN: "Basic abc", TOKEN_FILE: "Basic file"}, "Basic file"),
        ({TOKEN_FILE: "Basic file"}, "Basic file"),
    ],
    ids=["none", "empty", "variable", "both", "file"],
)
def test_the_endpoint_is_asked_as_by_botocore(
    variables: dict[str, str],
    expected: str | None,
    endpoint: ScriptedServer,
    environment: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    if TOKEN_FILE in variables:
        (tmp_path / "token").write_text(variables[TOKEN_FILE])
        variables = variables | {TOKEN_FILE: str(tmp_path / "token")}
    for name, value in variables.items():
        environment.setenv(name, value)
    theirs = ContainerProvider().load().get_frozen_credentials()
    ours = credentials.current(enough)
    assert ours[:3] == (theirs.access_key, theirs.secret_key, theirs.token)
    their_request, our_request = endpoint.requests
    assert our_request.line == their_request.line
    for name in ("host", "accept"):
        assert our_request.headers[name] == their_request.headers[name]
    assert our_request.headers["authorization"] == expected
    assert (their_request.headers["authorization"] or None) == expected


def test_a_relative_uri_precedes_a_full_one(
    environment: pytest.MonkeyPatch, endpoint: ScriptedServer
) -> None:
    """It is at the known address."""
    made: list[str] = []
    real = connections.Connections

    def make(url: str, seconds: float) -> connections.Connections:
        made.append(url)
        return real(endpoint.url, seconds)

    environment.setattr(credentials, "Connections", make)
    environment.setenv(RELATIVE, "/v2/credentials")
    assert credentials.current(enough).access_key == "key-1"
    assert made == ["http://169.254.170.2/v2/credentials"]


HOSTS = {
    "http://127.0.0.1:1/": True,
    "http://127.9.9.9:1/": True,
    "http://[::1]:1/": True,
    "http://localhost:1/": True,
    "http://169.254.170.2/": True,
    "http://169.254.170.23/": True,
    "http://[fd00:ec2::23]/": True,
    "https://example.invalid/": True,
    "http://example.invalid/": False,
    "http://169.254.169.254/": False,
    "http://10.0.0.1/": False,
    "http://127.0.0.1.example.invalid/": False,
    "http://127.0.0.1@example.invalid/": False,
    "ftp://example.invalid/": False,
    "http:///": False,
    "none": False,
}


@pytest.mark.parametrize(("url", "is_allowed"), HOSTS.items())
def test_only_known_hosts_are_asked_without_tls(
    url: str, is_allowed: bool, environment: pytest.MonkeyPatch
) -> None:
    environment.delenv("AWS_ACCESS_KEY_ID")
    environment.setenv(FULL, url)
    environment.setattr(
        connections.Connections,
        "exchange",
        lambda *_: pytest.fail("sent") if not is_allowed else _refuse(),
    )
    assert (refusal() == "Sent") == is_allowed
    fetcher = ContainerProvider()._fetcher
    if is_allowed:
        fetcher._validate_allowed_url(url)
    else:
        with pytest.raises(ValueError, match="Unsupported host"):
            fetcher._validate_allowed_url(url)


def _refuse() -> None:
    raise connections.ExchangeError("Sent")


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({TOKEN: "a\r\nx-injected: 1"}, "MalformedHeader"),
        ({TOKEN: "é"}, "MalformedHeader"),
        ({TOKEN_FILE: "/nowhere/token"}, "CredentialsMisconfigured"),
        ({FULL: "http://127.0.0.1:port/"}, "CredentialsMisconfigured"),
        ({FULL: "http://[::1/"}, "CredentialsMisconfigured"),
        ({FULL: "http://127.0.0.1/a\x7fb"}, "MalformedHeader"),
    ],
    ids=["two headers", "not ASCII", "no file", "no port", "no host", "no path"],
)
def test_a_misconfigured_endpoint_fails_the_call(
    variables: dict[str, str],
    reason: str,
    endpoint: ScriptedServer,
    environment: pytest.MonkeyPatch,
    pauses: list[float],
) -> None:
    for name, value in variables.items():
        environment.setenv(name, value)
    assert refusal() == reason
    assert clients.refusal(clients.builtin("http://127.0.0.1:1")).code == reason
    assert endpoint.requests == []


MALFORMED: dict[str, Behavior] = {
    "no key": document(AccessKeyId=...),
    "key is null": document(AccessKeyId=None),
    "empty secret": document(SecretAccessKey=""),
    "no token": document(Token=...),
    "token is a number": document(Token=1),
    "no expiration": document(Expiration=...),
    "no date": document(Expiration="tomorrow"),
    "number as a date": document(Expiration=1),
    "a list": answer(body=b"[]"),
    "no JSON": answer(body=b"<html>"),
    "deep": answer(body=b"[" * 100_000),
}


@pytest.mark.parametrize("behavior", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_answer_of_the_endpoint_fails_the_call(
    behavior: Behavior, endpoint: ScriptedServer
) -> None:
    endpoint.usual = behavior
    assert refusal() == "CredentialsMalformed"
    assert len(endpoint.requests) == credentials.FETCHES


@pytest.mark.parametrize("behavior", [close(), reset(), error(500, "Some"), error(404, "Some")])
def test_a_failing_endpoint_fails_the_call(behavior: Behavior, endpoint: ScriptedServer) -> None:
    endpoint.script = [behavior] * (credentials.FETCHES - 1)
    assert credentials.current(enough).access_key == "key-1"


def test_a_redirect_of_the_endpoint_is_not_followed(endpoint: ScriptedServer) -> None:
    """The token would be sent elsewhere."""
    with ScriptedServer() as elsewhere:
        endpoint.usual = answer(302, b"", headers={"Location": elsewhere.url})
        assert refusal() == "CredentialsRefused"
        assert elsewhere.connections == 0


def test_a_hanging_endpoint_takes_no_longer_than_the_deadline(
    endpoint: ScriptedServer, environment: pytest.MonkeyPatch
) -> None:
    endpoint.usual = silence()
    began = time.monotonic()
    error = clients.refusal(clients.builtin("http://127.0.0.1:1"), seconds=0.5)
    assert error.code == "ReadTimeout"
    assert time.monotonic() - began < 1.9  # one fetch is 2 s


@pytest.mark.parametrize(
    "expiration",
    [
        "2100-01-01T00:00:00Z",
        "2100-01-01T00:00:00.123Z",
        "2100-01-01T02:00:00+02:00",
        "2100-01-01T00:00:00.123456789Z",
        "2100-01-01T00:00:00",
    ],
)
def test_an_expiration_is_parsed(expiration: str, endpoint: ScriptedServer) -> None:
    endpoint.usual = document(Expiration=expiration)
    assert int(credentials.current(enough).expires_at) == 4102444800


@pytest.mark.parametrize("handler", ["ingest", "process"])
def test_a_start_fetches_no_credentials(
    handler: str, endpoint: ScriptedServer, environment: pytest.MonkeyPatch
) -> None:
    """A SnapStart snapshot contains no credentials and no connection."""
    from local.events import ENVIRONMENT

    variables = {
        name: value
        for name, value in ENVIRONMENT.items()
        if "KEY_ID" not in name and "ACCESS_KEY" not in name
    }
    variables |= {
        FULL: f"{endpoint.url}/",
        "AWS_ENDPOINT_URL": endpoint.url,
        "PYTHONPATH": str(ROOT / "lambda_src"),
    }
    done = subprocess.run(
        [sys.executable, "-c", f"import {handler}.handler"],
        env=variables,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert endpoint.connections == 0
