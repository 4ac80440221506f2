"""A minimal HTTP client: one request, one answer."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Answer:
    """An HTTP response, whatever its status."""

    status: int
    headers: Any  # an email.message.Message: a case-insensitive mapping
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class _KeepRedirects(urllib.request.HTTPRedirectHandler):
    """Returns a redirect like any other answer instead of following it."""

    def redirect_request(self, *_: Any) -> None:
        return None


def send(
    url: str,
    body: bytes | None = None,
    *,
    method: str = "POST",
    headers: Mapping[str, str] = JSON,
    tls: ssl.SSLContext | None = None,
    timeout: float = 30,
) -> Answer:
    """Sends a request without a proxy, and without following redirects.

    Raises:
        OSError: There is no answer, within ``timeout`` seconds or at all.
    """
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=tls), _KeepRedirects()
    )
    request = urllib.request.Request(url, body, dict(headers), method=method)
    try:
        with opener.open(request, timeout=timeout) as response:
            return Answer(response.status, response.headers, response.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.headers, error.read())
