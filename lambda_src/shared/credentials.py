"""The function's credentials: from the environment, or from the endpoint that SnapStart uses.

"Container credential provider", AWS SDKs and Tools Reference Guide: AWS_CONTAINER_CREDENTIALS_…
name an HTTP endpoint whose credentials expire. They are fetched at the first call, never at the
start, so that no snapshot has them.
"""

import json
import os
import threading
import time
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlsplit

from shared.connections import Connections, ExchangeError, request_head

EARLY_SECONDS = 300  # before they expire, new ones are fetched
EARLY_PAUSE_SECONDS = 30  # between attempts at that; what is there is good for so long
FETCH_SECONDS = 2.0
FETCHES = 3
CONTAINER_HOST = "169.254.170.2"
_ALLOWED_HOSTS = (CONTAINER_HOST, "169.254.170.23", "fd00:ec2::23", "localhost")


class Credentials(NamedTuple):
    access_key: str
    secret_key: str
    token: str = ""
    expires_at: float = float("inf")  # seconds since the epoch


_lock = threading.Lock()
_fetched: Credentials | None = None
_refused: Credentials | None = None
_next_early_fetch = 0.0  # seconds since the epoch


def current(remaining: Callable[[], float]) -> Credentials:
    """The credentials to sign with now.

    Args:
        remaining: Seconds within which they must be there.

    Raises:
        ExchangeError: They cannot be had; the reason says why.
    """
    environment = os.environ
    if access_key := environment.get("AWS_ACCESS_KEY_ID"):
        if secret_key := environment.get("AWS_SECRET_ACCESS_KEY"):
            return Credentials(access_key, secret_key, environment.get("AWS_SESSION_TOKEN", ""))
        raise ExchangeError("NoCredentials")
    if good := _good():
        return good
    global _fetched, _next_early_fetch  # noqa: PLW0603 - one function, one role
    with _lock:
        if good := _good():  # another thread was faster
            return good
        now = time.time()
        valid = _fetched if _fetched and _fetched.expires_at > now else None
        if valid:
            _next_early_fetch = now + EARLY_PAUSE_SECONDS
        try:
            _fetched = _fetch(remaining, fetches=1 if valid else FETCHES)
        except ExchangeError:
            if valid:
                return valid
            raise
        return _fetched


def _good() -> Credentials | None:
    """Those that need not be fetched now."""
    fetched = _fetched  # which another thread may set to None
    if fetched is None:
        return None
    now = time.time()
    seconds = fetched.expires_at - now
    is_good = seconds >= EARLY_SECONDS or (seconds > 0 and now < _next_early_fetch)
    return fetched if is_good else None


def renew(refused: Credentials) -> bool:
    """Forgets credentials that AWS has refused; whether there may be others."""
    global _fetched, _refused
    if os.environ.get("AWS_ACCESS_KEY_ID"):
        return False
    with _lock:
        if _fetched != refused:  # another thread was faster
            return True
        # If they were fetched again, the endpoint has no others yet.
        is_first_time = refused != _refused
        _fetched, _refused = None, refused
        return is_first_time


def _fetch(remaining: Callable[[], float], fetches: int) -> Credentials:
    url = os.environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI", "")
    if path := os.environ.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", ""):
        url = f"http://{CONTAINER_HOST}{path}"
    if not url:
        raise ExchangeError("NoCredentials")
    try:
        parts = urlsplit(url)
        connections = Connections(url, FETCH_SECONDS)
        head = _head(connections, parts.query)
    except (OSError, ValueError):  # a token that cannot be read, or a URL that is none
        raise ExchangeError("CredentialsMisconfigured") from None
    if parts.scheme != "https" and not _is_allowed(parts.hostname or ""):
        raise ExchangeError("CredentialsHostNotAllowed")
    try:
        for attempt in range(1, fetches + 1):
            try:
                answer = connections.exchange(head, b"", remaining)
                if answer.status != 200:
                    raise ExchangeError("CredentialsRefused")
                return _read(answer.body)
            except ExchangeError:
                if attempt == fetches or remaining() < FETCH_SECONDS:
                    raise
    finally:
        connections.close()
    raise AssertionError


def _head(connections: Connections, query: str) -> bytes:
    target = f"{connections.path}?{query}" if query else connections.path
    lines = [f"GET {target} HTTP/1.1", f"host: {connections.host}", "accept: application/json"]
    if token := _authorization():
        lines.append(f"authorization: {token}")
    return request_head([*lines, "connection: close"])


def _authorization() -> str:
    if path := os.environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"):
        with open(path) as file:  # noqa: PTH123 - pathlib would make every start longer
            return file.read()
    return os.environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", "")


def _is_allowed(host: str) -> bool:
    """As SDKs do: what is not encrypted goes to this machine, or to the known addresses."""
    import ipaddress  # noqa: PLC0415 - most functions never come here

    try:
        return host in _ALLOWED_HOSTS or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _read(body: bytes) -> Credentials:
    from datetime import UTC, datetime  # noqa: PLC0415 - as above

    try:
        found = json.loads(body)
        keys = [found[name] for name in ("AccessKeyId", "SecretAccessKey", "Token")]
        if not all(isinstance(key, str) and key for key in keys):
            raise ValueError("a key is no text")
        expiration = datetime.fromisoformat(found["Expiration"])
        expiration = expiration if expiration.tzinfo else expiration.replace(tzinfo=UTC)
        return Credentials(keys[0], keys[1], keys[2], expiration.timestamp())
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        raise ExchangeError("CredentialsMalformed") from None
