"""The applied system, prepared to fail on demand and to be observed meanwhile."""

import contextlib
import fcntl
import json
import socket
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain, count
from pathlib import Path
from typing import Any

import urllib3

from local.archive import zipped
from local.emulator import HOST
from local.latency import AWS
from local.stack import Stack
from local.waiting import eventually
from tests.support.checker import Row, rows_of
from tests.support.functions import configured, mapped, replaceable
from tests.support.history import Attempt, History, Outcome, now
from tests.support.mutation import Mutation, package
from tests.support.proxy import Proxy
from tests.support.stack import quick_retries

FUNCTIONS = ("ingest", "process")
NEMESIS = Path(__file__).with_name("nemesis.py")
CLIENTS = 8
# Shorter than deployed, so that tests of timeouts take less time.
TIMEOUT_SECONDS = 10
READ_TIMEOUT_SECONDS = 2
VISIBILITY_SECONDS = 2
DELIVERIES = 1000  # SQS's limit
MEMORY_SIZE = 10240  # Lambda's maximum: no limit here
STANDSTILL_SECONDS = 60  # without progress: the queue will not drain any more

Message = dict[str, Any]  # as receive_message gives it
Headers = Callable[[str, Attempt], dict[str, str]]  # further ones of a request


class System:
    """Faults, load and observation for a scenario. `under_test` creates it."""

    def __init__(self, stack: Stack, proxy: Proxy, tokens: Path) -> None:
        self.stack = stack
        self.proxy = proxy
        self.deployed: dict[str, dict[str, Any]] = {}  # configurations by function
        self.name: str = stack.outputs["table_name"]
        self.history = History("")
        self._url = stack.url
        self._tokens = tokens
        self._token_numbers = count()
        self._confirmed: list[float] = []
        self._headers: Headers = lambda _body, _attempt: {}
        self._http = urllib3.PoolManager(
            maxsize=CLIENTS, ca_certs=str(stack.emulator.ca_bundle), retries=False, timeout=30
        )

    # Faults

    @contextlib.contextmanager
    def inject(
        self, operation: str, moment: str, action: str, times: int, of: str = ""
    ) -> Iterator[None]:
        """Injects faults into the next calls of an operation, as nemesis.py explains.

        Args:
            operation: Of AWS, or the name of a function.
            moment: "before", "after" or "within" the call.
            action: What happens.
            times: How many calls it happens to.
            of: A text that the parameters of these calls contain.
        """
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
        """Throttles items with this text in their key as one partition: so many units a second."""
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
        """Imposes AWS's latencies, with timeouts, memory and CPU as deployed.

        Args:
            visibility_seconds: As deployed if None. That is longer than `drain` waits, so no
                message may fail.
            batch_size: Of the event source mapping.
            window_seconds: The batching window of the event source mapping.
        """
        with contextlib.ExitStack() as cleanup:
            for function, deployed in self.deployed.items():
                variables = deployed["Environment"]["Variables"]
                cleanup.enter_context(
                    configured(
                        self.stack,
                        f"{self.name}-{function}",
                        {"READ_TIMEOUT_SECONDS": variables["READ_TIMEOUT_SECONDS"]},
                        Timeout=deployed["Timeout"],
                        MemorySize=deployed["MemorySize"],
                    )
                )
            visibility = visibility_seconds or 6 * self.deployed["process"]["Timeout"]
            cleanup.enter_context(quick_retries(self.stack, visibility, DELIVERIES))
            cleanup.enter_context(
                mapped(
                    self.stack, BatchSize=batch_size, MaximumBatchingWindowInSeconds=window_seconds
                )
            )
            cleanup.enter_context(self.proxy.slowed(AWS))
            yield
            assert self.proxy.slowed_calls, "no call was slow"
            self.confirm(1)

    @contextlib.contextmanager
    def versions(self, attribute: str) -> Iterator[None]:
        """Lets an attribute decide which order is the newest, as order_version_attribute does."""
        version = {"name": attribute, "type": "N", "kept_in": f"order_version_N_{attribute}"}
        with contextlib.ExitStack() as cleanup:
            for function in FUNCTIONS:
                variables = {"ORDER_VERSION": json.dumps(version)}
                cleanup.enter_context(self.settings(function, variables))
            self.history.version = attribute
            yield

    @contextlib.contextmanager
    def settings(self, function: str, variables: dict[str, str]) -> Iterator[None]:
        """Gives a function further environment variables, and so new execution environments."""
        with configured(self.stack, f"{self.name}-{function}", variables):
            yield

    @contextlib.contextmanager
    def signed_by(self, headers: Headers) -> Iterator[None]:
        """Adds headers to each request."""
        before, self._headers = self._headers, headers
        try:
            yield
        finally:
            self._headers = before

    def confirm(self, faults: int) -> None:
        """Counts faults that a scenario has observed itself."""
        self._confirmed += [time.time()] * faults

    def fired(self) -> list[float]:
        """Returns when each fault was injected, in seconds since the epoch."""
        claimed = [token.stat().st_ctime for token in (self._tokens / "fired").iterdir()]
        return sorted(self.proxy.fired() + claimed + self._confirmed)

    def deliveries(self) -> list[list[str]]:
        """Returns the message IDs of each invocation of process so far, in order."""
        path = self._tokens / "deliveries"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    # Load

    def send(self, requests: Iterable[list[Attempt]], clients: int = CLIENTS) -> None:
        """Posts requests through the load balancer, each an order or an array of orders."""
        with ThreadPoolExecutor(clients) as pool:
            list(pool.map(self._post, requests))

    def _post(self, attempts: list[Attempt]) -> None:
        orders = [attempt.order for attempt in attempts]
        body = json.dumps(orders if len(orders) > 1 else orders[0])
        headers = {"Content-Type": "application/json", "Host": f"{HOST}:80"}
        sent_at = now()
        for attempt in attempts:
            attempt.sent_at = sent_at
        try:
            answer = self._http.request(
                "POST",
                self._url,
                body=body,
                headers=headers | self._headers(body, attempts[0]),
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
        """Puts an order on the queue, bypassing ingest as another producer would."""
        attempt.sent_at = now()
        body = json.dumps(attempt.order)
        self.stack.sqs.send_message(QueueUrl=self.stack.outputs["queue_url"], MessageBody=body)
        attempt.outcome = Outcome.ACKNOWLEDGED

    # Observation

    def drain(self) -> None:
        """Waits until no message is on the queue and no invocation is running."""
        least = self.stack.queued()
        while left := self.stack.queued():
            least = min(least, left)
            eventually(
                lambda least=least: self.stack.queued() < least,  # type: ignore[misc]
                f"fewer than {least} messages on the queue",
                STANDSTILL_SECONDS,
            )
        # One delivery may have deleted a message that another is still working on.
        eventually(lambda: not self._is_working(), "the end of all invocations", STANDSTILL_SECONDS)

    def _is_working(self) -> bool:
        for path in (self._tokens / "working").iterdir():
            with path.open() as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    return True
        return False

    def rows(self) -> list[Row]:
        """Returns the rows of this history."""
        pages = self.stack.dynamodb.get_paginator("scan").paginate(
            TableName=self.stack.outputs["table_name"],
            ConsistentRead=True,
            FilterExpression="begins_with(order_id, :name)",
            ExpressionAttributeValues={":name": {"S": f"{self.history.name}/"}},
        )
        return rows_of(item for page in pages for item in page["Items"])

    def row_count(self) -> int:
        """Counts the rows of the whole table. Unlike AWS, the emulator always knows the number."""
        table = self.stack.dynamodb.describe_table(TableName=self.stack.outputs["table_name"])
        count: int = table["Table"]["ItemCount"]
        return count

    def take_all(self, *, of: str = "dead_letter_queue_url") -> list[Message]:
        """Receives and deletes all available messages of a queue."""
        take = partial(self.stack.take, self.stack.outputs[of])
        return list(chain.from_iterable(iter(take, [])))

    def put_back(self, messages: Iterable[Message], *, to: str = "queue_url") -> None:
        """Sends received messages to a queue again, in the given order, as new messages."""
        for message in messages:
            self.stack.sqs.send_message(
                QueueUrl=self.stack.outputs[to],
                MessageBody=message["Body"],
                MessageAttributes=message.get("MessageAttributes", {}),
            )

    # The functions

    def deploy(self, *mutations: Mutation) -> None:
        """Deploys both functions with the nemesis, and with mutations if there are any."""
        for function in FUNCTIONS:
            self.stack.lambda_.update_function_code(
                FunctionName=f"{self.name}-{function}", ZipFile=_package(function, mutations)
            )


def _package(function: str, mutations: Iterable[Mutation]) -> bytes:
    """Returns the package that Terraform builds, plus the nemesis and the mutations."""
    texts = package(function)
    for mutation in mutations:
        if mutation.path in texts:
            texts[mutation.path] = mutation.applied_to(texts[mutation.path])
    return zipped({NEMESIS.name: NEMESIS.read_text(), **texts})


@contextlib.contextmanager
def under_test(stack: Stack) -> Iterator[System]:
    """Adds the nemesis to the functions, and puts the proxy between them and AWS.

    Failed messages are redelivered after seconds, without a limit. Everything is restored in the
    end: Terraform then sees no change.
    """
    with contextlib.ExitStack() as cleanup:
        tokens = Path(cleanup.enter_context(tempfile.TemporaryDirectory()))
        for directory in ("fired", "working"):
            (tokens / directory).mkdir()
        proxy = cleanup.enter_context(Proxy(stack.emulator))
        unreachable_url = cleanup.enter_context(full_backlog())
        system = System(stack, proxy, tokens)
        cleanup.enter_context(quick_retries(stack, VISIBILITY_SECONDS, DELIVERIES))
        settings = {
            "Timeout": TIMEOUT_SECONDS,
            "MemorySize": MEMORY_SIZE,
            "Handler": "nemesis.handle",
        }
        for function in FUNCTIONS:
            name = f"{system.name}-{function}"
            system.deployed[function] = stack.lambda_.get_function_configuration(FunctionName=name)
            additions = {
                "AWS_ENDPOINT_URL": proxy.url,
                "NEMESIS_DIR": str(tokens),
                "NEMESIS_FUNCTION": function,
                "READ_TIMEOUT_SECONDS": str(READ_TIMEOUT_SECONDS),
                "MAX_RECEIVE_COUNT": str(DELIVERIES),
                "UNREACHABLE_URL": unreachable_url,
            }
            cleanup.enter_context(replaceable(stack, name, additions, **settings))
        system.deploy()
        yield system


@contextlib.contextmanager
def full_backlog() -> Iterator[str]:
    """Yields the URL of a socket that neither accepts nor refuses connections."""
    with contextlib.ExitStack() as cleanup:
        listener = cleanup.enter_context(socket.socket())
        listener.bind((HOST, 0))
        listener.listen(0)
        for _ in range(4):
            waiting = cleanup.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield f"https://{HOST}:{listener.getsockname()[1]}"
