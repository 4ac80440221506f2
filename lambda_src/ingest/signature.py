"""Signed requests: who sends, by an HMAC of time and body under a secret that client and we share.

The header has the form of Stripe's, with the key's id added:

    X-Signature: t=1800000000,kid=shop,v1=5257a869e7…

``t`` is the time of signing in seconds since the epoch; ``v1`` is the HMAC-SHA-256, in hexadecimal,
of ``t``, a full stop and the body as it is sent. docs/decisions/signed-requests.md has the reasons.

Unknown key id, wrong signature and old timestamp get the same answer, and take the same work.
"""

import base64
import hmac
import os
import re
import time
from typing import Any

from ingest.keyring import KEY_ID, Keyring, Secrets
from shared import aws, settings

# Enough for Secrets Manager, which answers in tens of milliseconds, and short enough for botocore,
# which starts no attempt that could outlast REFRESH_SECONDS of the keyring.
MAX_READ_SECONDS = 1.5

_FORM = re.compile(rf"t=([0-9]{{1,12}}),kid=({KEY_ID}),v1=([0-9A-Fa-f]{{64}})")
_NOBODYS = os.urandom(32)  # takes the place of secrets that a key id does not have


class Verifier:
    def __init__(self, keyring: Keyring, header: str, tolerance_seconds: int) -> None:
        self.challenge = f'HMAC-SHA256 header="{header}"'  # for WWW-Authenticate (RFC 9110, 11.6.1)
        self._keyring = keyring
        self._header = header.lower()
        self._tolerance_seconds = tolerance_seconds

    @classmethod
    def from_environment(cls, region: str, read_timeout_seconds: float) -> "Verifier":
        """Raises SettingsError if a variable is missing or invalid."""
        client = aws.client("secretsmanager", region, min(read_timeout_seconds, MAX_READ_SECONDS))
        return cls(
            Keyring(client, settings.text("SIGNATURE_SECRET_ARN")),
            settings.text("SIGNATURE_HEADER"),
            settings.whole_number("SIGNATURE_TOLERANCE_SECONDS", above=0),
        )

    def key_id(
        self, request: dict[str, Any], headers: dict[str, list[str]], deadline: aws.Deadline
    ) -> str | None:
        """Returns the id of the key with which a request is signed now, None if it is not.

        Args:
            request: The load balancer's event.
            headers: Its headers by their names in lower case.
            deadline: By when ingest must have answered.

        Raises:
            CallError: There is no secret to compare with.
        """
        given = headers.get(self._header, [])
        match = _FORM.fullmatch(given[0].strip()) if len(given) == 1 else None
        body = _raw_body(request)
        if match is None or body is None:
            return None
        stamp, key_id, digest = match[1], match[2], bytes.fromhex(match[3])
        signed = b"%b.%b" % (stamp.encode(), body)
        secrets = self._keyring.secrets(deadline)
        is_now = abs(time.time() - int(stamp)) <= self._tolerance_seconds
        is_genuine = _matches(secrets, key_id, signed, digest)
        if is_now and not is_genuine and (newer := self._keyring.newer_secrets(deadline)):
            is_genuine = _matches(newer, key_id, signed, digest)
        return key_id if is_now and is_genuine else None


def _matches(secrets: Secrets, key_id: str, signed: bytes, digest: bytes) -> bool:
    """Compares with as many secrets for each key id, known or not."""
    held = secrets.by_key_id.get(key_id, ())
    compared = held + (_NOBODYS,) * (secrets.most - len(held))
    matches = [
        hmac.compare_digest(hmac.digest(secret, signed, "sha256"), digest) for secret in compared
    ]
    return any(matches[: len(held)])


def _raw_body(request: dict[str, Any]) -> bytes | None:
    """Returns the body as it was sent, None if the event does not tell."""
    body = request.get("body") or ""
    try:
        if request.get("isBase64Encoded"):
            return base64.b64decode(body, validate=True)
        return body.encode()
    except (ValueError, TypeError, AttributeError):
        return None
