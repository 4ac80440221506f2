"""The five measurements. Each takes the number of rounds and calls ``step`` after each round."""

import contextlib
import gc
import io
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from boto3.dynamodb.types import TypeSerializer

from benchmarks import drain, sides, stub
from benchmarks.deployment import BATCH_SIZE, Deployment
from benchmarks.pairs import Figure, Sample, alternate, timed
from benchmarks.sides import SIDES
from local import engines
from local.emulator import Emulator

Step: TypeAlias = Callable[[], object]

REQUESTS = 100  # per sample of ingest
CALLS = {1: 50, 10: 15, 100: 3}  # per sample of process, by batch size
MESSAGES = 1000
DRAINED = {"ours": 1000, "tutorial": 200}  # messages per sample, for about two seconds

# Peak memory is VmHWM: ru_maxrss would start with the memory of the forking process.
_START = """
import json, sys, time
wall, cpu = time.perf_counter(), time.process_time()
import {module}
{tls}
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
try:
    memory = next(int(line.split()[1]) for line in open("/proc/self/status") if "VmHWM" in line)
except OSError:
    import resource
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({{"wall": wall * 1000, "cpu": cpu * 1000, "memory": memory / 1024}}))
"""

# What botocore does at its first connection: ssl_wrap_socket of urllib3.
_TLS = {
    "ours": """
from shared import connections
if not connections.tls_context.cache_info().currsize:
    raise RuntimeError("The start has created no TLS context.")
""",
    "tutorial": """
from botocore import httpsession
try:
    client = tutorial.ingest.sqs
except AttributeError:
    client = tutorial.process.table.meta.client
pool = client._endpoint.http_session._manager.connection_pool_kw
pool["ssl_context"].load_verify_locations(httpsession.get_cert_path(True))
""",
}


def start(rounds: int, step: Step) -> Iterator[Figure]:
    """Import and creation of the client, each time in a fresh process.

    As on Lambda, where the code's directory is read-only, the SDK's bytecode is cached and that of
    the handlers is not. Our client loads the trusted certificates at its start, botocore at its
    first connection; so that both pay for them, the tutorial's side loads them at its start too.
    """
    for function in ("ingest", "process"):
        with tempfile.TemporaryDirectory() as directory:
            samplers = []
            for side in SIDES:
                root = Path(directory, side.name)
                zipfile.ZipFile(io.BytesIO(side.zip(function))).extractall(root)
                samplers.append(partial(started, side, function, root))
            pairs = alternate(rounds, samplers, step)
        title = f"{function}, import, client, TLS"
        yield pairs.figure("wall", f"{function}_import_ratio", f"{title}: time", "ms")
        yield pairs.figure("cpu", f"{function}_import_cpu_ratio", f"{title}: CPU", "ms")
        yield pairs.figure("memory", f"{function}_memory_ratio", f"{title}: memory", "MB")


