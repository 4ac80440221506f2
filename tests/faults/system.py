"""The deployed system with everything in place to make it fail, and to see what came of it."""

import contextlib
import fcntl
import json
import socket
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain, count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import urllib3
from boto3.dynamodb.types import TypeDeserializer

from local.emulator import HOST, ROOT
from local.latency import AWS
from tests.e2e.stack import PATH, Stack, eventually
from tests.faults.ledger import Attempt, Ledger, Outcome, Row, now
from tests.faults.proxy import Proxy
from tests.support.archive import zipped

FUNCTIONS = ("ingest", "process")
SABOTEUR = Path(__file__).with_name("saboteur.py")
SOURCE = ROOT / "lambda_src"
CLIENTS = 8
# Shorter than in production, so that timeouts are over sooner.
TIMEOUT_SECONDS = 8
READ_TIMEOUT_SECONDS = 1
VISIBILITY_SECONDS = 2
DELIVERIES = 1000  # SQS's limit
MEMORY_SIZE = 10240  # Lambda's largest, which limits nothing
STANDSTILL_SECONDS = 60  # without a message less on the queue: it will not be empty any more

Message = dict[str, Any]  # as receive_message gives it


@dataclass(frozen=True)
class Mutation:
    """A mistake in a handler: a text that its source has once, and what stands there instead."""

    path: str  # below lambda_src
    text: str
    instead: str

    def applied_to(self, source: str) -> str:
        found = source.count(self.text)
        assert found == 1, f"{self.path} has {self.text!r} {found} times, not once"
        return source.replace(self.text, self.instead)


