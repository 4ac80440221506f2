"""Stand-ins for AWS's services: one operation in, one answer out, by the AWS JSON protocol.

Each runs in a process of its own, so that its CPU time counts for neither side.
"""

import contextlib
import json
import subprocess
import sys
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from benchmarks import ROOT


class Stub(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # connections are kept, as by AWS
    wbufsize = -1  # head and body in one packet; Nagle's algorithm would wait for the client's ACK

    def answer(self, operation: str, parameters: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Executes an operation, and returns the HTTP status and the output."""
        raise NotImplementedError

    def do_POST(self) -> None:
        operation = self.headers["X-Amz-Target"].rpartition(".")[2]
        parameters = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status, output = self.answer(operation, parameters)
        body = json.dumps(output).encode()
        self.send_response_only(status)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("x-amz-crc32", str(zlib.crc32(body)))
        self.end_headers()
        self.wfile.write(body)


def serve(stub: type[Stub]) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), stub) as server:
        print(f"http://127.0.0.1:{server.server_port}", flush=True)
        server.serve_forever()


@contextlib.contextmanager
def running(module: str) -> Iterator[str]:
    """Runs a stub's module, and gives its URL."""
    command = [sys.executable, "-m", f"benchmarks.{module}"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout  # noqa: S101 - for mypy
            yield process.stdout.readline().strip()
        finally:
            process.kill()
