"""What a team's hooks import: ``from async_ingest_hooks import Refused, Request``.

It needs nothing but the standard library, so that the team's tests can import it as well. The
functions' packages have it only with the input ``order_hooks``. hooks.py runs the hooks.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

__all__ = ["Refused", "Request"]


class Refused(Exception):  # noqa: N818 - an order is refused; nothing is wrong with the code
    """The hook refuses an order, which no other attempt can change.

    Ingest answers 400 and lists each reason; process sends the message to the dead-letter queue,
    with the first reason as its ``failure_reason``. Clients see the reasons, the log does not.

    Attributes:
        faults: Each reason with the attribute that it is about, or None.
    """

    def __init__(self, reason: str, attribute: str | None = None) -> None:
        """Initializes a refusal for one reason.

        Args:
            reason: For a person, to be read after the attribute's name: "must be at least 1".
            attribute: Name of the attribute that it is about, if it is one.

        Raises:
            TypeError: One of them is not a string.
        """
        if not isinstance(reason, str) or not isinstance(attribute, str | None):
            raise TypeError("Refused takes a reason and an attribute's name, both strings.")
        super().__init__(reason)
        self.faults: tuple[tuple[str, str | None], ...] = ((reason, attribute),)

    @classmethod
    def together(cls, refusals: Iterable["Refused"]) -> "Refused":
        """Returns one refusal for several reasons.

        Raises:
            ValueError: There is none.
        """
        faults = tuple([fault for refusal in refusals for fault in refusal.faults])
        if not faults:
            raise ValueError("There is no reason to refuse the order.")
        refusal = cls(*faults[0])
        refusal.faults = faults
        return refusal


class Request(NamedTuple):
    """What ``accept`` is told of the HTTP request, besides the order.

    A test of the team's creates one with what matters to it: ``Request(path="/orders")``. Pass
    arguments by name, and read attributes by name: more may follow.

    Attributes:
        method: Always "POST".
        path: As the client sent it: one of the configured paths, with or without a slash at the
            end.
        headers: By name in lower case; values of a repeated header are joined by ", ". A client
            may send whatever it likes.
        query: The parameters, decoded; of a repeated one, the last.
        client_certificate_subject: Of the client's certificate, as the load balancer has verified
            it; None without mutual TLS.
        request_id: Of the invocation, as in the header X-Request-Id of the answer.
        trace_id: The load balancer's, as in the header X-Amzn-Trace-Id; "" without one.
        accepted_at: Microseconds since the epoch, as they are stored with the order.
    """

    method: str = "POST"
    path: str = "/lambda/api"
    headers: Mapping[str, str] = MappingProxyType({"content-type": "application/json"})
    query: Mapping[str, str] = MappingProxyType({})
    client_certificate_subject: str | None = None
    request_id: str = "00000000-0000-0000-0000-000000000000"
    trace_id: str = ""
    accepted_at: int = 0
