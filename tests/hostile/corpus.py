r"""The hostile requests: the files in requests/ are the categories, each of their lines a request.

A request is a POST of a valid order but for what its line says:

========== =====================================================================================
value      JSON text of an attribute ``x`` that the order has besides its keys
members    JSON text of such attributes, names included
body       the whole body
encoding   of the body, "utf-8" if not said; "latin-1" makes of ``\u00ff`` the byte FF
method     "POST" if not said
path       the target of the request line, "$PATH" if not said
headers    lines; one with the name of a header that is sent anyway takes its place
without    names of headers that are not sent
raw        the whole request instead, in Latin-1, for what the above cannot express
aborted    the connection is closed as soon as the request is sent, and no answer is waited for
status     of the answer, or of the answers to several requests in one ``raw``
problem    the kind of problem, where the status alone does not tell it
by         "load balancer" if it answers or changes the request; ``why`` says what AWS's does
why        the reason for the status
========== =====================================================================================

In these texts ``«x*300»`` stands for 300 times x, in which ``§`` would be a running number, and
``«x*=5000»`` for as many x as give the body 5000 bytes. ``$ID`` is what makes a request unlike any
other, and must never be seen in an answer or a log; ``$PATH`` the path that takes orders, ``$HOST``
the load balancer; ``$ORDER`` an order, ``$LENGTH`` and ``$HEX`` its length.
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
        """The body."""
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
        """The whole request."""
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
    """The requests of each file."""
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
