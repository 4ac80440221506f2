"""The function's credentials: from the environment, or from the endpoint that SnapStart uses.

AWS_CONTAINER_CREDENTIALS_… name an HTTP endpoint whose credentials expire ("Container credential
provider", AWS SDKs and Tools Reference Guide). They are fetched by the first call, not during the
start, so that no snapshot contains them.
"""

import json
import os
import threading
import time
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlsplit

from shared.connections import Connections, ExchangeError, request_head

EARLY_SECONDS = 300  # credentials are refreshed this long before they expire
EARLY_PAUSE_SECONDS = 30  # between attempts to refresh credentials that are still valid
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
    """Returns the credentials to sign with now.

    Args:
        remaining: Returns the seconds left to fetch them.

    Raises:
        ExchangeError: There are none; the reason says why.
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
    """Returns the fetched credentials if they need no refresh yet."""
    fetched = _fetched  # another thread may set it to None
    if fetched is None:
        return None
    now = time.time()
    seconds = fetched.expires_at - now
    is_good = seconds >= EARLY_SECONDS or (seconds > 0 and now < _next_early_fetch)
    return fetched if is_good else None


def renew(refused: Credentials) -> bool:
    """Forgets credentials that AWS rejected; returns whether there may be others."""
    global _fetched, _refused
    if os.environ.get("AWS_ACCESS_KEY_ID"):
        return False
    with _lock:
        if _fetched != refused:  # another thread was faster
            return True
        # Fetched a second time, they are all that the endpoint has.
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
    except (OSError, ValueError):  # an unreadable token, or an invalid URL
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
        with open(path) as file:  # noqa: PTH123 - pathlib would slow down every start
            return file.read()
    return os.environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", "")


def _is_allowed(host: str) -> bool:
    """Returns whether unencrypted requests may go to a host, by the rules of the SDKs."""
    import ipaddress  # noqa: PLC0415 - most functions never get here

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
            raise ValueError("a key is not a string")
        expiration = datetime.fromisoformat(found["Expiration"])
        expiration = expiration if expiration.tzinfo else expiration.replace(tzinfo=UTC)
        return Credentials(keys[0], keys[1], keys[2], expiration.timestamp())
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        raise ExchangeError("CredentialsMalformed") from None
