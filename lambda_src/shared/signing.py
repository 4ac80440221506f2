"""AWS Signature Version 4, for a POST with its body in one piece and no query.

"Create a signed AWS API request", IAM User Guide. What is signed is every header that is given.
"""

import hmac
import os
from hashlib import sha256
from urllib.parse import quote

from shared.credentials import Credentials

_TRACE_CHARACTERS = "-=;:+&[]{}\"',"  # that SDKs leave as they are in X-Amzn-Trace-Id


class Signer:
    """Signs the requests to one service in one region."""

    def __init__(self, service: str, region: str) -> None:
        self._scope = f"{region}/{service}/aws4_request"
        self._key: tuple[tuple[str, str], bytes] = (("", ""), b"")

    def authorization(
        self, path: str, headers: dict[str, str], body: bytes, credentials: Credentials
    ) -> str:
        """The value of the header Authorization.

        Args:
            path: Of the URL, percent-encoded as it is sent.
            headers: By names in lower case, host and x-amz-date (YYYYMMDD'T'HHMMSS'Z') among them.
            body: Of the request.
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
        """Derived once for a day. Threads may derive it twice, to the same end."""
        cached_for, key = self._key
        if cached_for != (secret_key, day):
            key = f"AWS4{secret_key}".encode()
            for part in (day, *self._scope.split("/")):
                key = hmac.digest(key, part.encode(), "sha256")
            self._key = ((secret_key, day), key)
        return key


def trace_header() -> str:
    """What SDKs send in X-Amzn-Trace-Id from within Lambda, not signed; "" elsewhere.

    X-Ray joins the traces by it, and Lambda's recursive loop detection counts in it.
    """
    trace = os.environ.get("_X_AMZN_TRACE_ID")
    if not trace or "AWS_LAMBDA_FUNCTION_NAME" not in os.environ:
        return ""
    return quote(trace, safe=_TRACE_CHARACTERS)
