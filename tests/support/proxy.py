"""A proxy between the functions and AWS: microburst, which fails their calls on the wire.

It speaks TLS on both sides. Signatures stay valid, because functions sign the proxy's address and
the proxy forwards it as Host. So IAM is enforced as usual.
"""

import asyncio
import contextlib
import logging
import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterator
from random import Random
from typing import Any, Self

import aiohttp
from aiohttp import web
from microburst.app import make_app
from microburst.core.pipeline import Microburst
from microburst.forward import Upstream

from local.certificates import certificate_in
from local.emulator import HOST, Emulator
from local.latency import Profile, delay

MAX_FIRED = 1_000_000
PATIENCE_SECONDS = 30  # to start and to stop, while answers may be held back
SWALLOWED_SECONDS = 10  # longer than a function waits at most


class Proxy:
    """Runs in a thread of this process while used as a context manager."""

    def __init__(self, emulator: Emulator) -> None:
        certificate = certificate_in(emulator.data_dir)
        trust = ssl.create_default_context(cafile=certificate.authority)
        self._identity = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._identity.load_cert_chain(certificate.certificate, certificate.key)
        self._microburst = _Pipeline(emulator.endpoint_url, fired_capacity=MAX_FIRED)
        self._upstream = _Upstream(emulator.endpoint_url, trust)
        self._microburst.upstream = self._upstream
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self.url = ""

    def __enter__(self) -> Self:
        self._thread.start()
        self.url = f"https://{HOST}:{self._run(self._start())}"
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._run(self._runner.cleanup())
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(PATIENCE_SECONDS)

    @contextlib.contextmanager
    def rules(self, *rules: dict[str, Any]) -> Iterator[None]:
        """Fails calls by microburst's rules; the first rule that matches a call applies."""
        self._microburst.engine.set_rules(list(rules))
        try:
            yield
        finally:
            self._microburst.engine.set_rules([])

    @contextlib.contextmanager
    def slowed(self, profile: Profile) -> Iterator[None]:
        """Delays forwarded calls by the latencies of a profile."""
        self._upstream.profile, self._upstream.slowed = profile, []
        try:
            yield
        finally:
            self._upstream.profile = {}

    @property
    def slowed_calls(self) -> list[tuple[str, float]]:
        """The calls delayed by the latest `slowed`: X-Amz-Target, and seconds with the delay."""
        return list(self._upstream.slowed)

    def cut(self, how: str) -> int:
        """Ends every connection that a function keeps open. Returns how many.

        Args:
            how: "closed" or "reset", which the function can notice; or "swallowed": the connection
                takes requests, and never answers.
        """
        return self._run(self._microburst.cut(how))  # type: ignore[no-any-return]

    def fired(self) -> list[float]:
        """Returns when each fault was injected, in seconds since the epoch."""
        fired = [event.ts for event in list(self._microburst.fired)]
        return fired + list(self._microburst.swallowed)

    def _run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(PATIENCE_SECONDS)

    async def _start(self) -> int:
        # Clients that give up are expected here, and not worth a traceback.
        logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
        self._runner = web.AppRunner(make_app(self._microburst), access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, 0, ssl_context=self._identity)
        await site.start()
        port: int = self._runner.addresses[0][1]
        return port


class _Pipeline(Microburst):  # type: ignore[misc] # microburst is not typed
    """Keeps track of the connections on which requests have arrived, and can end them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._open: set[asyncio.Transport] = set()
        self._dead: set[asyncio.Transport] = set()
        self.swallowed: list[float] = []  # seconds since the epoch

    async def handle_proxy(self, request: web.Request) -> web.StreamResponse:
        transport = request.transport
        assert transport is not None
        if transport in self._dead:
            self.swallowed.append(time.time())
            await asyncio.sleep(SWALLOWED_SECONDS)
            transport.abort()
            return web.Response()  # to nobody
        self._open.add(transport)
        response: web.StreamResponse = await super().handle_proxy(request)
        return response

    async def cut(self, how: str) -> int:
        alive = {transport for transport in self._open if not transport.is_closing()}
        self._open.clear()
        for transport in alive:
            if how == "swallowed":
                self._dead.add(transport)
            elif how == "closed":
                transport.close()
            else:
                linger = struct.pack("ii", 1, 0)  # zero seconds: closing sends a reset
                connection = transport.get_extra_info("socket")
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                transport.abort()
        return len(alive)


class _Upstream(Upstream):  # type: ignore[misc] # microburst is not typed
    """Trusts the emulator's certificate, and keeps the Host that a function has signed."""

    def __init__(self, url: str, trust: ssl.SSLContext) -> None:
        super().__init__(url)
        self._trust = trust
        self._random = Random()
        self.profile: Profile = {}
        self.slowed: list[tuple[str, float]] = []

    async def start(self) -> None:
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=self._trust), auto_decompress=False
        )

    async def relay(self, request: web.Request, *args: Any, **kwargs: Any) -> web.StreamResponse:
        target = request.headers.get("X-Amz-Target", "")
        began, seconds = time.monotonic(), delay(self.profile, target, self._random)
        await asyncio.sleep(seconds)
        response: web.StreamResponse = await super().relay(request, *args, **kwargs)
        if seconds:
            self.slowed.append((target, time.monotonic() - began))
        return response

    def _outbound_headers(self, request: web.Request) -> dict[str, str]:
        headers: dict[str, str] = super()._outbound_headers(request)
        return headers | {"host": request.headers["Host"]}
