"""Whatever a server does: an answer or a CallError in time, and no false success."""

import json
import random
import time
import zlib
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from shared import aws
from tests.support import clients
from tests.support.properties import examples
from tests.support.scripted_server import (
    Behavior,
    Exchange,
    ScriptedServer,
    answer,
    close,
    error,
    reset,
    send,
    send_and_close,
    silence,
    trickle,
)

READ_TIMEOUT_SECONDS = 0.15
MARGIN_SECONDS = 4.0  # for a busy machine, and less than a pause that a server asks for


class Server:
    """Reacts to a request by the number that it carries."""

    def __init__(self) -> None:
        self.confirmed: set[int] = set()  # a complete, valid answer was sent

    def valid(self, number: int, *, checksum: bool = True) -> bytes:
        body = json.dumps({"number": number}).encode()
        crc = f"x-amz-crc32: {zlib.crc32(body)}\r\n" if checksum else ""
        return f"HTTP/1.1 200 OK\r\n{crc}Content-Length: {len(body)}\r\n\r\n".encode() + body

    def then(self, make: Callable[[int], Behavior], *, confirms: bool) -> Behavior:
        def behave(exchange: Exchange) -> None:
            number = json.loads(exchange.request.body)["number"]
            if confirms:
                self.confirmed.add(number)
            make(number)(exchange)

        return behave

    def good(self) -> st.SearchStrategy[Behavior]:
        def chunked(number: int) -> bytes:
            body = json.dumps({"number": number}).encode()
            head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            return head + b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"

        makes: list[Callable[[int], Behavior]] = [
            lambda number: send(self.valid(number)),
            lambda number: send(self.valid(number, checksum=False)),
            lambda number: send_and_close(self.valid(number)),
            lambda number: send(chunked(number)),
            # Followed by an unrequested answer, like one that arrives late.
            lambda number: send(self.valid(number) + self.valid(-1)),
            lambda number: send(self.valid(number) + self.valid(-1)[:20]),
            lambda number: send_and_close(self.valid(number) + self.valid(-1)),
        ]
        return st.sampled_from([self.then(make, confirms=True) for make in makes])

    def bad(self) -> st.SearchStrategy[Behavior]:
        simple = st.sampled_from(
            [
                close(),
                reset(),
                silence(),
                trickle(b"HTTP/1.1 100 Continue\r\n\r\n", 0.001),
                trickle(b" ", 0.001, start=b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n"),
                error(400, "ValidationException"),
                error(400, "ThrottlingException", Retry_After="1"),
                error(403, "InvalidSignatureException", Date="Thu, 01 Jan 2032 00:00:00 GMT"),
                error(400, "ExpiredTokenException"),
                error(500, "InternalServerError"),
                error(503, "Unavailable", Retry_After="99999"),
                answer(200, b'{"number":-1}', headers={"x-amz-crc32": "1"}),
                answer(200, b"[]"),
                answer(200, b"<html>"),
                answer(301, b"", headers={"Location": "http://127.0.0.1:1/"}),
            ]
        )
        noise = st.binary(max_size=100).map(send_and_close)
        headed = _without_json.map(lambda tail: send_and_close(b"HTTP/1.1 200 OK\r\n" + tail))
        cut = st.floats(0, 0.999).map(
            lambda share: self.then(
                lambda number: send_and_close(_first(self.valid(number), share)), confirms=False
            )
        )
        return simple | simple | noise | headed | cut


_without_json = st.binary(max_size=60).filter(lambda tail: b"{" not in tail)


def _first(content: bytes, share: float) -> bytes:
    return content[: int(len(content) * share)]


@given(
    data=st.data(),
    seconds=st.lists(st.floats(0.0, 0.8), min_size=1, max_size=5),
    seed=st.integers(0, 2**32),
)
@examples(150)
def test_any_server_gets_an_answer_or_an_error_in_time(
    data: st.DataObject, seconds: list[float], seed: int
) -> None:
    model = Server()
    behaviors = data.draw(st.lists(model.good() | model.bad(), max_size=3 * len(seconds)))
    usual = model.then(lambda number: send(model.valid(number)), confirms=True)
    with ScriptedServer(script=list(behaviors), usual=usual) as server:
        client = clients.builtin(server.url, read_timeout_seconds=READ_TIMEOUT_SECONDS)
        for number, limit in enumerate(seconds, random.Random(seed).randrange(10**6)):
            began = time.monotonic()
            sent_before = len(server.requests)
            try:
                output = client.call(
                    "PutItem", json.dumps({"number": number}), clients.deadline(limit)
                )
            except aws.CallError:
                pass
            else:
                assert output == {"number": number}
                assert number in model.confirmed
            assert time.monotonic() - began < limit + MARGIN_SECONDS
            # A connection that ended while idle is not an attempt.
            assert len(server.requests) - sent_before <= 2 * aws.ATTEMPTS
        client._connections.close()
