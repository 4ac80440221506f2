"""Posts orders, and finds out where to."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import urllib3

from async_ingest.doctor.http import load_balancers, paths
from async_ingest.errors import OpsError
from async_ingest.signing import Headers
from async_ingest.system import System

LONGEST_SECONDS = 35  # longer than ingest may take


class NoAnswerError(Exception):
    """Nobody has answered: the request may have been accepted or not."""


@dataclass(frozen=True)
class Answer:
    """An HTTP response, whatever its status."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> dict[str, Any]:
        """The body, if it is a JSON object; otherwise an empty one."""
        try:
            document = json.loads(self.body)
        except ValueError:
            return {}
        return document if isinstance(document, dict) else {}

    @property
    def is_from_ingest(self) -> bool:
        """Whether the function has answered, rather than the load balancer by itself."""
        return "x-request-id" in {name.lower() for name in self.headers}


class Client:
    """Posts to one URL, over connections that it keeps.

    Args:
        url: Where orders are posted.
        headers: Of each request.
        connections: How many requests run at a time.
    """

    def __init__(self, url: str, headers: Headers, connections: int = 1) -> None:
        self.url = url
        self._headers = headers
        self._pool = urllib3.PoolManager(
            maxsize=connections,
            retries=False,
            timeout=urllib3.Timeout(connect=5, read=LONGEST_SECONDS),
            ca_certs=os.environ.get("AWS_CA_BUNDLE"),
        )

    def post(self, body: bytes) -> Answer:
        """Posts a body. Raises NoAnswerError."""
        try:
            answer = self._pool.request(
                "POST", self.url, body=body, headers=self._headers.of(body), redirect=False
            )
        except urllib3.exceptions.HTTPError as error:
            raise NoAnswerError(" ".join(str(error).split())) from None
        return Answer(answer.status, dict(answer.headers), answer.data)


def url_of(system: System, given: str | None) -> str:
    """Returns where orders are posted.

    Raises:
        OpsError: It is not known: a name that the certificate covers is needed.
    """
    if given or system.known.get("endpoint_url"):
        return str(given or system.known["endpoint_url"])
    elb = system.aws.client("elbv2")
    for balancer in load_balancers(system):
        listeners = elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
        if any(listener["Protocol"] == "HTTPS" for listener in listeners):
            raise OpsError("The listener is HTTPS: pass --url with a name that it covers.")
        return f"http://{balancer['DNSName']}{paths(system)[0]}"
    raise OpsError("There is no load balancer to post to. Pass --url, or run `doctor`.")
