r"""The hostile requests: each file in requests/ is a category, each of its rows a request.

A request is a POST of a valid order, except for what its row says:

========== =====================================================================================
value      JSON text of an additional attribute ``x`` of the order
members    JSON text of additional attributes, names included
body       the whole body
encoding   of the body, by default "utf-8"; "latin-1" encodes ``\u00ff`` as the byte FF
method     by default "POST"
path       the target of the request line, by default "$PATH"
headers    lines; they replace default headers of the same name
without    names of default headers that are not sent
raw        the whole request in Latin-1, for what the above cannot express
aborted    the connection is closed at once, without waiting for an answer
status     of the answer, or a list for several requests in one ``raw``
problem    the type of problem, where the status does not determine it
by         "load balancer" if it answers or changes the request; ``why`` says what AWS's does
why        the reason for the status
========== =====================================================================================

In these texts ``«x*300»`` repeats x 300 times, with ``§`` as a running number, and ``«x*=5000»``
repeats x until the body has 5000 bytes. ``$ID`` is a unique marker that must never appear in an
answer or a log, ``$PATH`` the path that takes orders, ``$HOST`` the load balancer, ``$ORDER`` an
order, ``$LENGTH`` and ``$HEX`` its length.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ORDER = '{"order_id":"$ID","item":"Kopi Susu"}'
_REPEATED = re.compile(r"«([^»]+?)\*(\d+)»", re.DOTALL)
_FILLED = re.compile(r"«([^»]+?)\*=(\d+)»", re.DOTALL)


@dataclass(frozen=True)
class Endpoint:
    """Where requests are sent."""

    host: str
    path: str


@dataclass(frozen=True, kw_only=True)
class Request:
    category: str
    name: str
    status: int | list[int]
    why: str
    value: str | None = None
    members: str | None = None
    body: str | None = None
    encoding: str = "utf-8"
    method: str = "POST"
    path: str = "$PATH"
    headers: list[str] = field(default_factory=list)
    without: list[str] = field(default_factory=list)
    raw: str | None = None
    aborted: bool = False
    problem: str | None = None
    by: str = "ingest"

    @property
    def statuses(self) -> list[int]:
        return self.status if isinstance(self.status, list) else [self.status]

    def content(self, marker: str) -> bytes:
        """Returns the body."""
        order = ORDER
        if self.value is not None:
            order = f'{ORDER[:-1]},"x":{self.value}}}'
        elif self.members is not None:
            order = f"{ORDER[:-1]},{self.members}}}"
        text = expand(order if self.body is None else self.body, marker)
        if filled := _FILLED.search(text):
            text = _fill(text, filled, self.encoding)
        return text.encode(self.encoding, "surrogatepass")

    def wire(self, endpoint: Endpoint, marker: str) -> bytes:
        """Returns the bytes of the whole request."""
        if self.raw is not None:
            length = len(expand(ORDER, marker))
            text = self.raw.replace("$LENGTH", str(length)).replace("$HEX", f"{length:x}")
            return _head(text, endpoint, marker)
        body = self.content(marker)
        defaults = [
            "Host: $HOST",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
            "Connection: close",
            "X-Marker: $ID",
        ]
        replaced = {_name(line) for line in (*self.headers, *self.without)}
        lines = [line for line in defaults if _name(line) not in replaced] + self.headers
        head = "\r\n".join([f"{self.method} {self.path} HTTP/1.1", *lines, "", ""])
        return _head(head, endpoint, marker) + body


def categories() -> Iterator[list[Request]]:
    """Yields the requests of each file."""
    for path in sorted(Path(__file__).with_name("requests").glob("*.toml")):
        content = tomllib.loads(path.read_text("utf-8"))
        yield [Request(category=content["title"], **line) for line in content["requests"]]


def expand(text: str, marker: str) -> str:
    def repeat(found: re.Match[str]) -> str:
        times = int(found[2])
        if "§" in found[1]:
            return "".join(found[1].replace("§", str(number)) for number in range(times))
        return found[1] * times

    return _REPEATED.sub(repeat, text.replace("$ORDER", ORDER).replace("$ID", marker))


def _head(text: str, endpoint: Endpoint, marker: str) -> bytes:
    text = text.replace("$HOST", endpoint.host).replace("$PATH", endpoint.path)
    return expand(text, marker).encode("latin-1")


def _fill(text: str, filled: re.Match[str], encoding: str) -> str:
    before, after = text[: filled.start()], text[filled.end() :]
    free = int(filled[2]) - len((before + after).encode(encoding))
    times, rest = divmod(free, len(filled[1].encode(encoding)))
    assert (times > 0, rest) == (True, 0), f"{filled[0]} does not fit into {free} bytes"
    return before + filled[1] * times + after


def _name(line: str) -> str:
    return line.partition(":")[0].lower()
