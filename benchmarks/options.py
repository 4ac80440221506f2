"""What the options cost: the same functions with all of them, and with none.

Each side has a process of its own, because a function reads its settings when it is imported. Both
get the same signed requests and the same orders, with a version, a tenant and a number.
"""

import contextlib
import hmac
import io
import json
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import ROOT, sides, stub
from benchmarks.measurements import Step, quiet, started
from benchmarks.pairs import Figure, Sample, alternate, timed
from benchmarks.sqs_stub import KEY_ID, SECRET

SIDES = ("all options", "none")
HEADER = "X-Signature"
OPTIONS = {
    "ORDER_VERSION": '{"name":"revision","type":"N","kept_in":"order_version_N_revision"}',
    "ORDER_HOOKS": "benchmarks.order_hooks",
    "ORDER_HOOKS_TIMEOUT_SECONDS": "1",
    "FAIR_QUEUE_ATTRIBUTE": "tenant",
    "SIGNATURE_SECRET_ARN": "arn:aws:secretsmanager:us-east-1:000000000000:secret:clients-AbCdEf",
    "SIGNATURE_HEADER": HEADER,
    "SIGNATURE_TOLERANCE_SECONDS": "300",
    "CLIENT_CERTIFICATES": "true",
    "LOG_CLIENT_SUBJECT": "true",
}
SUBJECT = {"x-amzn-mtls-clientcert-subject": "CN=till-7,O=Kopi,C=ID"}
# Calls per sample, by orders in a request, or messages in a batch.
CALLS = {"ingest": {1: 100, 1000: 2}, "process": {10: 15, 100: 3}}


def options_start(rounds: int, step: Step) -> Iterator[Figure]:
    """Import and creation of the clients, each time in a fresh process, of the same package."""
    (ours,) = (side for side in sides.SIDES if side.name == "ours")
    hooks = ROOT / "benchmarks" / "order_hooks.py"
    runner = ROOT / "lambda_src" / "async_ingest_hooks"
    for function in ("ingest", "process"):
        with tempfile.TemporaryDirectory() as directory:
            root = Path(directory)
            zipfile.ZipFile(io.BytesIO(ours.zip(function))).extractall(root)
            for path in (hooks, *runner.glob("*.py")):
                copy = root / path.parent.name / path.name
                copy.parent.mkdir(exist_ok=True)
                copy.write_text(path.read_text())
            samplers = [partial(started, ours, function, root, _settings(side)) for side in SIDES]
            pairs = alternate(rounds, samplers, step)
        key, title = f"options_{function}_import_cpu_ratio", f"{function}, import, client, TLS: CPU"
        yield pairs.figure("cpu", key, title, "ms", sides=SIDES)


def options(rounds: int, step: Step) -> Iterator[Figure]:
    """Requests of one order and of the most that there may be; batches of new orders."""
    for function, service in (("ingest", "sqs_stub"), ("process", "dynamodb_stub")):
        with stub.running(service) as url, contextlib.ExitStack() as stack:
            workers = [stack.enter_context(_worker(function, side, url)) for side in SIDES]
            for count in CALLS[function]:
                samplers = [partial(_ask, worker, count) for worker in workers]
                pairs = alternate(rounds, samplers, step)
                key = f"options_{function}_cpu_ratio_{count}"
                title = f"{function}, {_case(function, count)}: CPU"
                unit = "ms/msg" if function == "process" else "ms"
                yield pairs.figure("cpu", key, title, unit, sides=SIDES)


def _case(function: str, count: int) -> str:
    if function == "process":
        return f"batch of {count}"
    return "a request" if count == 1 else f"an array of {count}"


def _settings(side: str) -> dict[str, str]:
    return OPTIONS if side == "all options" else {}


@contextlib.contextmanager
def _worker(function: str, side: str, url: str) -> "Iterator[subprocess.Popen[str]]":
    command = [sys.executable, "-m", "benchmarks.options", function, side, url]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def _ask(worker: "subprocess.Popen[str]", count: int) -> Sample:
    assert worker.stdin  # noqa: S101 - for mypy
    assert worker.stdout  # noqa: S101 - for mypy
    print(count, file=worker.stdin, flush=True)
    if line := worker.stdout.readline():
        sample: Sample = json.loads(line)
        return sample
    raise RuntimeError("A process has ended; its output above says why.")


def _order() -> dict[str, Any]:
    return sides.order() | {"revision": 1, "tenant": "kopi"}


def _request(count: int) -> dict[str, Any]:
    """Returns an event with a signed request of one order, or of an array."""
    some = [_order() for _ in range(count)]
    body = json.dumps(some[0] if count == 1 else some)
    stamp = int(time.time())
    digest = hmac.digest(SECRET.encode(), f"{stamp}.{body}".encode(), "sha256").hex()
    event = sides.request()
    signature = {HEADER.lower(): f"t={stamp},kid={KEY_ID},v1={digest}"}
    return event | {"body": body, "headers": event["headers"] | SUBJECT | signature}


def _batch(count: int) -> dict[str, Any]:
    return sides.batch([_order() for _ in range(count)])


def main(function: str, side: str, url: str) -> None:
    os.environ.update(_settings(side))
    (ours,) = (one for one in sides.SIDES if one.name == "ours")
    handle = ours.load(function, url).handle
    make = _request if function == "ingest" else _batch
    for line in sys.stdin:
        count = int(line)
        events = [make(count) for _ in range(CALLS[function][count])]

        def work(events: list[dict[str, Any]] = events) -> None:
            for event in events:
                sides.check(handle(event, sides.CONTEXT))

        with quiet():
            sample = timed(work, len(events) * (count if function == "process" else 1))
        print(json.dumps(sample), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
