"""HTTP/1.1 over persistent connections, one per thread; every answer is complete or an error.

An idle connection may end without costing an order: the service closes or resets it, or it is gone
silently, after a freeze of the execution environment or behind a VPC endpoint or NAT gateway. So a
connection is reused only for a while, and not if there is anything to read from it. If it still
ends before the first byte of the answer, the request is sent over a new one.
"""

import contextlib
import io
import os
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import urlsplit

from shared import answers, settings

CONNECT_SECONDS = 1.0  # per address; all addresses of a name share CONNECT_BUDGET_SECONDS
CONNECT_BUDGET_SECONDS = 1.5
MIN_CONNECT_SECONDS = 0.05  # per address, even once the budget is spent
# Shorter than every hop keeps a connection: VPC endpoints and NAT gateways drop it after 350 s
# ("AWS PrivateLink quotas"), services close it sooner.
MAX_IDLE_SECONDS = 20.0

Answer: TypeAlias = answers.Answer


class ExchangeError(Exception):
    """There is no valid answer; ``reason`` says why, in one word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def request_head(lines: list[str]) -> bytes:
    """Returns request line and headers as bytes, the empty line after them included.

    Raises:
        ExchangeError: A line contains other than printable ASCII, such as a line break that would
            make two of it.
    """
    text = "".join(lines)
    if not (text.isascii() and text.isprintable()):
        raise ExchangeError("MalformedHeader")
    return "\r\n".join([*lines, "\r\n"]).encode()


class _Connection(NamedTuple):
    socket: socket.socket
    address: Any


class Connections:
    """Exchanges requests and answers with one endpoint."""

    def __init__(self, url: str, read_timeout_seconds: float) -> None:
        """``url`` is http or https; all requests go to its path."""
        parts = urlsplit(url)
        self._is_tls = parts.scheme == "https"
        self._name = parts.hostname or ""
        self._port = parts.port or (443 if self._is_tls else 80)
        self.host = parts.netloc.rpartition("@")[2]  # for the header, which is signed
        if self._port == (443 if self._is_tls else 80):
            self.host = self.host.removesuffix(f":{self._port}")
        self.path = parts.path or "/"
        self._read_timeout_seconds = read_timeout_seconds
        self._own = threading.local()
        self._failed_at: dict[Any, float] = {}  # by address, until it works again
        if self._is_tls:
            tls_context()  # during the start, when CPU is plentiful

    def exchange(self, head: bytes, body: bytes, remaining: Callable[[], float]) -> Answer:
        """Sends a request and reads its answer.

        Args:
            head: As ``request_head`` returns it.
            body: As long as the head says.
            remaining: Returns the seconds left for the answer.

        Raises:
            ExchangeError: No complete answer arrived.
        """
        request = head + body
        if connection := self._kept():
            with contextlib.suppress(_EndedWhileIdleError):
                return self._exchange(connection, request, remaining, is_kept=True)
        return self._exchange(self._connect(remaining), request, remaining)

    def close(self) -> None:
        """Closes this thread's connection."""
        if kept := getattr(self._own, "kept", None):
            kept[0].socket.close()
        self._own.kept = None

    def _exchange(
        self,
        connection: _Connection,
        request: bytes,
        remaining: Callable[[], float],
        *,
        is_kept: bool = False,
    ) -> Answer:
        """Exchanges over a connection, which is kept if another request may follow."""
        until = time.monotonic() + min(self._read_timeout_seconds, remaining())
        stream = _Stream(connection.socket, until)
        source: io.BufferedReader = io.BufferedReader(stream)
        try:
            stream.send(request)
            answer = answers.read(source)
        except (OSError, ValueError) as error:
            connection.socket.close()
            has_ended = isinstance(error, ConnectionError | ssl.SSLError)
            if is_kept and has_ended and not stream.has_begun:
                raise _EndedWhileIdleError from None
            if isinstance(error, TimeoutError):
                self._failed_at[connection.address] = time.monotonic()
            raise ExchangeError(_reason(error)) from None
        if answer.is_last or stream.has_more(source):
            connection.socket.close()
        else:
            self._own.kept = (connection, time.monotonic(), time.time())
        return answer

    def _kept(self) -> _Connection | None:
        """Returns this thread's connection if it is probably alive."""
        kept: tuple[_Connection, float, float] | None = getattr(self._own, "kept", None)
        if kept is None:
            return None
        connection, monotonic, wall = kept
        # Either clock may stop while the environment is frozen or restored.
        idle = max(time.monotonic() - monotonic, time.time() - wall)
        if idle > MAX_IDLE_SECONDS or _is_readable(connection.socket):
            self.close()
            return None
        self._own.kept = None
        return connection

    def _connect(self, remaining: Callable[[], float]) -> _Connection:
        """Connects to the first address that answers; those that failed recently come last."""
        until = time.monotonic() + min(CONNECT_BUDGET_SECONDS, remaining())
        try:
            found = socket.getaddrinfo(self._name, self._port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise ExchangeError("UnknownHost") from None
        found.sort(key=lambda info: self._failed_at.get(info[4], 0.0))
        error: Exception = TimeoutError()
        for index, info in enumerate(found):
            share = (until - time.monotonic()) / (len(found) - index)
            seconds = min(max(share, MIN_CONNECT_SECONDS), CONNECT_SECONDS, remaining())
            if seconds <= 0:
                break
            try:
                connection = self._connection(info, seconds, remaining)
            except (OSError, ValueError) as failure:
                self._failed_at[info[4]] = time.monotonic()
                error = failure
            else:
                self._failed_at.pop(info[4], None)
                return connection
        raise ExchangeError(_reason(error, "Connect")) from None

    def _connection(self, info: Any, seconds: float, remaining: Callable[[], float]) -> _Connection:
        """Connects to one address, as getaddrinfo returns it."""
        family, kind, protocol, _, address = info
        connection = socket.socket(family, kind, protocol)
        try:
            connection.settimeout(seconds)
            connection.connect(address)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._is_tls:
                seconds = min(self._read_timeout_seconds, remaining())
                connection.settimeout(max(0.001, seconds))
                connection = tls_context().wrap_socket(connection, server_hostname=self._name)
        except BaseException:
            connection.close()
            raise
        return _Connection(connection, address)


class _EndedWhileIdleError(Exception):
    """The connection was closed or reset before the first byte of the answer."""


class _Stream(io.RawIOBase):
    """An exchange on a connection that ends by a given time, however slowly bytes trickle in."""

    def __init__(self, connection: socket.socket, until: float) -> None:
        self._connection = connection
        self._until = until
        self.has_begun = False  # a byte of the answer has arrived
        self.is_over = False

    def send(self, request: bytes) -> None:
        self._connection.settimeout(self._seconds_left())
        self._connection.sendall(request)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self.is_over:
            return 0
        self._connection.settimeout(self._seconds_left())
        count = self._connection.recv_into(buffer)
        self.has_begun = self.has_begun or count > 0
        return count

    def has_more(self, source: io.BufferedReader) -> bool:
        """Returns whether unrequested bytes follow the answer."""
        self.is_over = True
        connection = self._connection
        return bool(source.peek(1)) or (
            isinstance(connection, ssl.SSLSocket) and connection.pending() > 0
        )

    def _seconds_left(self) -> float:
        seconds = self._until - time.monotonic()
        if seconds <= 0:
            raise TimeoutError
        return seconds


def _is_readable(connection: socket.socket) -> bool:
    """Returns whether an idle connection has ended or received unrequested bytes."""
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))


def _reason(error: Exception, moment: str = "Read") -> str:
    if isinstance(error, TimeoutError):
        return f"{moment}Timeout"
    return type(error).__name__


@cache
def tls_context() -> ssl.SSLContext:
    """Returns the context: TLS 1.2 or newer, with the roots of AWS_CA_BUNDLE or of the system."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks certificate and host name
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if bundle := os.environ.get("AWS_CA_BUNDLE"):
        try:
            context.load_verify_locations(bundle)
        except OSError:
            raise settings.SettingsError(
                f"AWS_CA_BUNDLE must be a file of PEM certificates. Got {bundle!r}."
            ) from None
    else:
        context.load_default_certs()
    return context
