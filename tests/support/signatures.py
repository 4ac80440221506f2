"""Signatures of clients, and the secrets that they are made with."""

import hmac

ARN = "arn:aws:secretsmanager:us-east-1:000000000000:secret:orders/keys-AbCdEf"
SHOP, TILL, OLD_TILL = "shop-" + "s" * 32, "till-" + "t" * 32, "till-" + "o" * 32
HEADER = "X-Signature"
ORDER = '{"order_id":"123","item":"Kopi Susu","qty":2}'


def signature(body: str | bytes = ORDER, *, key_id: str, secret: str, at: int) -> str:
    """Returns the header's value for a body signed at a time in seconds since the epoch."""
    raw = body if isinstance(body, bytes) else body.encode()
    digest = hmac.digest(secret.encode(), f"{at}.".encode() + raw, "sha256").hex()
    return f"t={at},kid={key_id},v1={digest}"
