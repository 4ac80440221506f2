"""HTTP/1.1 over connections that are kept, one for each thread, and no answer that is not whole.

What ends a connection while it is idle must not cost an order: a service closes or resets it, and
after a freeze of the execution environment, or behind a VPC endpoint or NAT gateway, it may be gone
without a word. So a connection is used again only for a while, and not if there is anything to be
read from it; if it ends all the same before a byte of the answer, the request goes over a new one.
"""

import contextlib
import io
import os
import select
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable
from functools import cache
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from shared import answers

CONNECT_SECONDS = 1.0  # for an address; all of a name's share CONNECT_BUDGET_SECONDS
CONNECT_BUDGET_SECONDS = 1.5
# Within what keeps a connection at every hop: VPC endpoints and NAT gateways forget it after 350 s
# ("AWS PrivateLink quotas"), services close it earlier.
MAX_IDLE_SECONDS = 20.0

Answer: TypeAlias = answers.Answer


class ExchangeError(Exception):
    """There is no valid answer; ``reason`` says why in one word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Connections:
    """Exchanges requests and answers with one endpoint."""

    def __init__(self, url: str, read_timeout_seconds: float) -> None:
        """``url`` is http or https; its path is where all requests go."""
        parts = urlsplit(url)
        self._is_tls = parts.scheme == "https"
        self._name = parts.hostname or ""
        self._port = parts.port or (443 if self._is_tls else 80)
        self.host = parts.netloc.rpartition("@")[2]  # for the header, and so for the signature
        if self._port == (443 if self._is_tls else 80):
            self.host = self.host.removesuffix(f":{self._port}")
        self.path = parts.path or "/"
        self._read_timeout_seconds = read_timeout_seconds
        self._own = threading.local()
        self._good_address: Any = None
        if self._is_tls:
            tls_context()  # the start is when CPU is not scarce

    def exchange(self, head: bytes, body: bytes, remaining: Callable[[], float]) -> Answer:
        """Sends a request and reads its answer.

        Args:
            head: Request line and headers, the empty line after them included.
            body: As long as the head says.
            remaining: Seconds until the answer must be there.

        Raises:
            ExchangeError: No whole answer has come, or none that matches its checksum.
        """
        request = head + body
        if connection := self._kept():
            with contextlib.suppress(_EndedWhileIdleError):
                return self._exchange(connection, request, remaining, is_kept=True)
        return self._exchange(self._connect(remaining), request, remaining)

    def _exchange(
        self,
        connection: socket.socket,
        request: bytes,
        remaining: Callable[[], float],
        *,
        is_kept: bool = False,
    ) -> Answer:
        """On one connection, which is kept if another request may follow."""
        until = time.monotonic() + min(self._read_timeout_seconds, remaining())
        source = _Source(connection, until)
        try:
            connection.settimeout(source.seconds_left())
            connection.sendall(request)
            answer = answers.read(io.BufferedReader(source))
        except (OSError, ValueError) as error:
            connection.close()
            if (
                is_kept
                and not source.has_begun
                and isinstance(error, ConnectionError | ssl.SSLEOFError)
            ):
                raise _EndedWhileIdleError from None
            raise ExchangeError(_reason(error)) from None
        if answer.is_last:
            connection.close()
        else:
            self._own.kept = (connection, time.monotonic(), time.time())
        checksum = answer.headers.get("x-amz-crc32")
        if checksum is not None and checksum != str(zlib.crc32(answer.body)):
            raise ExchangeError("ChecksumMismatch")
        return answer

    def _kept(self) -> socket.socket | None:
        """This thread's connection, if there is reason to believe that it is alive."""
        connection, monotonic, wall = getattr(self._own, "kept", None) or (None, 0.0, 0.0)
        self._own.kept = None
        if connection is None:
            return None
        # Either clock may stand still while the environment is frozen or restored.
        idle = max(time.monotonic() - monotonic, time.time() - wall)
        if idle > MAX_IDLE_SECONDS or _is_readable(connection):
            connection.close()
            return None
        return connection  # type: ignore[no-any-return]

    def _connect(self, remaining: Callable[[], float]) -> socket.socket:
        """To the first address that answers, the one that was good last time before the others."""
        until = time.monotonic() + min(CONNECT_BUDGET_SECONDS, remaining())
        error: Exception = TimeoutError()
        try:
            found = socket.getaddrinfo(self._name, self._port, type=socket.SOCK_STREAM)
        except OSError:
            raise ExchangeError("UnknownHost") from None
        found.sort(key=lambda info: info[4] != self._good_address)
        for index, (family, kind, protocol, _, address) in enumerate(found):
            share = (until - time.monotonic()) / (len(found) - index)
            connection = socket.socket(family, kind, protocol)
            try:
                connection.settimeout(max(0.001, min(CONNECT_SECONDS, share)))
                connection.connect(address)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection.settimeout(max(0.001, min(self._read_timeout_seconds, remaining())))
                if self._is_tls:
                    connection = tls_context().wrap_socket(connection, server_hostname=self._name)
            except (OSError, ValueError) as failure:
                connection.close()
                error = failure
            else:
                self._good_address = address
                return connection
        raise ExchangeError(_reason(error, "Connect")) from None


class _EndedWhileIdleError(Exception):
    """The connection was closed or reset before a byte of the answer."""


class _Source(io.RawIOBase):
    """What an answer is read from: a connection, until a moment, however slowly it trickles."""

    def __init__(self, connection: socket.socket, until: float) -> None:
        self._connection = connection
        self._until = until
        self.has_begun = False  # something of the answer has come

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._connection.settimeout(self.seconds_left())
        count = self._connection.recv_into(buffer)
        self.has_begun = self.has_begun or count > 0
        return count

    def seconds_left(self) -> float:
        return max(0.001, self._until - time.monotonic())


def _is_readable(connection: socket.socket) -> bool:
    """Whether it has ended, or something has come that nobody has asked for."""
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))


def _reason(error: Exception, moment: str = "Read") -> str:
    if isinstance(error, TimeoutError):
        return f"{moment}Timeout"
    return type(error).__name__


@cache
def tls_context() -> ssl.SSLContext:
    """TLS 1.2 or newer, verified by AWS_CA_BUNDLE if it is set, or else by the system's roots."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks certificate and host name
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if bundle := os.environ.get("AWS_CA_BUNDLE"):
        context.load_verify_locations(bundle)
    else:
        context.load_default_certs()
    return context
