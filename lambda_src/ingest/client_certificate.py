"""Whose certificate a client has shown to the load balancer.

"Mutual authentication with TLS in Application Load Balancer" (User Guide for Application Load
Balancers) names the header. Only imported where CLIENT_CERTIFICATES says that the load balancer
verifies them; elsewhere, a client may send a header of that name itself.
"""

LOGGED_CHARACTERS = 256
_HEADER = "x-amzn-mtls-clientcert-subject"


def client_subject(headers: dict[str, list[str]]) -> str | None:
    """Returns the subject of the client's certificate as RFC 2253 writes it.

    None if the load balancer has not named exactly one subject.

    Args:
        headers: All values of each header by its name in lower case.
    """
    values = headers.get(_HEADER, [])
    return values[0] if len(values) == 1 and values[0] else None


def logged_subject(headers: dict[str, list[str]]) -> str:
    """Returns what the log says about the subject, "" without one."""
    return (client_subject(headers) or "")[:LOGGED_CHARACTERS]
