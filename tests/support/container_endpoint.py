"""The endpoint from which functions with SnapStart get their credentials."""

import datetime
import json
from typing import Any

from shared import connections, credentials
from tests.support.scripted_server import Behavior, answer

FULL = "AWS_CONTAINER_CREDENTIALS_FULL_URI"


def enough() -> float:
    return 30.0


def document(number: int = 1, seconds: float = 3600, **changes: Any) -> Behavior:
    """Answers with credentials that expire in so many seconds."""
    expires_at = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds)
    content = {
        "AccessKeyId": f"key-{number}",
        "SecretAccessKey": f"secret-{number}",
        "Token": f"token-{number}",
        "Expiration": expires_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    kept = {name: value for name, value in (content | changes).items() if value is not ...}
    return answer(body=json.dumps(kept).encode(), headers={"Content-Type": "application/json"})


def refusal() -> str:
    """Returns why there are no credentials."""
    try:
        found = credentials.current(enough)
    except connections.ExchangeError as error:
        return error.reason
    raise AssertionError(found.access_key)
