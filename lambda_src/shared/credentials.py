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

from shared.connections import Connections, ExchangeError

EARLY_SECONDS = 300  # before they expire, new ones are fetched
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


def current(remaining: Callable[[], float]) -> Credentials:
    """The credentials to sign with now.

    Args:
        remaining: Seconds within which they must be there.

    Raises:
        ExchangeError: They cannot be had; the reason says why.
    """
    environment = os.environ
    if access_key := environment.get("AWS_ACCESS_KEY_ID"):
        secret_key = environment.get("AWS_SECRET_ACCESS_KEY", "")
        return Credentials(access_key, secret_key, environment.get("AWS_SESSION_TOKEN", ""))
    global _fetched  # noqa: PLW0603 - one function, one role
    with _lock:
        if _fetched is None or _fetched.expires_at - time.time() < EARLY_SECONDS:
            try:
                _fetched = _fetch(remaining)
            except ExchangeError:
                # What is about to expire is good until it does.
                if _fetched is None or _fetched.expires_at <= time.time():
                    raise
        return _fetched


def renew(refused: Credentials) -> bool:
    """Forgets credentials that AWS has refused; whether there may be others."""
    global _fetched  # noqa: PLW0603 - as above
    if "AWS_ACCESS_KEY_ID" in os.environ:
        return False
    with _lock:
        if _fetched == refused:
            _fetched = None
    return True


def _fetch(remaining: Callable[[], float]) -> Credentials:
    url = os.environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI", "")
    if path := os.environ.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", ""):
        url = f"http://{CONTAINER_HOST}{path}"
    if not url:
        raise ExchangeError("NoCredentials")
    parts = urlsplit(url)
    if parts.scheme != "https" and not _is_allowed(parts.hostname or ""):
        raise ExchangeError("CredentialsHostNotAllowed")
    connections = Connections(url, FETCH_SECONDS)
    target = f"{connections.path}?{parts.query}" if parts.query else connections.path
    lines = [f"GET {target} HTTP/1.1", f"host: {connections.host}", "accept: application/json"]
    if token := _authorization():
        lines.append(f"authorization: {token}")
    head = "\r\n".join([*lines, "connection: close", "\r\n"]).encode("latin-1")
    for attempt in range(1, FETCHES + 1):
        try:
            answer = connections.exchange(head, b"", remaining)
            if answer.status != 200:
                raise ExchangeError("CredentialsRefused")
            return _read(answer.body)
        except ExchangeError:
            if attempt == FETCHES or remaining() < FETCH_SECONDS:
                raise
    raise AssertionError


def _authorization() -> str:
    if path := os.environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"):
        with open(path) as file:  # noqa: PTH123 - pathlib would make every start longer
            token = file.read()
    else:
        token = os.environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", "")
    if "\r" in token or "\n" in token:
        raise ExchangeError("CredentialsTokenMalformed")
    return token


def _is_allowed(host: str) -> bool:
    """As SDKs do: what is not encrypted goes to this machine, or to the known addresses."""
    import ipaddress  # noqa: PLC0415 - most functions never come here

    try:
        return host in _ALLOWED_HOSTS or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _read(body: bytes) -> Credentials:
    from calendar import timegm  # noqa: PLC0415 - most functions never come here

    try:
        found = json.loads(body)
        # ISO 8601 in UTC, with or without fractions of a second: "2030-01-01T00:00:00Z"
        expiration = time.strptime(found["Expiration"][:19], "%Y-%m-%dT%H:%M:%S")
        return Credentials(
            found["AccessKeyId"],
            found["SecretAccessKey"],
            found["Token"],
            timegm(expiration),
        )
    except (ValueError, KeyError, TypeError):
        raise ExchangeError("CredentialsMalformed") from None
