"""A local HTTP server that answers every call of process with success."""

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    calls: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        operation = self.headers["x-amz-target"].rpartition(".")[2]
        self.calls.append(operation)
        output: dict[str, Any] = {"Responses": [{}] * body.count(b'{"Statement":')}
        answer = json.dumps(output if operation == "BatchExecuteStatement" else {}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Writes nothing."""


@contextlib.contextmanager
def yes_server() -> Iterator[tuple[str, list[str]]]:
    """Runs the server; gives its URL and the list of operations that it is asked for."""
    calls: list[str] = []
    handler = type("Handler", (_Handler,), {"calls": calls})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", calls
        server.shutdown()
    thread.join(timeout=10)
