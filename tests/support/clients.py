"""The functions' clients, made for a test."""

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
    """Takes away what this machine's environment would tell a client, and what others have left."""
    for name in os.environ:
        if name.startswith(("AWS_", "_X_AMZN")) or name.lower().endswith("_proxy"):
            patch.delenv(name)
    for name, value in ENVIRONMENT.items():
        patch.setenv(name, value)
    patch.delenv("CLIENT_IMPLEMENTATION", raising=False)
    patch.setattr(credentials, "_fetched", None)
    patch.setattr(credentials, "_refused", None)
    patch.setattr(credentials, "_next_early_fetch", 0.0)
    forget_tls()


def forget_tls() -> None:
    """The next client reads AWS_CA_BUNDLE anew."""
    connections.tls_context.cache_clear()


def deadline(seconds: float = 30.0) -> aws.Deadline:
    """One that is so many seconds away."""
    until = time.monotonic() + seconds
    return aws.Deadline(lambda: until - time.monotonic())


def builtin(
    url: str, service: str = "dynamodb", read_timeout_seconds: float = 20.0, region: str = REGION
) -> aws.BuiltinClient:
    return aws.BuiltinClient(service, region, url, read_timeout_seconds)


def client(url: str, service: str = "dynamodb", read_timeout_seconds: float = 20.0) -> aws.Client:
    """The client that CLIENT_IMPLEMENTATION names, of a server of ours."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", url)
        return aws.client(service, REGION, read_timeout_seconds)


def put(client: aws.Client, seconds: float = 30.0) -> dict[str, Any]:
    """Makes a call, by a deadline in so many seconds."""
    return client.call("PutItem", '{"TableName":"orders","Item":{}}', deadline(seconds))


def refusal(client: aws.Client, seconds: float = 30.0) -> aws.CallError:
    """The error of a call that does not succeed."""
    with pytest.raises(aws.CallError) as raised:
        put(client, seconds)
    return raised.value


class Sent(NamedTuple):
    """A request of the builtin client."""

    line: str
    headers: dict[str, str]  # names as they were sent
    body: bytes


class Wire:
    """Takes the place of a builtin client's connections, keeps requests, answers all the same."""

    def __init__(self, client: aws.BuiltinClient, output: bytes = b"{}") -> None:
        self.sent: list[Sent] = []
        self.answer = connections.Answer(200, {}, output)
        self.host, self.path = client._connections.host, client._connections.path
        client._connections = self  # type: ignore[assignment]

    def exchange(self, head: bytes, body: bytes, _remaining: Any) -> connections.Answer:
        line, _, rest = head.partition(b"\r\n")
        self.sent.append(Sent(line.decode(), dict(parse_headers(BytesIO(rest)).items()), body))
        return self.answer
