"""Between the functions and AWS: microburst, which fails their calls on the wire.

TLS on both sides, and signatures stay valid: what a function signs is the proxy's address, which
the proxy passes on as Host. So IAM is enforced as without it.
"""

import asyncio
import contextlib
import logging
import ssl
import threading
from collections.abc import Iterator
from typing import Any, Self

import aiohttp
from aiohttp import web
from microburst.app import make_app
from microburst.core.pipeline import Microburst
from microburst.forward import Upstream

from local.certificates import certificate_in
from local.emulator import HOST, Emulator

MAX_FIRED = 1_000_000
PATIENCE_SECONDS = 30  # to start, and to end: answers may still be held back


class Proxy:
    """Runs in a thread of this process while it is used as a context manager."""

    def __init__(self, emulator: Emulator) -> None:
        certificate = certificate_in(emulator.data_dir)
        trust = ssl.create_default_context(cafile=certificate.authority)
        self._identity = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._identity.load_cert_chain(certificate.certificate, certificate.key)
        self._microburst = Microburst(emulator.endpoint_url, fired_capacity=MAX_FIRED)
        self._microburst.upstream = _Upstream(emulator.endpoint_url, trust)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self.url = ""

    def __enter__(self) -> Self:
        self._thread.start()
        self.url = f"https://{HOST}:{self._run(self._start())}"
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._runner.cleanup())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    @contextlib.contextmanager
    def rules(self, *rules: dict[str, Any]) -> Iterator[None]:
        """Calls fail as microburst's rules say; the first one that matches a call counts."""
        self._microburst.engine.set_rules(list(rules))
        try:
            yield
        finally:
            self._microburst.engine.set_rules([])

    def fired(self) -> list[float]:
        """When each fault was injected, in seconds since the epoch."""
        return [event.ts for event in list(self._microburst.fired)]

    def _run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(PATIENCE_SECONDS)

    async def _start(self) -> int:
        # A client that gives up is what this is for, and no reason to write a traceback.
        logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
        self._runner = web.AppRunner(make_app(self._microburst), access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, 0, ssl_context=self._identity)
        await site.start()
        port: int = self._runner.addresses[0][1]
        return port


class _Upstream(Upstream):  # type: ignore[misc] # microburst is not typed
    """Trusts the emulator's certificate, and leaves alone the Host that a function has signed."""

    def __init__(self, url: str, trust: ssl.SSLContext) -> None:
        super().__init__(url)
        self._trust = trust

    async def start(self) -> None:
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=self._trust), auto_decompress=False
        )

    def _outbound_headers(self, request: web.Request) -> dict[str, str]:
        headers: dict[str, str] = super()._outbound_headers(request)
        return headers | {"host": request.headers["Host"]}
