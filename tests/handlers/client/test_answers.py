"""Only a complete, valid answer is a success; anything else is a CallError, in time."""

import json
import time
import zlib

import pytest

from shared import aws
from tests.support import clients
from tests.support.scripted_server import (
    Behavior,
    Exchange,
    ScriptedServer,
    answer,
    close,
    flood,
    send,
    send_and_close,
    silence,
    trickle,
)

OUTPUT = {"Attributes": {"name": {"S": "é"}}}
BODY = json.dumps(OUTPUT).encode()
HEAD = b"HTTP/1.1 200 OK\r\nx-amzn-RequestId: request-1\r\n"


@pytest.fixture
def client(implementation: str, server: ScriptedServer) -> aws.Client:
    return clients.client(server.url)


def chunked(*pieces: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + end


def with_length(length: str) -> bytes:
    return HEAD + f"Content-Length: {length}\r\n\r\n".encode() + BODY


WHOLE = {
    "with a length": answer(body=BODY),
    "chunked": send(chunked(BODY[:7], BODY[7:])),
    "until the end": send_and_close(HEAD + b"\r\n" + BODY),
    "HTTP/1.0": send_and_close(HEAD.replace(b"1.1", b"1.0") + b"\r\n" + BODY),
    "with a checksum": answer(body=BODY, headers={"x-amz-crc32": str(zlib.crc32(BODY))}),
    "after a 100": send(b"HTTP/1.1 100 Continue\r\n\r\n", with_length(str(len(BODY)))),
    "in pieces": send(*[bytes([byte]) for byte in with_length(str(len(BODY)))]),
    "with a huge header": answer(body=BODY, headers={"x-filler": "x" * 60_000}),
}


@pytest.mark.parametrize("behavior", WHOLE.values(), ids=WHOLE)
def test_a_complete_answer_is_a_success(
    behavior: Behavior, server: ScriptedServer, client: aws.Client
) -> None:
    server.script = [behavior]
    assert clients.put(client)["Attributes"] == OUTPUT["Attributes"]


def test_a_complete_error_has_code_and_request_id(
    server: ScriptedServer, client: aws.Client
) -> None:
    body = b'{"__type":"ValidationException","message":"..."}'
    server.usual = answer(400, body, headers={"x-amz-crc32": str(zlib.crc32(body))})
    error = clients.refusal(client)
    assert error.code == "ValidationException"
    assert error.status == 400
    assert error.details == {"error": "ValidationException", "aws_request_id": "request-1"}


# Each ends the connection, or it would be a matter of time.
BROKEN = {
    "nothing": close(),
    "half a head": send_and_close(HEAD),
    "half a body": send_and_close(with_length(str(len(BODY) + 1))),
    "half a chunk": send_and_close(chunked(BODY, end=b"5\r\nab")),
    "no last chunk": send_and_close(chunked(BODY, end=b"")),
    "chunk of no length": send_and_close(chunked(BODY, end=b"nothing\r\n")),
    "too short a length": send_and_close(with_length(str(len(BODY) - 1))),
    "half a JSON": send_and_close(HEAD + b"\r\n" + BODY[:-1]),
    "no JSON": answer(body=b"<html>"),
    "empty": answer(body=b""),
    "not UTF-8": answer(body=b'{"Attributes": "\xff"}'),
    "other checksum": answer(body=BODY, headers={"x-amz-crc32": "1"}),
    "malformed checksum": answer(body=BODY, headers={"x-amz-crc32": "none"}),
    "a list": answer(body=b"[]"),
    "a string": answer(body=b'"text"'),
    "null": answer(body=b"null"),
    "nested too deeply": answer(body=b"[" * 100_000),
    "no HTTP": send_and_close(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "no status": send_and_close(b"HTTP/1.1 OK\r\n\r\n"),
}
# botocore takes these, or waits for them.
BROKEN_FOR_US = {
    "too huge a header": send_and_close(HEAD + b"x: " + b"x" * 70_000 + b"\r\n\r\n{}"),
    "too many headers": send_and_close(HEAD + b"x: x\r\n" * 200 + b"\r\n{}"),
    "length beyond all numbers": send_and_close(with_length("9" * 30)),
    "length beyond all memory": send_and_close(with_length("9" * 16)),
    "chunk beyond all numbers": send_and_close(chunked(end=b"f" * 30 + b"\r\n")),
    "no content": answer(204, b""),
}


@pytest.mark.parametrize("behavior", BROKEN.values(), ids=BROKEN)
def test_a_broken_answer_fails(
    behavior: Behavior, server: ScriptedServer, client: aws.Client, pauses: list[float]
) -> None:
    server.usual = behavior
    error = clients.refusal(client)
    assert error.is_transient
    if isinstance(client, aws.BuiltinClient):  # botocore may try a connection that has ended
        assert len(server.requests) == aws.ATTEMPTS


@pytest.mark.parametrize("behavior", BROKEN_FOR_US.values(), ids=BROKEN_FOR_US)
def test_an_answer_that_botocore_accepts_fails_if_broken(
    behavior: Behavior, server: ScriptedServer, pauses: list[float]
) -> None:
    server.usual = behavior
    clients.refusal(clients.client(server.url))


def test_a_broken_answer_is_forgotten_with_its_connection(
    server: ScriptedServer, client: aws.Client, pauses: list[float]
) -> None:
    server.script = list(BROKEN.values())[:2]
    assert clients.put(client) is not None
    assert len(pauses) == 2


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(
    status: int, server: ScriptedServer, client: aws.Client, pauses: list[float]
) -> None:
    """The signature is for one host."""
    with ScriptedServer() as elsewhere:
        server.usual = answer(status, b"", headers={"Location": f"{elsewhere.url}/"})
        error = clients.refusal(client)
        assert elsewhere.connections == 0
    assert error.status == status
    assert not error.is_transient
    assert len(server.requests) == 1


SLOW = {
    "nothing": silence(),
    "head": trickle(b"x-filler: x\r\n", start=HEAD),
    "body": trickle(b" ", start=HEAD + b"Content-Length: 100000\r\n\r\n"),
    "chunks": trickle(b"1\r\n \r\n", start=HEAD + b"Transfer-Encoding: chunked\r\n\r\n"),
    "100": trickle(b"HTTP/1.1 100 Continue\r\n\r\n"),
    "100 without a pause": flood(b"HTTP/1.1 100 Continue\r\n\r\n"),
}


@pytest.mark.parametrize("behavior", SLOW.values(), ids=SLOW)
@pytest.mark.parametrize(
    ("read_timeout", "seconds"), [(20, 0.5), (0.2, 20)], ids=["deadline", "read timeout"]
)
def test_a_trickling_answer_extends_no_deadline(
    behavior: Behavior, read_timeout: float, seconds: float, server: ScriptedServer
) -> None:
    server.usual = behavior
    client = clients.client(server.url, read_timeout_seconds=read_timeout)
    began = time.monotonic()
    error = clients.refusal(client, seconds)
    assert time.monotonic() - began < 12
    assert error.is_transient
    assert error.code == "ReadTimeout"


@pytest.mark.parametrize("kind", ["plain", "tls"])
def test_a_slowly_read_request_extends_no_deadline(
    kind: str, request: pytest.FixtureRequest, pauses: list[float]
) -> None:
    server: ScriptedServer = request.getfixturevalue("server" if kind == "plain" else "tls_server")
    server.reads_slowly = True
    body = json.dumps({"Item": "x" * 16_000_000})
    client = clients.builtin(server.url, read_timeout_seconds=0.5)
    began = time.monotonic()
    with pytest.raises(aws.CallError, match="ReadTimeout"):
        client.call("PutItem", body, clients.deadline())
    assert time.monotonic() - began < 12
    assert len(pauses) == aws.ATTEMPTS - 1


def test_an_answer_to_half_a_request_is_a_failure(
    server: ScriptedServer, client: aws.Client
) -> None:
    """A server may answer and close before it has read everything."""

    def behave(exchange: Exchange) -> None:
        answer(413, b"")(exchange)
        exchange.end()

    server.usual = behave
    body = json.dumps({"TableName": "t", "Item": {"a": {"S": "x" * 2_000_000}}})
    with pytest.raises(aws.CallError):
        client.call("PutItem", body, clients.deadline())
