"""Reads an HTTP/1.1 answer completely or not at all: the part of RFC 9112 that AWS clients need.

http.client parses headers as those of an e-mail, which takes a quarter of a call's CPU. A malformed
answer is rejected here, never interpreted.
"""

import io
import re
from typing import NamedTuple

MAX_LINE_BYTES = 64 * 1024
MAX_HEADERS = 100
_PIECE_BYTES = 64 * 1024

_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: .*)?")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):(.*)")
_LENGTH = re.compile(r"[0-9]{1,18}")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?")


class MalformedAnswerError(ValueError):
    """The answer is not HTTP/1.1."""


class IncompleteAnswerError(ValueError):
    """The connection ended before the answer did."""


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]  # by names in lower case
    body: bytes
    is_last: bool = False  # no other answer follows on this connection

    @property
    def request_id(self) -> str:
        return self.headers.get("x-amzn-requestid", "")


def read(source: io.BufferedReader) -> Answer:
    """Reads an answer, and nothing after it.

    Raises:
        ConnectionResetError: The connection ended before the first byte.
        MalformedAnswerError: The answer is not HTTP/1.1.
        IncompleteAnswerError: The connection ended before the answer did.
        OSError: Reading from the source failed.
    """
    is_http_1_0, status = _status(source)
    headers = _headers(source)
    while 100 <= status < 200:  # interim, the final answer follows
        is_http_1_0, status = _status(source)
        headers = _headers(source)
    is_last = is_http_1_0 or "close" in headers.get("connection", "").lower()
    coding = headers.get("transfer-encoding")
    length = headers.get("content-length")
    if status in (204, 304):
        body = b""
    elif coding is not None:
        # With a length as well, two readers could see two different answers.
        if coding.lower() != "chunked" or length is not None:
            raise MalformedAnswerError
        body = _chunks(source)
    elif length is not None:
        if not _LENGTH.fullmatch(length):
            raise MalformedAnswerError
        body = _exactly(source, int(length))
    else:
        body = source.read()
        is_last = True
    return Answer(status, headers, body, is_last)


def _status(source: io.BufferedReader) -> tuple[bool, int]:
    """Reads the status line; returns whether it is HTTP/1.0, and the status."""
    if not source.peek(1):
        raise ConnectionResetError
    match = _STATUS_LINE.fullmatch(_line(source))
    if not match:
        raise MalformedAnswerError
    return match[1] == b"0", int(match[2])


def _line(source: io.BufferedReader) -> bytes:
    line = source.readline(MAX_LINE_BYTES)
    if line.endswith(b"\n"):
        return line[:-1].removesuffix(b"\r")
    raise MalformedAnswerError if len(line) == MAX_LINE_BYTES else IncompleteAnswerError


def _headers(source: io.BufferedReader) -> dict[str, str]:
    headers: dict[str, str] = {}
    for _ in range(MAX_HEADERS + 1):
        line = _line(source)
        if not line:
            return headers
        match = _HEADER.fullmatch(line)
        if not match:
            raise MalformedAnswerError
        name, value = match[1].decode().lower(), match[2].decode("latin-1").strip()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    raise MalformedAnswerError


def _chunks(source: io.BufferedReader) -> bytes:
    chunks: list[bytes] = []
    while True:
        match = _CHUNK_SIZE.fullmatch(_line(source))
        if not match:
            raise MalformedAnswerError
        size = int(match[1], 16)
        if not size:
            _headers(source)  # trailers
            return b"".join(chunks)
        chunks.append(_exactly(source, size))
        if _line(source):
            raise MalformedAnswerError


def _exactly(source: io.BufferedReader, size: int) -> bytes:
    """Reads so many bytes, in pieces, so that a false size costs no memory."""
    pieces = []
    while size:
        piece = source.read1(min(size, _PIECE_BYTES))
        if not piece:
            raise IncompleteAnswerError
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)
