"""Kills `dlq redrive` with SIGKILL at random moments, under load, and accounts for every order.

The dead letters are those of process and of SQS, with and without accepted_at, of one order and of
several, some of them older than an order of the same key that is posted meanwhile, and some that
can never be stored. Each killed run is continued by the next.
"""

import itertools
import json
import random
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.screen import Screen
from local.stack import Stack
from tests.support import ops
from tests.support.checker import check, rows_of
from tests.support.history import Attempt, History, Outcome, now

DEAD_LETTERS = 200  # in the queue when a run starts
KILLS_OF_A_RUN = 6  # at most, before one is let to its end
RATE = 60  # messages a second, so that a run lasts long enough to be killed at any of its steps
VISIBILITY = 5  # seconds: the shortest that the command takes
LONGEST_SECONDS = 4.0  # until a run is killed
ATTEMPTS_TO_END = 8
REASONS = ('"qty" must be a number', "order 0: is refused by a hook")
# How a run is told to go; a killed one must be continued in the same way.
WAYS = (
    ("--by", "mover"),
    ("--by", "mover", "--reason", "REFUSED"),
    ("--by", "mover", "--without-reason"),
    ("--by", "auto"),
)


@dataclass
class Kills:
    """What `make operate` reports."""

    kills: int = 0
    runs: int = 0
    orders: int = 0
    stored: int = 0
    superseded: int = 0
    lost: list[Any] = field(default_factory=list)
    unexpected: list[Any] = field(default_factory=list)
    stale: list[Any] = field(default_factory=list)
    left_behind: list[str] = field(default_factory=list)

    @property
    def figures(self) -> dict[str, int]:
        return {
            name: len(value) if isinstance(value, list) else value
            for name, value in vars(self).items()
        }

    @property
    def is_good(self) -> bool:
        return not (self.lost or self.unexpected or self.stale or self.left_behind)


