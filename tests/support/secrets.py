"""Signed requests as ingest gets them, and a Secrets Manager in memory."""

import json
from typing import Any

from local.events import request
from shared.aws import CallError, Deadline
from tests.support.signatures import ARN, HEADER, ORDER


def signed(value: Any, body: str = ORDER, **changes: Any) -> dict[str, Any]:
    """Returns the load balancer's event of a request with a signature, several or none."""
    headers = {"content-type": "application/json", "host": "example"}
    if isinstance(value, list):
        several = {name: [one] for name, one in headers.items()} | {HEADER.lower(): value}
        return request(body, headers=None, multiValueHeaders=several, **changes)
    if value is not None:
        headers[HEADER.lower()] = value
    return request(body, headers=headers, **changes)


class FakeSecretsManager:
    """A client of Secrets Manager with one secret.

    Attributes:
        versions: Texts by stage.
        calls: The stages asked for so far.
        trouble: Raised by each call while it is set.
    """

    def __init__(self, current: Any, previous: Any = None) -> None:
        self.versions: dict[str, Any] = {}
        self.put("AWSCURRENT", current)
        if previous is not None:
            self.put("AWSPREVIOUS", previous)
        self.calls: list[str] = []
        self.trouble: Exception | None = None

    def put(self, stage: str, value: Any) -> None:
        self.versions[stage] = value if isinstance(value, str) else json.dumps(value)

    def rotate(self, value: Any) -> None:
        self.versions["AWSPREVIOUS"] = self.versions["AWSCURRENT"]
        self.put("AWSCURRENT", value)

    def call(self, operation: str, parameters: str, deadline: Deadline) -> dict[str, Any]:
        assert operation == "GetSecretValue"
        asked = json.loads(parameters)
        assert asked.pop("SecretId") == ARN
        stage = asked.pop("VersionStage")
        assert not asked
        assert deadline.remaining() > 0
        self.calls.append(stage)
        if self.trouble:
            raise self.trouble
        if stage not in self.versions:
            raise CallError("ResourceNotFoundException", status=400, is_transient=False)
        return {"ARN": ARN, "SecretString": self.versions[stage]}


class Clock:
    """Stands in for the module ``time`` in the code under test."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now
        self.wall_behind = self.monotonic_behind = 0.0  # seconds for which one has stopped

    def time(self) -> float:
        return self.now - self.wall_behind

    def monotonic(self) -> float:
        return self.now - 1_000_000 - self.monotonic_behind