class System:
    """What a scenario needs. :func:`sabotaged` makes it."""

    def __init__(self, stack: Stack, proxy: Proxy, tokens: Path) -> None:
        self.stack = stack
        self.proxy = proxy
        self.deployed: dict[str, dict[str, Any]] = {}  # configurations by function
        self.name: str = stack.outputs["table_name"]
        self.ledger = Ledger("")
        self._url = stack.emulator.alb_url(stack.outputs["load_balancer_name"]) + PATH
        self._tokens = tokens
        self._token_numbers = count()
        self._confirmed: list[float] = []
        self._http = urllib3.PoolManager(
            maxsize=CLIENTS, ca_certs=str(stack.emulator.ca_bundle), retries=False, timeout=30
        )

    # Faults

    @contextlib.contextmanager
    def sabotage(
        self, operation: str, moment: str, action: str, times: int, of: str = ""
    ) -> Iterator[None]:
        """The next calls of an operation that have this text are ruined as saboteur.py says."""
        for _ in range(times):
            name = f"{operation}.{moment}.{action}.{next(self._token_numbers)}"
            (self._tokens / "new").write_text(of)
            (self._tokens / "new").rename(self._tokens / name)
        try:
            yield
        finally:
            for token in self._tokens.glob("*.*.*.*"):
                token.unlink(missing_ok=True)

    @contextlib.contextmanager
    def partition(self, key: str, units: int) -> Iterator[None]:
        """Items with this text in their key are one partition, which takes so many a second."""
        path = self._tokens / "partition"
        state = {"key": key, "units": units, "left": units, "at": time.time(), "throttled": 0}
        path.write_text(json.dumps(state))
        try:
            yield
        finally:
            self.confirm(json.loads(path.read_text())["throttled"])
            path.unlink()

    @contextlib.contextmanager
    def as_slow_as_aws(
        self,
        *,
        visibility_seconds: int | None = None,
        batch_size: int = 10,
        window_seconds: int = 0,
    ) -> Iterator[None]:
        """AWS's latencies, and timeouts, memory and CPU as they are deployed.

        Args:
            visibility_seconds: As deployed if None: longer than ``drain`` waits, so that no
                message may fail.
            batch_size: Of the event source mapping.
            window_seconds: Likewise.
        """
        mapping = {"UUID": self.stack.outputs["event_source_mapping_id"]}
        update = self.stack.lambda_.update_event_source_mapping
        with contextlib.ExitStack() as cleanup:
            for function, deployed in self.deployed.items():
                variables = deployed["Environment"]["Variables"]
                cleanup.enter_context(
                    _configured(
                        self.stack,
                        f"{self.name}-{function}",
                        {"READ_TIMEOUT_SECONDS": variables["READ_TIMEOUT_SECONDS"]},
                        Timeout=deployed["Timeout"],
                        MemorySize=deployed["MemorySize"],
                    )
                )
            visibility = visibility_seconds or 6 * self.deployed["process"]["Timeout"]
            cleanup.enter_context(self.stack.quick_retries(visibility, DELIVERIES))
            before = self.stack.lambda_.get_event_source_mapping(**mapping)
            update(**mapping, BatchSize=batch_size, MaximumBatchingWindowInSeconds=window_seconds)
            cleanup.callback(
                update,
                **mapping,
                BatchSize=before["BatchSize"],
                MaximumBatchingWindowInSeconds=before.get("MaximumBatchingWindowInSeconds", 0),
            )
            cleanup.enter_context(self.proxy.slowed(AWS))
            yield
            assert self.proxy.slowed_calls, "no call was slow"
            self.confirm(1)

    def confirm(self, faults: int) -> None:
        """Counts faults that a scenario has seen itself."""
        self._confirmed += [time.time()] * faults

    def fired(self) -> list[float]:
        """When each fault was injected, in seconds since the epoch."""
        claimed = [token.stat().st_ctime for token in (self._tokens / "fired").iterdir()]
        return sorted(self.proxy.fired() + claimed + self._confirmed)

    def deliveries(self) -> list[list[str]]:
        """The ids of the messages of each invocation of process, so far and in order."""
        path = self._tokens / "deliveries"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    # Load

    def send(self, requests: Iterable[list[Attempt]], clients: int = CLIENTS) -> None:
        """Posts requests through the load balancer, each an order or an array of several."""
        with ThreadPoolExecutor(clients) as pool:
            list(pool.map(self._post, requests))

    def _post(self, attempts: list[Attempt]) -> None:
        orders = [attempt.order for attempt in attempts]
        sent_at = now()
        for attempt in attempts:
            attempt.sent_at = sent_at
        try:
            answer = self._http.request(
                "POST",
                self._url,
                body=json.dumps(orders if len(orders) > 1 else orders[0]),
                headers={"Content-Type": "application/json", "Host": f"{HOST}:80"},
            )
        except urllib3.exceptions.HTTPError:
            return
        answered_at = now()
        for attempt in attempts:
            attempt.answered_at = answered_at
            if answer.status == 202:
                attempt.outcome = Outcome.ACKNOWLEDGED
            elif 400 <= answer.status < 500:
                attempt.outcome = Outcome.REFUSED

    def enqueue(self, attempt: Attempt) -> None:
        """Puts an order on the queue past ingest, as another producer would."""
        attempt.sent_at = now()
        body = json.dumps(attempt.order)
        self.stack.sqs.send_message(QueueUrl=self.stack.outputs["queue_url"], MessageBody=body)
        attempt.outcome = Outcome.ACKNOWLEDGED

    # What comes of it

    def drain(self) -> None:
        """Waits until nothing is on the queue or in work."""
        least = self.stack.queued()
        while left := self.stack.queued():
            least = min(least, left)
            eventually(
                lambda least=least: self.stack.queued() < least,  # type: ignore[misc]
                f"less than {least} messages on the queue",
                STANDSTILL_SECONDS,
            )
        # A message may have been deleted by one delivery while another is still in work.
        eventually(lambda: not self._is_working(), "an end of all invocations", STANDSTILL_SECONDS)

    def _is_working(self) -> bool:
        for path in (self._tokens / "working").iterdir():
            with path.open() as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    return True
        return False

    def rows(self) -> list[Row]:
        """Those of this ledger."""
        pages = self.stack.dynamodb.get_paginator("scan").paginate(
            TableName=self.stack.outputs["table_name"],
            ConsistentRead=True,
            FilterExpression="begins_with(order_id, :name)",
            ExpressionAttributeValues={":name": {"S": f"{self.ledger.name}/"}},
        )
        deserialize = TypeDeserializer().deserialize
        return [
            {name: deserialize(value) for name, value in item.items()}
            for page in pages
            for item in page["Items"]
        ]

    def row_count(self) -> int:
        """Of the whole table; unlike AWS, the emulator counts them at this moment."""
        table = self.stack.dynamodb.describe_table(TableName=self.stack.outputs["table_name"])
        count: int = table["Table"]["ItemCount"]
        return count

    def take_all(self, *, of: str = "dead_letter_queue_url") -> list[Message]:
        """Everything that can be received from a queue, which has it no more."""
        take = partial(self.stack.take, self.stack.outputs[of])
        return list(chain.from_iterable(iter(take, [])))

    def put_back(self, messages: Iterable[Message], *, to: str = "queue_url") -> None:
        """Sends messages that were taken to a queue, in their order, as new ones."""
        for message in messages:
            self.stack.sqs.send_message(
                QueueUrl=self.stack.outputs[to],
                MessageBody=message["Body"],
                MessageAttributes=message.get("MessageAttributes", {}),
            )

    def redrive(self) -> int:
        """Moves all dead letters back to the queue, as an operator does; returns how many."""
        source, queue = (
            self.stack.sqs.get_queue_attributes(
                QueueUrl=self.stack.outputs[name], AttributeNames=["QueueArn"]
            )["Attributes"]["QueueArn"]
            for name in ("dead_letter_queue_url", "queue_url")
        )
        self.stack.sqs.start_message_move_task(SourceArn=source, DestinationArn=queue)

        def ended() -> dict[str, Any] | None:
            [task] = self.stack.sqs.list_message_move_tasks(SourceArn=source)["Results"]
            return None if task["Status"] == "RUNNING" else dict(task)

        task = eventually(ended, "the end of the redrive", STANDSTILL_SECONDS)
        assert task["Status"] == "COMPLETED", task
        return int(task["ApproximateNumberOfMessagesMoved"])

    # The functions

    def deploy(self, *mutations: Mutation) -> None:
        """Puts the saboteur into both functions, and mistakes, if any, into the handlers."""
        for function in FUNCTIONS:
            self.stack.lambda_.update_function_code(
                FunctionName=f"{self.name}-{function}", ZipFile=_package(function, mutations)
            )


