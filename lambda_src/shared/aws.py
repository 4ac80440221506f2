"""The AWS client, with timeouts that end before the function does.

botocore rather than boto3: it makes the very same client, and each cold start is 10 ms shorter.
The loader saves 15 ms more. docs/decisions has the reasons.
"""

from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.loaders import Loader

CONNECT_TIMEOUT_SECONDS = 1  # the SDK's defaults, 60 s to connect and to read, outlast any function
ATTEMPTS = 2
BACKOFF_SECONDS = 1  # the longest pause before the second attempt in retry mode "standard"


class _OneServiceLoader(Loader):  # type: ignore[misc] # botocore has no types
    """Finds one service without looking into the directories of the 400 others, twice."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002 - as botocore's
        return [self._service]


def client(service: str, region: str, read_timeout_seconds: float) -> Any:
    session = botocore.session.Session()
    session.register_component("data_loader", _OneServiceLoader(service))
    return session.create_client(
        service,
        region_name=region,
        config=Config(
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            read_timeout=read_timeout_seconds,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            # Our code alone makes the parameters. Checking them against the model costs CPU, and
            # so does composing a user agent, twice for each call, of all that botocore knows.
            parameter_validation=False,
            user_agent="async-ingest",
        ),
    )


def worst_call_seconds(read_timeout_seconds: float) -> float:
    """The longest that a call may take, both attempts and the pause between them included."""
    return ATTEMPTS * (CONNECT_TIMEOUT_SECONDS + read_timeout_seconds) + BACKOFF_SECONDS


def error_code(error: Exception) -> str:
    """AWS's code, such as ``ThrottlingException``; without an answer, the exception's type."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "Unknown"))
    return type(error).__name__
