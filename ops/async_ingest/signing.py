"""The headers of a request, and its signature where clients sign (docs/clients.md)."""

from __future__ import annotations

import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Key:
    """What signs requests: a client's key.

    Attributes:
        id: Its id in the secret of `request_signature`.
        secret: The client's.
        header: The input's `header`.
    """

    id: str
    secret: str = field(repr=False)
    header: str = "X-Signature"

    def signature(self, body: bytes, at: int) -> str:
        """Returns the header's value for a body that is sent now, in seconds since the epoch."""
        digest = hmac.digest(self.secret.encode(), b"%d.%b" % (at, body), "sha256").hex()
        return f"t={at},kid={self.id},v1={digest}"


@dataclass(frozen=True)
class Headers:
    """Headers of each request.

    Attributes:
        given: The same for all.
        key: Signs each, unless None.
    """

    given: Mapping[str, str] = field(default_factory=dict)
    key: Key | None = None

    def of(self, body: bytes) -> dict[str, str]:
        """Returns the headers of an attempt to send a body, which must be made now."""
        made = {"Content-Type": "application/json", **self.given}
        if self.key:
            made[self.key.header] = self.key.signature(body, int(time.time()))
        return made
