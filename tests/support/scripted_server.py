"""A server on real sockets that does what a test tells it to, however wrong.

    with ScriptedServer() as server:
        server.script = [reset(), answer(body=b"{}")]

Each request gets the next behavior of the script, and ``usual`` after its end.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.client import parse_headers
from typing import IO, Any, Self

from local.certificates import Certificate

LONG_SECONDS = 60.0  # nothing waits this long unless a test has failed


@dataclass
class Request:
    """A request as it arrived."""

    line: str
    headers: Any  # email.message.Message
    body: bytes
    connection: int  # number of the server's connection, from 1


@dataclass
class Exchange:
    """What a behavior gets to work with."""

    socket: socket.socket
    request: Request
    stopped: threading.Event
    is_open: bool = True

    def send(self, content: bytes) -> None:
        with contextlib.suppress(OSError):  # the client may have given up
            self.socket.sendall(content)

    def end(self) -> None:
        """Accepts no more requests on this connection."""
        self.is_open = False


Behavior = Callable[[Exchange], None]


def answer(
    status: int = 200,
    body: bytes = b"{}",
    *,
    headers: Mapping[str, str] | None = None,
    version: str = "HTTP/1.1",
) -> Behavior:
    """Sends a complete answer; ``headers`` replace those of the same name."""
    lines = {"Content-Length": str(len(body)), "x-amzn-RequestId": "request-1"} | dict(
        headers or {}
    )
    head = f"{version} {status} Any\r\n" + "".join(f"{k}: {v}\r\n" for k, v in lines.items())
    return send((head + "\r\n").encode("latin-1") + body)


def error(status: int, code: str, **headers: str) -> Behavior:
    """Sends the error of a JSON service; underscores in names of headers become hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return answer(status, f'{{"__type":"{code}"}}'.encode(), headers=named)


def send(*pieces: bytes) -> Behavior:
    """Sends bytes as they are."""

    def behave(exchange: Exchange) -> None:
        for piece in pieces:
            exchange.send(piece)

    return behave


def send_and_close(content: bytes) -> Behavior:
    def behave(exchange: Exchange) -> None:
        exchange.send(content)
        exchange.end()

    return behave


def close() -> Behavior:
    return send_and_close(b"")


def reset() -> Behavior:
    """Resets the connection."""

    def behave(exchange: Exchange) -> None:
        abort(exchange.socket)
        exchange.end()

    return behave


def silence() -> Behavior:
    """Reads the request, and never answers."""

    def behave(exchange: Exchange) -> None:
        exchange.stopped.wait(LONG_SECONDS)
        exchange.end()

    return behave


def trickle(content: bytes, every_seconds: float = 0.02, start: bytes = b"") -> Behavior:
    """Sends byte by byte, over and over, until the client is gone."""

    def behave(exchange: Exchange) -> None:
        with contextlib.suppress(OSError):
            exchange.socket.sendall(start)
            while not exchange.stopped.wait(every_seconds):
                for index in range(len(content)):
                    exchange.socket.sendall(content[index : index + 1])
                    if exchange.stopped.wait(every_seconds):
                        break
        exchange.end()

    return behave


def flood(content: bytes) -> Behavior:
    """Sends the same over and over, as fast as the client reads it."""

    def behave(exchange: Exchange) -> None:
        with contextlib.suppress(OSError):
            while not exchange.stopped.is_set():
                exchange.socket.sendall(content * 1000)
        exchange.end()

    return behave


def abort(connection: socket.socket) -> None:
    """Makes the connection end with a reset, and wakes up its reader."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        socket.socket.shutdown(connection, socket.SHUT_RD)


def _is_aborted(connection: socket.socket) -> bool:
    return connection.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER) != 0


@dataclass
class ScriptedServer:
    host: str = "127.0.0.1"
    certificate: Certificate | None = None
    tls_version: ssl.TLSVersion | None = None
    script: list[Behavior] = field(default_factory=list)
    usual: Behavior = field(default_factory=answer)
    requests: list[Request] = field(default_factory=list)
    connections: int = 0  # accepted, with a completed TLS handshake if there is TLS
    reads: bool = True  # False: not even requests are read
    reads_slowly: bool = False  # reads some bytes now and then, and never answers

    def __enter__(self) -> Self:
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        self._listener = socket.create_server((self.host, 0), family=family, backlog=64)
        self.port = int(self._listener.getsockname()[1])
        self._context = self._tls() if self.certificate else None
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.drop_connections()
        for thread in self._threads:
            thread.join(LONG_SECONDS)

    @property
    def url(self) -> str:
        return f"{'https' if self.certificate else 'http'}://{self.host}:{self.port}"

    def drop_connections(self, end: Callable[[socket.socket], None] | None = None) -> None:
        """Ends all connections, with ``end`` or as a server that goes down."""
        with self._lock:
            dropped, self._open = self._open, []
        for connection in dropped:
            if end:
                end(connection)
                continue
            with contextlib.suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)

    def _tls(self) -> ssl.SSLContext:
        assert self.certificate
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if self.tls_version:
            context.minimum_version = context.maximum_version = self.tls_version
            context.set_ciphers("ALL:@SECLEVEL=0")  # otherwise OpenSSL itself refuses old versions
        context.load_cert_chain(self.certificate.certificate, self.certificate.key)
        return context

    def _start(self, target: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopped.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        try:
            if self._context:
                connection.settimeout(LONG_SECONDS)
                connection = self._context.wrap_socket(connection, server_side=True)
        except OSError:
            connection.close()
            return
        with self._lock:
            self._open.append(connection)
            self.connections += 1
            number = self.connections
        with contextlib.suppress(OSError, ValueError), connection:
            if not self.reads:
                self._stopped.wait(LONG_SECONDS)
                return
            if self.reads_slowly:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
                while connection.recv(16 * 1024):
                    self._stopped.wait(0.01)
            with connection.makefile("rb") as source:
                for request in _requests(source, number):
                    with self._lock:
                        self.requests.append(request)
                        behave = self.script.pop(0) if self.script else self.usual
                    exchange = Exchange(connection, request, self._stopped)
                    behave(exchange)
                    if not exchange.is_open:
                        break
            if not _is_aborted(connection):
                connection.shutdown(socket.SHUT_RDWR)


def _requests(source: IO[bytes], connection: int) -> Iterator[Request]:
    while line := source.readline():
        headers = parse_headers(source)
        body = source.read(int(headers.get("content-length", "0")))
        yield Request(line.decode("latin-1").strip(), headers, body, connection)
