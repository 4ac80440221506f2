"""A stand-in for SQS that confirms every SendMessage at once, in the AWS JSON protocol.

It runs in a process of its own, so that its CPU time is nobody's.
"""

import contextlib
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from benchmarks import ROOT


class _Stub(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # connections are kept, as by SQS
    wbufsize = -1  # head and body in one packet, or Nagle waits for the client's delayed ACK

    def do_POST(self) -> None:
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        digest = hashlib.md5(message["MessageBody"].encode(), usedforsecurity=False).hexdigest()
        answer = json.dumps({"MessageId": digest, "MD5OfMessageBody": digest}).encode()
        self.send_response_only(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


@contextlib.contextmanager
def running() -> Iterator[str]:
    """Gives its URL."""
    command = [sys.executable, "-m", "benchmarks.sqs_stub"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout  # noqa: S101 - for mypy
            yield process.stdout.readline().strip()
        finally:
            process.kill()


if __name__ == "__main__":
    with ThreadingHTTPServer(("127.0.0.1", 0), _Stub) as server:
        print(f"http://127.0.0.1:{server.server_port}", flush=True)
        server.serve_forever()
