"""The functions' own clients, for tests."""

import os
import time
from http.client import parse_headers
from io import BytesIO
from typing import Any, NamedTuple

import pytest

from shared import aws, connections, credentials

REGION = "eu-central-1"
IMPLEMENTATIONS = ("builtin", "botocore")
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "DNS_SUFFIX": "amazonaws.com",
}


def isolate(patch: pytest.MonkeyPatch) -> None:
    """Removes what this machine's environment would tell a client, and what other tests left.

    Except the roots of TLS, which take a twentieth of a second to read: see `forget_tls`.
    """
    for name in os.environ:
        if name.startswith(("AWS_", "_X_AMZN")) or name.lower().endswith("_proxy"):
            patch.delenv(name)
    for name, value in ENVIRONMENT.items():
        patch.setenv(name, value)
    patch.delenv("CLIENT_IMPLEMENTATION", raising=False)
    patch.setattr(credentials, "_fetched", None)
    patch.setattr(credentials, "_refused", None)
    patch.setattr(credentials, "_next_early_fetch", 0.0)


def forget_tls() -> None:
    """Makes the next client read AWS_CA_BUNDLE again."""
    connections.tls_context.cache_clear()


def deadline(seconds: float = 30.0) -> aws.Deadline:
    """Returns a deadline in so many seconds."""
    until = time.monotonic() + seconds
    return aws.Deadline(lambda: until - time.monotonic())


def builtin(
    url: str, service: str = "dynamodb", read_timeout_seconds: float = 20.0, region: str = REGION
) -> aws.BuiltinClient:
    return aws.BuiltinClient(service, region, url, read_timeout_seconds)


def client(
    url: str,
    service: str = "dynamodb",
    read_timeout_seconds: float = 20.0,
    region: str = REGION,
    implementation: str = "",
) -> aws.Client:
    """Returns a client for a server, by default of the kind that CLIENT_IMPLEMENTATION names."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", url)
        if implementation:
            patch.setenv("CLIENT_IMPLEMENTATION", implementation)
        return aws.client(service, region, read_timeout_seconds)


def put(client: aws.Client, seconds: float = 30.0) -> dict[str, Any]:
    """Makes a call with a deadline in so many seconds."""
    return client.call("PutItem", '{"TableName":"orders","Item":{}}', deadline(seconds))


def refusal(client: aws.Client, seconds: float = 30.0) -> aws.CallError:
    """Makes a call that must fail, and returns its error."""
    with pytest.raises(aws.CallError) as raised:
        put(client, seconds)
    return raised.value


class Sent(NamedTuple):
    """A request of the builtin client."""

    line: str
    headers: dict[str, str]  # by name as sent
    body: bytes


class Wire:
    """Replaces a builtin client's connections: keeps the requests, and always answers the same."""

    def __init__(self, client: aws.BuiltinClient, output: bytes = b"{}") -> None:
        self.sent: list[Sent] = []
        self.answer = connections.Answer(200, {}, output)
        self.host, self.path = client._connections.host, client._connections.path
        client._connections = self  # type: ignore[assignment]

    def exchange(self, head: bytes, body: bytes, _remaining: Any) -> connections.Answer:
        line, _, rest = head.partition(b"\r\n")
        self.sent.append(Sent(line.decode(), dict(parse_headers(BytesIO(rest)).items()), body))
        return self.answer
