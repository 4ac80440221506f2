"""Clients of AWS, by the profile, region and endpoint that the AWS CLI would use."""

from __future__ import annotations

import os
import threading
from typing import Any

import boto3
from botocore.config import Config

CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 5},
    connect_timeout=5,
    read_timeout=65,  # a poll of SQS takes up to 20 s, an invocation longer
    user_agent_appid="async-ingest",
)


class Aws:
    """One session, and one client for each service.

    Args:
        profile: Of the AWS CLI's configuration; None takes AWS_PROFILE or the default.
        region: None takes AWS_REGION, AWS_DEFAULT_REGION or the profile's.
        endpoint_url: None takes AWS_ENDPOINT_URL or the service's own.
    """

    def __init__(
        self,
        profile: str | None = None,
        region: str | None = None,
        endpoint_url: str | None = None,
        session: Any = None,
    ) -> None:
        # boto3 itself does not read AWS_REGION, which the AWS CLI does.
        region = region or os.environ.get("AWS_REGION")
        self._session = session or boto3.Session(profile_name=profile, region_name=region)
        self._endpoint_url = endpoint_url
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()

    def client(self, service: str) -> Any:
        """Returns the client of a service. Raises BotoCoreError without a region."""
        with self._lock:  # a session is not safe for threads, its clients are
            if service not in self._clients:
                self._clients[service] = self._session.client(
                    service, endpoint_url=self._endpoint_url, config=CONFIG
                )
            return self._clients[service]

    @property
    def region(self) -> str:
        return str(self.client("sqs").meta.region_name)