class Killer:
    """The load, the dead letters, and the runs that are killed."""

    def __init__(self, stack: Stack, seed: int, dead_letters: int = DEAD_LETTERS) -> None:
        self._stack = stack
        self._dead_letters = dead_letters
        self._random = random.Random(seed)
        self._history = History(f"kills-{seed}")
        self._keys = itertools.count()
        self._lock = threading.Lock()  # of the history
        self._name = stack.outputs["table_name"]
        self._permanent = 0

    def run(self, kills: int, screen: Screen | None = None) -> Kills:
        """Kills as many runs, then lets one end. Returns the account."""
        result = Kills()
        with tempfile.TemporaryDirectory() as directory, self._load():
            state = Path(directory)
            while result.kills < kills:
                way = self._random.choice(WAYS)
                self._fill()
                for _ in range(min(KILLS_OF_A_RUN, kills - result.kills)):
                    result.runs += 1
                    ended = self._killed(state, way)
                    if ended is not None:
                        break
                    result.kills += 1
                    if screen:
                        screen.line(f"  killed {result.kills} of {kills}: {' '.join(way)}")
                if ended is None:
                    self._to_the_end(state, way)
            self._to_the_end(state, WAYS[0])
            result.left_behind += _left_in(state)
        self._account(result)
        return result

    def _killed(self, state: Path, way: tuple[str, ...]) -> int | None:
        """Starts a run and kills it. Returns its exit code if it has ended before."""
        with ops.start(self._stack.emulator, state, *self._arguments(way)) as process:
            try:
                process.communicate(timeout=self._random.uniform(0.2, LONGEST_SECONDS))
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                return None
            return process.returncode

    def _to_the_end(self, state: Path, way: tuple[str, ...]) -> None:
        for _ in range(ATTEMPTS_TO_END):
            arguments = self._arguments(way)
            result = ops.run(self._stack.emulator, state, *arguments, accept=(0, 1, 3))
            if result.returncode != 3:
                return
        raise AssertionError(f"still not done: {result.stderr}")

    def _arguments(self, way: tuple[str, ...]) -> list[str]:
        options = ("--visibility", str(VISIBILITY), "--rate", str(RATE), "--wait", "0s")
        return ["dlq", "redrive", "--name", self._name, *way, *options, "--yes"]

    @contextmanager
    def _load(self) -> Iterator[None]:
        """Posts orders meanwhile: new ones, and newer ones of keys that dead letters have."""
        done = threading.Event()

        def post() -> None:
            while not done.wait(0.01):
                with self._lock:
                    attempt = self._order(self._random.random() < 0.5)
                attempt.sent_at = now()
                answer = self._stack.post(attempt.order)
                if answer.status == 202:
                    attempt.answered_at = now()
                    attempt.outcome = Outcome.ACKNOWLEDGED

        thread = threading.Thread(target=post, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _order(self, again: bool) -> Attempt:
        if again and self._history.attempts:
            known = self._random.choice(list(self._history.attempts.values()))
            if known.is_storable:
                return self._history.order(known.key[0].rpartition("/")[2])
        return self._history.order(next(self._keys))

    def _fill(self) -> None:
        """Puts dead letters into the queue, as process or SQS does, until there are enough."""
        url = self._stack.outputs["dead_letter_queue_url"]
        found = self._stack.sqs.get_queue_attributes(
            QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"]
        )["Attributes"]
        missing = max(0, self._dead_letters - int(found["ApproximateNumberOfMessages"]))
        entries = [self._dead_letter(number) for number in range(missing)]
        for start in range(0, len(entries), 10):
            answer = self._stack.sqs.send_message_batch(
                QueueUrl=url, Entries=entries[start : start + 10]
            )
            assert not answer.get("Failed")

    def _dead_letter(self, number: int) -> dict[str, Any]:
        with self._lock:
            if self._permanent < 3 and self._random.random() < 0.05:
                self._permanent += 1
                attempts = [self._history.permanent_failure()]
            else:
                attempts = [self._order(False) for _ in range(self._random.choice((1, 1, 3)))]
        accepted_at = now() // 1000 * 1000  # as SQS keeps time
        for attempt in attempts:
            attempt.sent_at, attempt.outcome = accepted_at, Outcome.ACKNOWLEDGED
            attempt.answered_at = accepted_at + 10**6
        attributes = {}
        if self._random.random() < 0.7:
            attributes["accepted_at"] = ("Number", str(accepted_at))
            attributes["failure_reason"] = ("String", self._random.choice(REASONS))
            attributes["failed_at"] = ("Number", str(accepted_at))
        return {
            "Id": str(number % 10),
            "MessageBody": _compact([one.order for one in attempts]),
            "MessageAttributes": {
                name: {"DataType": kind, "StringValue": value}
                for name, (kind, value) in attributes.items()
            },
        }

    def _account(self, result: Kills) -> None:
        # One invocation may have deleted a message while another still works on its copy.
        self._stack.wait_for_empty_queue(120)
        url = self._stack.outputs["dead_letter_queue_url"]
        hidden = self._in_flight(url)
        if hidden:
            result.left_behind.append(f"{hidden} dead letters are invisible")
        taken: list[Any] = []
        while messages := self._stack.take_dead_letters():
            taken += messages
        verdict = check(self._history, self._rows(), [message["Body"] for message in taken])
        result.left_behind += [f"dead letter {number}" for number in verdict.given_up]
        result.orders = len(self._history.attempts)
        result.stored, result.superseded = verdict.stored, verdict.superseded
        result.lost, result.unexpected = list(verdict.lost), list(verdict.unexpected)
        result.stale = list(verdict.stale)

    def _in_flight(self, url: str) -> int:
        name = "ApproximateNumberOfMessagesNotVisible"
        found = self._stack.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])
        return int(found["Attributes"][name])

    def _rows(self) -> list[dict[str, Any]]:
        pages = self._stack.dynamodb.get_paginator("scan").paginate(
            TableName=self._stack.outputs["table_name"],
            ConsistentRead=True,
            FilterExpression="begins_with(order_id, :name)",
            ExpressionAttributeValues={":name": {"S": f"{self._history.name}/"}},
        )
        return rows_of(item for page in pages for item in page["Items"])


def _compact(orders: list[dict[str, Any]]) -> str:
    return json.dumps(orders if len(orders) > 1 else orders[0], separators=(",", ":"))


def _left_in(state: Path) -> list[str]:
    """Returns what a run has left: a journal of something unfinished, or a torn file."""
    files = [path for path in state.rglob("*") if path.is_file()]
    left = [
        f"{path.name} is not empty"
        for path in files
        if path.name == "journal.jsonl" and path.stat().st_size
    ]
    left += [path.name for path in files if path.suffix != ".jsonl"]
    return left