def _package(function: str, mutations: Iterable[Mutation]) -> bytes:
    """The package that Terraform makes, but for what is to go wrong in it."""
    paths = [path for folder in (function, "shared") for path in (SOURCE / folder).glob("*.py")]
    texts = {path.relative_to(SOURCE).as_posix(): path.read_text() for path in paths}
    for mutation in mutations:
        if mutation.path in texts:
            texts[mutation.path] = mutation.applied_to(texts[mutation.path])
    return zipped({SABOTEUR.name: SABOTEUR.read_text(), **texts})


@contextlib.contextmanager
def sabotaged(stack: Stack) -> Iterator[System]:
    """The stack, its functions in the saboteur's hands and the proxy between them and AWS.

    A failed message is delivered again after seconds, and as often as it takes. In the end all is
    as it was, so that Terraform sees no change.
    """
    with contextlib.ExitStack() as cleanup:
        tokens = Path(cleanup.enter_context(tempfile.TemporaryDirectory()))
        for directory in ("fired", "working"):
            (tokens / directory).mkdir()
        proxy = cleanup.enter_context(Proxy(stack.emulator))
        unreachable_url = cleanup.enter_context(full_backlog())
        system = System(stack, proxy, tokens)
        cleanup.enter_context(stack.quick_retries(VISIBILITY_SECONDS, DELIVERIES))
        for function in FUNCTIONS:
            name = f"{system.name}-{function}"
            system.deployed[function] = stack.lambda_.get_function_configuration(FunctionName=name)
            additions = {
                "AWS_ENDPOINT_URL": proxy.url,
                "SABOTAGE_DIR": str(tokens),
                "SABOTAGED_FUNCTION": function,
                "READ_TIMEOUT_SECONDS": str(READ_TIMEOUT_SECONDS),
                "MAX_RECEIVE_COUNT": str(DELIVERIES),
                "UNREACHABLE_URL": unreachable_url,
            }
            cleanup.enter_context(_reconfigured(stack, name, additions))
        system.deploy()
        yield system


@contextlib.contextmanager
def _reconfigured(stack: Stack, name: str, additions: dict[str, str]) -> Iterator[None]:
    """The alias at $LATEST, with the saboteur's handler; afterwards all as it was."""
    code = urlsplit(stack.lambda_.get_function(FunctionName=name)["Code"]["Location"])
    version = stack.lambda_.get_alias(FunctionName=name, Name="live")["FunctionVersion"]
    package = stack.emulator.request(f"{code.path}?{code.query}")
    settings = {"Timeout": TIMEOUT_SECONDS, "MemorySize": MEMORY_SIZE, "Handler": "saboteur.handle"}
    with _configured(stack, name, additions, **settings):
        stack.lambda_.update_alias(FunctionName=name, Name="live", FunctionVersion="$LATEST")
        try:
            yield
        finally:
            stack.lambda_.update_alias(FunctionName=name, Name="live", FunctionVersion=version)
            stack.lambda_.update_function_code(FunctionName=name, ZipFile=package)


@contextlib.contextmanager
def _configured(
    stack: Stack, name: str, variables: dict[str, str], **settings: Any
) -> Iterator[None]:
    before = stack.lambda_.get_function_configuration(FunctionName=name)
    environment = before["Environment"]["Variables"]
    stack.lambda_.update_function_configuration(
        FunctionName=name, Environment={"Variables": environment | variables}, **settings
    )
    try:
        yield
    finally:
        stack.lambda_.update_function_configuration(
            FunctionName=name,
            Environment={"Variables": environment},
            **{setting: before[setting] for setting in settings},
        )


@contextlib.contextmanager
def full_backlog() -> Iterator[str]:
    """The URL of a socket that takes no more connections: it neither accepts nor refuses."""
    with contextlib.ExitStack() as cleanup:
        listener = cleanup.enter_context(socket.socket())
        listener.bind((HOST, 0))
        listener.listen(0)
        for _ in range(4):
            waiting = cleanup.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield f"https://{HOST}:{listener.getsockname()[1]}"
