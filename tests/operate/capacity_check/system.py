"""The applied system as slow as AWS, with settings of a load, and what a load does to it."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from async_ingest.capacity.load import Load, Span
from async_ingest.capacity.settings import Settings
from async_ingest.load.schedule import Schedule, constant
from async_ingest.receiving import batches_of
from local.archive import zipped
from local.latency import AWS, further_away
from local.stack import Stack
from local.waiting import eventually
from tests.operate.capacity_check import invocations
from tests.operate.capacity_check.invocations import Invocation
from tests.operate.load import target
from tests.support import ops
from tests.support.functions import configured, mapped, replaceable
from tests.support.mutation import package
from tests.support.proxy import Proxy
from tests.support.stack import PERMANENT_FAILURE, new_order, quick_retries

CONSUMER = Path(__file__).with_name("slow_consumer.py")
KNOWN_KEYS = 1000
THROTTLED = {
    "service": "dynamodb",
    "error": {"code": "ProvisionedThroughputExceededException"},
}
LONGEST_SECONDS = 600.0


@dataclass(frozen=True)
class Posts:
    """Requests: seconds of their service times, and how many a second were answered."""

    mean: float
    p50: float
    p99: float
    per_second: float


@dataclass(frozen=True)
class Sent:
    """A load that has been sent, and is processed.

    Attributes:
        document: Of `async-ingest load`.
        invocations: Of process.
    """

    document: dict[str, Any]
    invocations: list[Invocation]

    @property
    def posts(self) -> Posts:
        document = self.document
        times = {name: document["service_time_ms"][name] / 1000 for name in ("mean", "p50", "p99")}
        # The last one to be due is the last one to be answered, if they come faster than that.
        seconds = document["seconds"] + document["latency_ms"]["max"] / 1000
        return Posts(**times, per_second=document["requests"]["accepted"] / seconds)

    def drain_seconds(self, load: Load) -> float | None:
        """Returns seconds from the end of a load, rather than from its last request."""
        measured = self.document["drain_seconds"]
        early = load.seconds - self.document["seconds"]
        return None if measured is None else max(0.0, measured - early)

    @property
    def freshness_p95(self) -> float:
        ages = [age for one in self.invocations for age in one.ages]
        return invocations.percentile(ages, 0.95)


class System:
    """An applied stack behind a proxy. `slow_as_aws` creates it."""

    def __init__(self, stack: Stack, proxy: Proxy, state: Path) -> None:
        self._stack = stack
        self._proxy = proxy
        self._state = state
        self._name = f"{stack.outputs['table_name']}-process"

    @contextlib.contextmanager
    def configured(
        self, settings: Settings, table_seconds: float = 0, seconds_per_message: float = 0
    ) -> Iterator[None]:
        """Gives the system settings. Process has no warm environment then."""
        variables = {
            "SECONDS_PER_MESSAGE": str(seconds_per_message),
            "DEAD_LETTER_IMMEDIATELY": json.dumps(settings.process_dead_letter_immediately),
            "MAX_RECEIVE_COUNT": str(settings.max_receive_count),
        }
        with (
            configured(
                self._stack, self._name, variables, Timeout=settings.process_timeout_seconds
            ),
            quick_retries(self._stack, settings.visibility_timeout, settings.max_receive_count),
            mapped(
                self._stack,
                BatchSize=settings.process_batch_size,
                MaximumBatchingWindowInSeconds=settings.process_batching_window_seconds,
                ScalingConfig={"MaximumConcurrency": settings.maximum_concurrency},
            ),
            self._proxy.slowed(further_away(AWS, "DynamoDB", table_seconds)),
        ):
            yield

    def calls(self) -> list[tuple[str, float]]:
        """Returns the calls since `configured`: X-Amz-Target, and seconds."""
        return self._proxy.slowed_calls

    def warm_up(self) -> list[Invocation]:
        """Has an order stored, by an environment of each function that is warm from then on."""
        began, order = time.time(), new_order()
        assert self._stack.post(order).status == 202
        self._stack.wait_for_row(order)
        self._stack.wait_for_empty_queue()
        return self._invocations(began)

    def send(self, load: Load, connections: int = 16) -> Sent:
        """Sends a load by `async-ingest load`, and waits until nothing of it is in the queue."""
        if load.known:
            self._store_known_keys()
        began = time.time()
        with TemporaryDirectory() as directory:
            schedule, mix = Path(directory, "load.csv"), Path(directory, "mix.json")
            schedule.write_text(recorded(load))
            mix.write_text(json.dumps({"known_share": load.known, "known_keys": KNOWN_KEYS}))
            calls = len(self.calls())
            process = ops.start(
                self._stack.emulator,
                self._state,
                "load",
                *target(self._stack),
                *("--recorded", str(schedule), "--mix", str(mix), "--seed", "17", "--json"),
                *("--connections", str(connections), "--patience", "5m", "--wait", "5m"),
            )
            eventually(
                lambda: len(self.calls()) > calls or process.poll() is not None,
                "the first request",
            )
            with self._disturbed(load):
                said, complaints = process.communicate(timeout=LONGEST_SECONDS)
        if process.returncode not in (0, 1):
            raise RuntimeError(f"async-ingest load: {said}{complaints}")
        return Sent(json.loads(said), self._invocations(began))

    def drain(self, messages: int) -> list[Invocation]:
        """Puts messages of one new order each on the queue, then lets process have them."""
        began, url = time.time(), self._stack.outputs["queue_url"]
        with self._stack.paused_mapping():
            for numbers in batches_of(range(messages), 10):
                entries = [
                    {"Id": str(number), "MessageBody": json.dumps(new_order())}
                    for number in numbers
                ]
                self._stack.sqs.send_message_batch(QueueUrl=url, Entries=entries)
        self._stack.wait_for_empty_queue(LONGEST_SECONDS)
        return self._invocations(began)

    def _invocations(self, since: float) -> list[Invocation]:
        return invocations.read(self._stack.log_lines(self._name, since))

    def _store_known_keys(self) -> None:
        table = self._stack.outputs["table_name"]
        for numbers in batches_of(range(KNOWN_KEYS), 25):
            names = [{"S": f"load-known-{number}"} for number in numbers]
            puts = [
                {
                    "PutRequest": {
                        "Item": {"order_id": name, "item": name, "accepted_at": {"N": "1"}}
                    }
                }
                for name in names
            ]
            self._stack.dynamodb.batch_write_item(RequestItems={table: puts})

    @contextlib.contextmanager
    def _disturbed(self, load: Load) -> Iterator[None]:
        """Lets happen what no client sends, at its time from now."""
        end = threading.Event()
        jobs = [partial(self._send_permanent_failures, load, end)]
        jobs += [partial(self._throttle, span, end) for span in load.throttled]
        with ThreadPoolExecutor(len(jobs)) as pool:
            running = [pool.submit(job) for job in jobs]
            try:
                yield
            finally:
                end.set()
            for one in running:
                one.result()

    def _send_permanent_failures(self, load: Load, end: threading.Event) -> None:
        rate, start = load.rate * load.permanent_failures, time.monotonic()
        for due in Schedule(constant(rate, load.seconds)).times() if rate else ():
            if end.wait(max(0.0, start + due - time.monotonic())):
                return
            self._stack.sqs.send_message(
                QueueUrl=self._stack.outputs["queue_url"], MessageBody=PERMANENT_FAILURE
            )

    def _throttle(self, span: Span, end: threading.Event) -> None:
        if not end.wait(span.start):
            with self._proxy.rules(THROTTLED):
                end.wait(span.seconds)


def recorded(load: Load) -> str:
    """Returns the requests of a load that ingest accepts, as a series for `async-ingest load`."""
    good = 1 - load.permanent_failures
    rows = [
        f"{second},{load.between(second, second + 1) * good}" for second in range(int(load.seconds))
    ]
    return "\n".join(["time,requests", *rows, ""])


@contextlib.contextmanager
def slow_as_aws(stack: Stack) -> Iterator[System]:
    """Puts the proxy between the functions and AWS, and the slow consumer around process."""
    name = stack.outputs["table_name"]
    with (
        Proxy(stack.emulator) as proxy,
        TemporaryDirectory() as state,
        replaceable(stack, f"{name}-ingest", {"AWS_ENDPOINT_URL": proxy.url}),
        replaceable(
            stack,
            f"{name}-process",
            {"AWS_ENDPOINT_URL": proxy.url, "SECONDS_PER_MESSAGE": "0"},
            Handler="slow_consumer.handle",
        ),
    ):
        stack.lambda_.update_function_code(
            FunctionName=f"{name}-process",
            ZipFile=zipped({CONSUMER.name: CONSUMER.read_text(), **package("process")}),
        )
        yield System(stack, proxy, Path(state))
