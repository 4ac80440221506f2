"""AWS Signature Version 4 for a POST without a query, its body in one piece.

See "Create a signed AWS API request", IAM User Guide. All given headers are signed.
"""

import hmac
import os
from hashlib import sha256
from urllib.parse import quote

from shared.credentials import Credentials

_TRACE_CHARACTERS = "-=;:+&[]{}\"',"  # not escaped by the SDKs in X-Amzn-Trace-Id


class Signer:
    """Signs the requests to one service in one region."""

    def __init__(self, service: str, region: str) -> None:
        self._scope = f"{region}/{service}/aws4_request"
        self._key: tuple[tuple[str, str], bytes] = (("", ""), b"")

    def authorization(
        self, path: str, headers: dict[str, str], body: bytes, credentials: Credentials
    ) -> str:
        """Returns the value of the Authorization header.

        Args:
            path: Path of the URL, percent-encoded as it is sent.
            headers: By lower-case name, including host and x-amz-date (YYYYMMDD'T'HHMMSS'Z').
            body: Body of the request.
            credentials: Whose signature it is.
        """
        names = sorted(headers)
        lines = [f"{name}:{' '.join(headers[name].split())}\n" for name in names]
        signed_names = ";".join(names)
        canonical_request = (
            f"POST\n{quote(path, safe='/~')}\n\n{''.join(lines)}\n{signed_names}\n"
            f"{sha256(body).hexdigest()}"
        )
        timestamp = headers["x-amz-date"]
        day = timestamp[:8]
        text = (
            f"AWS4-HMAC-SHA256\n{timestamp}\n{day}/{self._scope}\n"
            f"{sha256(canonical_request.encode()).hexdigest()}"
        )
        key = self._signing_key(credentials.secret_key, day)
        return (
            f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{day}/{self._scope}, "
            f"SignedHeaders={signed_names}, "
            f"Signature={hmac.digest(key, text.encode(), 'sha256').hex()}"
        )

    def _signing_key(self, secret_key: str, day: str) -> bytes:
        """Returns the key, derived once a day; if two threads derive it, the result is the same."""
        cached_for, key = self._key
        if cached_for != (secret_key, day):
            key = f"AWS4{secret_key}".encode()
            for part in (day, *self._scope.split("/")):
                key = hmac.digest(key, part.encode(), "sha256")
            self._key = ((secret_key, day), key)
        return key


def trace_header() -> str:
    """Returns the X-Amzn-Trace-Id that SDKs send within Lambda, unsigned; "" elsewhere.

    X-Ray joins traces by it, and Lambda's recursive loop detection counts hops in it.
    """
    trace = os.environ.get("_X_AMZN_TRACE_ID")
    if not trace or "AWS_LAMBDA_FUNCTION_NAME" not in os.environ:
        return ""
    return quote(trace, safe=_TRACE_CHARACTERS)