def started(
    side: sides.Side, function: str, root: Path, settings: Mapping[str, str] | None = None
) -> Sample:
    """Starts a function in a fresh process, from ``root``, where its package is."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment = own | sides.ENVIRONMENT | {"PYTHONDONTWRITEBYTECODE": "1"} | dict(settings or {})
    program = _START.format(module=side.module.format(function), tls=_TLS[side.name])
    command = [sys.executable, "-c", program]
    result: Sample = json.loads(subprocess.check_output(command, cwd=root, env=environment))
    return result


def ingest(rounds: int, step: Step) -> Iterator[Figure]:
    """Requests with one order each, against a stub of SQS."""

    def sample(handle: sides.Handler) -> Sample:
        requests = [sides.request() for _ in range(REQUESTS)]

        def work() -> None:
            for request in requests:
                sides.check(handle(request, sides.CONTEXT))

        return timed(work, REQUESTS)

    with stub.running("sqs_stub") as url, quiet():
        samplers = [partial(sample, side.load("ingest", url).handle) for side in SIDES]
        pairs = alternate(rounds, samplers, step)
    yield pairs.figure("cpu", "ingest_cpu_ratio", "ingest, a request: CPU", "ms")
    yield pairs.figure("wall", "ingest_wall_ratio", "ingest, a request: time", "ms")


def process(rounds: int, step: Step) -> Iterator[Figure]:
    """Batches of messages with one order each, against DynamoDB Local."""
    sent: list[object] = []  # requests, including retries

    def sample(handle: sides.Handler, size: int, *, stored: bool) -> Sample:
        def work() -> None:
            for batch in batches:
                sides.check(handle(batch, sides.CONTEXT))

        batches = _batches(engine.client, CALLS[size], size, stored=stored)
        sent.clear()
        messages = size * CALLS[size]
        result = timed(work, messages)
        return result | {"requests": 1000 * len(sent) / messages}

    with engines.dynamodb_local() as engine, quiet():
        engine.create_table(sides.TABLE, order_id="S", item="S")
        ours, tutorial = (side.load("process", engine.endpoint_url) for side in SIDES)
        _count_attempts(ours.aws.BuiltinClient, sent)
        tutorial.table.meta.client.meta.events.register(
            "before-send.dynamodb.*", lambda **_: sent.append(1)
        )
        for size, stored in ((1, False), (10, False), (100, False), (10, True)):
            handlers = (ours.handle, tutorial.handle)
            samplers = [partial(sample, handle, size, stored=stored) for handle in handlers]
            pairs = alternate(rounds, samplers, step)
            title, end = _case(size, stored=stored)
            title = f"process, {title}"
            yield pairs.figure("cpu", f"process_cpu_ratio_{end}", f"{title}: CPU", "ms/msg")
            yield pairs.figure("wall", f"process_wall_ratio_{end}", f"{title}: time", "ms/msg")
            key = f"requests_per_1000_at_{end}"
            yield pairs.figure("requests", key, f"{title}: calls", "/1,000 msg", is_ratio=False)


def drained(rounds: int, step: Step) -> Iterator[Figure]:
    """The same batches, at AWS's latencies and with a function's share of a core."""

    def sample(worker: drain.Worker, messages: int, size: int, *, stored: bool) -> Sample:
        calls = messages // size
        return {"rate": messages / worker.drain(_batches(client, calls, size, stored=stored))}

    for size, stored in ((10, False), (100, False), (10, True), (100, True)):
        with stub.running("dynamodb_stub") as url, contextlib.ExitStack() as stack:
            client = engines.client(url)
            samplers = [
                partial(
                    sample,
                    stack.enter_context(drain.worker(side, url)),
                    DRAINED[side.name],
                    size,
                    stored=stored,
                )
                for side in SIDES
            ]
            pairs = alternate(rounds, samplers, step)
        title, end = _case(size, stored=stored)
        key = f"drained_ratio_{end}"
        yield pairs.figure("rate", key, f"drained, {title}", "msg/s", more_is_better=True)


def queue_to_table(rounds: int, step: Step) -> Iterator[Figure]:
    """A full queue whose mapping is enabled, with both pairs on the same local stack."""

    def sample(deployment: Deployment) -> Sample:
        return {"rate": deployment.drain(MESSAGES)}

    with tempfile.TemporaryDirectory() as directory, Emulator(Path(directory)) as emulator:
        deployments = [Deployment(emulator, side) for side in SIDES]

        def fill() -> None:
            for deployment in deployments:
                deployment.fill(MESSAGES)

        samplers = [partial(sample, deployment) for deployment in deployments]
        pairs = alternate(rounds, samplers, step, prepare=fill)
    title = f"queue to table, batch of {BATCH_SIZE}"
    yield pairs.figure("rate", "queue_to_table_ratio", title, "msg/s", more_is_better=True)


def _case(size: int, *, stored: bool) -> tuple[str, str]:
    """Returns the title of a measurement of process, and the end of its keys."""
    return (
        (f"batch of {size}, keys stored", f"{size}_stored")
        if stored
        else (f"batch of {size}", f"{size}")
    )


def _batches(client: Any, calls: int, size: int, *, stored: bool) -> list[dict[str, Any]]:
    """Returns events with new orders; ``stored`` puts an older one of each key into the table.

    Not through a handler, which would learn from them to expect new keys.
    """
    orders = [[sides.order() for _ in range(size)] for _ in range(calls)]
    if stored:
        serialize = TypeSerializer().serialize
        items = [serialize(order | {"accepted_at": 1})["M"] for some in orders for order in some]
        for first in range(0, len(items), 25):
            requests = [{"PutRequest": {"Item": item}} for item in items[first : first + 25]]
            client.batch_write_item(RequestItems={sides.TABLE: requests})
    return [sides.batch(some) for some in orders]


def _count_attempts(client: Any, sent: list[object]) -> None:
    """Makes the functions' own client record each attempt at a call."""
    attempt = client.attempt

    def noted(*arguments: Any) -> Any:
        sent.append(1)
        return attempt(*arguments)

    client.attempt = noted


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Discards the handlers' output, and keeps garbage collection out of the benchmark."""
    gc.collect()
    gc.freeze()
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        yield
    gc.unfreeze()
