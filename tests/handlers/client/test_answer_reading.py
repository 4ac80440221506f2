"""Answers are read as http.client reads them, and ambiguous ones are refused."""

import http.client
import io
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import answers

NAMES = st.text("abcXYZ-0123_", min_size=1, max_size=12).map(lambda name: f"x-{name}")
# Not even http.client takes an empty line's characters, or a value that begins with a space.
VALUES = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_characters="\x7f\x85\xa0"),
    max_size=30,
)
HEADERS = st.dictionaries(NAMES.map(str.lower), VALUES, max_size=8)
BODIES = st.binary(max_size=300)
EXTENSIONS = st.sampled_from([b"", b";a=b", b" ; a"])


def head(headers: Iterable[tuple[str, str]], status: int = 200, version: str = "1.1") -> bytes:
    lines = [f"HTTP/{version} {status} any", *[f"{name}: {value}" for name, value in headers], ""]
    return "\r\n".join([*lines, ""]).encode("latin-1")


@st.composite
def heads_and_bodies(draw: st.DrawFn) -> tuple[bytes, bool]:
    """An answer, and whether it states where it ends."""
    headers = draw(HEADERS)
    body = draw(BODIES)
    way = draw(st.sampled_from(["length", "chunks", "end"]))
    if way == "length":
        headers["Content-Length"] = str(len(body))
    if way == "chunks":
        headers["Transfer-Encoding"] = draw(st.sampled_from(["chunked", "Chunked"]))
        cuts = sorted({0, len(body), *draw(st.lists(st.integers(0, len(body)), max_size=4))})
        pieces = [body[a:b] for a, b in pairwise(cuts)]
        extension = draw(EXTENSIONS)
        chunks = [b"%X%s\r\n%s\r\n" % (len(piece), extension, piece) for piece in pieces]
        body = (
            b"".join(chunks) + b"0\r\n" + draw(st.sampled_from([b"", b"trailer: x\r\n"])) + b"\r\n"
        )
    if draw(st.booleans()):
        headers["Connection"] = draw(st.sampled_from(["close", "Close", "keep-alive"]))
    status = draw(st.sampled_from([200, 400, 413, 500, 503]))
    version = draw(st.sampled_from(["1.1", "1.0"]) if way != "chunks" else st.just("1.1"))
    start = draw(st.sampled_from([b"", b"HTTP/1.1 100 Continue\r\n\r\n"]))
    return start + head(headers.items(), status, version) + body, way != "end"


class Socket:
    def __init__(self, content: bytes) -> None:
        self.content = content

    def makefile(self, _mode: str) -> Any:
        return io.BytesIO(self.content)


@given(heads_and_bodies(), st.binary(max_size=20))
def test_an_answer_is_read_as_by_http_client(answer: tuple[bytes, bool], next_one: bytes) -> None:
    content, ends_itself = answer
    content += next_one if ends_itself else b""
    theirs = http.client.HTTPResponse(Socket(content))  # type: ignore[arg-type]
    theirs.begin()
    source = stream(content)
    ours = answers.read(source)
    assert ours.status == theirs.status
    assert ours.headers == {name.lower(): value for name, value in theirs.headers.items()}
    assert ours.is_last == (theirs.will_close or theirs.version == 10)
    assert ours.body == theirs.read()
    assert source.read() == (next_one if ends_itself else b"")


LENGTH = ("content-length", "2")
CHUNKED = ("transfer-encoding", "chunked")
WHOLE = {
    "length": head([LENGTH]) + b"{}",
    "chunks": head([CHUNKED]) + b"1;a=b\r\n{\r\n1\r\n}\r\n0\r\ntrailer: x\r\n\r\n",
    "interim answer": head([], status=100) + head([LENGTH]) + b"{}",
    "no content": head([], status=204),
}
REFUSED = {
    "no HTTP": b"SSH-2.0-OpenSSH_9.6\r\n",
    "HTTP/2": head([LENGTH], version="2") + b"{}",
    "status of two digits": head([LENGTH], status=20) + b"{}",
    "status of four digits": head([LENGTH], status=2000) + b"{}",
    "two lengths": head([LENGTH, ("content-length", "3")]) + b"{} ",
    "the same length twice": head([LENGTH, LENGTH]) + b"{}",
    "negative length": head([("content-length", "-1")]) + b"{}",
    "length with a sign": head([("content-length", "+2")]) + b"{}",
    "length in other digits": head([("content-length", "\xb2")]) + b"{}",
    "length and chunks": head([LENGTH, CHUNKED]) + b"0\r\n\r\n",
    "gzip": head([("transfer-encoding", "gzip, chunked")]) + b"0\r\n\r\n",
    "folded header": head([("x", "a\r\n b"), LENGTH]) + b"{}",
    "space before the colon": head([("content-length ", "2")]) + b"{}",
    "no name": head([("", "x"), LENGTH]) + b"{}",
    "no colon": b"HTTP/1.1 200 OK\r\nx\r\n\r\n",
    "chunk size with 0x": head([CHUNKED]) + b"0x2\r\n{}\r\n0\r\n\r\n",
    "chunk size with a sign": head([CHUNKED]) + b"+2\r\n{}\r\n0\r\n\r\n",
    "chunk longer than its size": head([CHUNKED]) + b"1\r\n{}\r\n0\r\n\r\n",
    "huge line": head([("x", "x" * answers.MAX_LINE_BYTES), LENGTH]) + b"{}",
    "many headers": head([("x", "x")] * answers.MAX_HEADERS + [LENGTH]) + b"{}",
}


@pytest.mark.parametrize("content", WHOLE.values(), ids=WHOLE)
def test_an_answer_that_is_cut_off_is_incomplete(content: bytes) -> None:
    assert read(content).body in (b"{}", b"")
    with pytest.raises(ConnectionResetError):
        read(b"")
    for cut in range(1, len(content)):
        with pytest.raises((answers.IncompleteAnswerError, ConnectionResetError)):
            read(content[:cut])


@pytest.mark.parametrize("content", REFUSED.values(), ids=REFUSED)
def test_a_malformed_answer_is_refused(content: bytes) -> None:
    with pytest.raises(answers.MalformedAnswerError):
        read(content)


def test_the_maximum_number_of_headers_is_read() -> None:
    answer = read(head([*[("x", "x")] * (answers.MAX_HEADERS - 1), LENGTH]) + b"{}")
    assert answer.body == b"{}"


def read(content: bytes) -> answers.Answer:
    return answers.read(stream(content))


def stream(content: bytes) -> io.BufferedReader:
    return io.BufferedReader(io.BytesIO(content))
