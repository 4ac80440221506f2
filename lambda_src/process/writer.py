"""The second step: the newest order of each key is stored, at the price of a bulk write.

Orders whose key is not in the table yet are written 25 per call by PartiQL ``INSERT``, which puts
an item if its key is absent and answers for each item separately. All others go through a
conditional ``PutItem``, which has the last word. Where nearly all keys exist, an INSERT is a wasted
call and a wasted write; so the outcomes of recent INSERTs decide which is tried first.
docs/decisions has the reasons.

Calls run concurrently on a few threads. A throttled call is retried while more than half of the
invocation's remaining time is left; after that, SQS's redelivery takes over.
"""

import itertools
import json
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, lru_cache
from json.encoder import encode_basestring_ascii as quote
from typing import Any, TypeVar

from process.messages import Entry, Outcome
from shared.aws import CallError, Client, Deadline, is_throttling, jitter

MAX_STATEMENTS = 25  # per call: API reference, "BatchExecuteStatement"
MAX_STATEMENT_BYTES = 8192  # API reference, "BatchStatementRequest"; DynamoDB Local counts UTF-8
# A request may have 16 MB ("BatchWriteItem"). A smaller one takes less memory, and less is lost if
# it fails.
MAX_CALL_BYTES = 2 * 1024 * 1024
FIRST_PAUSE_SECONDS = 0.1  # after throttling

# PutItem comes first once this share of the last INSERT_SAMPLES statements found their key: an
# INSERT of ten orders costs as much as one of ten PutItems.
INSERT_SAMPLES = 50
KNOWN_SHARE = 0.9
# Meanwhile, once per this many orders, a chunk is inserted to find out whether keys are new again.
PROBE_ORDERS = 500

# Errors that no other form of the same request would avoid.
SAME_IN_ANY_FORM_CODES = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "OptInRequired",
        "RequestExpired",
        "ResourceNotFoundException",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)

_NO_TIME = "NoTime"
_ONE_BY_ONE = "OneByOne"

# By the error code of a statement; None leaves the order to PutItem. Any other code is transient.
_OUTCOMES: dict[str, Outcome | None] = {
    "": Outcome.WRITTEN,
    "DuplicateItem": None,
    "ValidationError": None,
    _ONE_BY_ONE: None,
}

LOG = logging.getLogger()

T = TypeVar("T")
R = TypeVar("R")


class Writer:
    """Writes orders to a table."""

    def __init__(
        self, client: Client, table: str, accepted_at_name: str, parallel_calls: int
    ) -> None:
        """Initializes a writer.

        Args:
            client: Of DynamoDB.
            table: Name of the table.
            accepted_at_name: The attribute that has an order's ``accepted_at``.
            parallel_calls: How many calls run at the same time at most.
        """
        self._client = client
        self._table = table
        self._parallel_calls = parallel_calls
        self._condition = (
            f'"TableName":{quote(table)},"ConditionExpression":"NOT #accepted_at >= :accepted_at",'
            f'"ExpressionAttributeNames":{{"#accepted_at":{quote(accepted_at_name)}}}'
        )
        self._insert_statistics = _InsertStatistics()

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        """Threads, started when there is more than one call to make."""
        return ThreadPoolExecutor(self._parallel_calls)

    def write(self, entries: Sequence[Entry], deadline: Deadline) -> list[Outcome]:
        """Writes the newest entry of each key.

        Older ones share its fate: superseded if the newest is stored, a transient failure if that
        failed. Otherwise, if the newest were later dead-lettered, no version would be stored. Only
        if DynamoDB refuses the newest is the next one tried. Of two entries of the same rank, the
        first counts as newer.

        Args:
            entries: In any order.
            deadline: By when the last call ends; entries not written by then fail.

        Returns:
            The outcomes of the entries.
        """
        outcomes = [Outcome.TRANSIENT_FAILURE] * len(entries)
        rivals: dict[tuple[str, ...], list[int]] = {}
        for index, entry in enumerate(entries):
            rivals.setdefault(entry.key, []).append(index)
        for indexes in rivals.values():
            if len(indexes) > 1:
                indexes.sort(key=lambda index: self._rank(entries[index]), reverse=True)
        reserved = deadline.remaining() / 2
        retry_deadline = Deadline(lambda: deadline.remaining() - reserved)
        pending = list(rivals.values())
        while pending:
            newest_ones = [entries[newest] for newest, *_ in pending]
            refused = []
            for (newest, *older), outcome in zip(
                pending, self._write_distinct(newest_ones, deadline, retry_deadline), strict=True
            ):
                outcomes[newest] = outcome
                if outcome is Outcome.PERMANENT_FAILURE:
                    refused += [older] if older else []
                    continue
                is_failure = outcome is Outcome.TRANSIENT_FAILURE
                for index in older:
                    outcomes[index] = outcome if is_failure else Outcome.SUPERSEDED
            pending = refused
        return outcomes

    def _rank(self, entry: Entry) -> Any:
        """Returns what is greater for a newer entry of the same key."""
        return entry.accepted_at

    def _condition_of(self, entry: Entry) -> tuple[str, str]:  # noqa: ARG002 - for subclasses
        """Returns a PutItem's condition, and its values other than ``accepted_at``, as JSON."""
        return self._condition, ""

    def _write_distinct(
        self, entries: list[Entry], deadline: Deadline, retry_deadline: Deadline
    ) -> list[Outcome]:
        """Writes entries that all have different keys."""
        outcomes: list[Outcome | None] = [None] * len(entries)
        # A chunk of one is left to PutItem, which costs as much as its INSERT.
        chunks = [chunk for chunk in self._chunks(entries) if len(chunk) > 1]

        def insert(chunk: list[tuple[int, str]]) -> list[Outcome | None]:
            return self._insert([statement for _, statement in chunk], deadline, retry_deadline)

        for chunk, results in zip(chunks, self._concurrently(insert, chunks), strict=True):
            for (index, _), outcome in zip(chunk, results, strict=True):
                outcomes[index] = outcome
        rest = [index for index, outcome in enumerate(outcomes) if outcome is None]

        def put(index: int) -> Outcome:
            return self._put(entries[index], deadline, retry_deadline)

        for index, result in zip(rest, self._concurrently(put, rest), strict=True):
            outcomes[index] = result
        return [outcome or Outcome.TRANSIENT_FAILURE for outcome in outcomes]

    def _concurrently(self, job: Callable[[T], R], items: Sequence[T]) -> list[R]:
        """Does a job for each item, on this thread and those of the pool, and returns the results.

        Each thread takes the next item when it has finished one: a future for each item would cost
        a tenth of a call's CPU.
        """
        results: dict[int, R] = {}
        indexes = iter(range(len(items)))  # which threads may share

        def work() -> None:
            for index in indexes:
                results[index] = job(items[index])

        others = min(len(items), self._parallel_calls) - 1
        futures = [self._pool.submit(work) for _ in range(others)]
        try:
            work()
        finally:
            for future in futures:
                future.result()
        return [results[index] for index in range(len(items))]

    def _chunks(self, entries: list[Entry]) -> Iterable[list[tuple[int, str]]]:
        """Yields the statements for one call at a time, with the positions of their entries.

        Entries whose statement would be too long are left out.
        """
        chunk: list[tuple[int, str]] = []
        size = 0
        for index, entry in enumerate(entries):
            statement = _insert_statement(self._table, tuple(entry.item))
            if statement is None:
                continue
            text = f'{{"Statement":{statement},"Parameters":[{",".join(entry.item.values())}]}}'
            if len(chunk) == MAX_STATEMENTS or (chunk and size + len(text) > MAX_CALL_BYTES):
                yield chunk
                chunk, size = [], 0
            chunk.append((index, text))
            size += len(text)
        if chunk:
            yield chunk

    def _insert(
        self, statements: list[str], deadline: Deadline, retry_deadline: Deadline
    ) -> list[Outcome | None]:
        """Inserts in one call, and retries throttled statements.

        Returns:
            The outcomes of the statements; None for those left to PutItem.
        """
        outcomes: list[Outcome | None] = [None] * len(statements)
        if self._insert_statistics.expects_known_keys(len(statements)):
            return outcomes
        pending = list(range(len(statements)))
        for attempt in itertools.count(1):
            codes = self._execute([statements[index] for index in pending], deadline)
            throttled = []
            for index, code in zip(pending, codes, strict=True):
                outcomes[index] = _OUTCOMES.get(code, Outcome.TRANSIENT_FAILURE)
                if code in ("", "DuplicateItem"):
                    self._insert_statistics.add(is_known=code == "DuplicateItem")
                elif is_throttling(code):
                    throttled.append(index)
            if not throttled or not retry_deadline.pause(jitter(attempt, FIRST_PAUSE_SECONDS)):
                break
            pending = throttled
        return outcomes

    def _execute(self, statements: list[str], deadline: Deadline) -> list[str]:
        """Returns the error codes of the statements, "" for those that were carried out."""
        if deadline.remaining() <= 0:
            return [_NO_TIME] * len(statements)
        request = f'{{"Statements":[{",".join(statements)}]}}'
        try:
            output = self._client.call("BatchExecuteStatement", request, deadline)
            answers = output["Responses"]
            codes = [answer["Error"]["Code"] if "Error" in answer else "" for answer in answers]
            if len(codes) != len(statements):
                raise CallError("OtherStatementsAnswered", status=200)
        except CallError as error:
            LOG.warning("BatchExecuteStatement failed", extra=error.details)
            return [_code_of_each(error)] * len(statements)
        except (KeyError, TypeError):
            LOG.warning("BatchExecuteStatement failed", extra={"error": "MalformedAnswer"})
            return ["MalformedAnswer"] * len(statements)
        failed = {code for code in codes if code not in _OUTCOMES and not is_throttling(code)}
        if failed:
            LOG.warning("Statements failed", extra={"errors": sorted(failed)})
        return codes

    def _put(self, entry: Entry, deadline: Deadline, retry_deadline: Deadline) -> Outcome:
        """Puts the item unless the stored one is at least as new.

        A stored item whose accepted_at is missing or not a number was not written here. It counts
        as older, or it would hide an accepted order forever.
        """
        item = ",".join([f"{quote(name)}:{value}" for name, value in entry.item.items()])
        condition, values = self._condition_of(entry)
        request = (
            f'{{{condition},"ExpressionAttributeValues":'
            f'{{":accepted_at":{{"N":"{entry.accepted_at}"}}{values}}},"Item":{{{item}}}}}'
        )
        for attempt in itertools.count(1):
            if deadline.remaining() <= 0:
                return Outcome.TRANSIENT_FAILURE
            try:
                self._client.call("PutItem", request, deadline)
            except CallError as error:
                if error.code == "ConditionalCheckFailedException":
                    return Outcome.SUPERSEDED
                if is_throttling(error.code) and retry_deadline.pause(
                    jitter(attempt, FIRST_PAUSE_SECONDS)
                ):
                    continue
                LOG.warning("PutItem failed", extra=error.details)
                is_refused = error.code == "ValidationException"
                return Outcome.PERMANENT_FAILURE if is_refused else Outcome.TRANSIENT_FAILURE
            return Outcome.WRITTEN
        raise AssertionError


class _InsertStatistics:
    """Whether recent INSERTs found their keys in the table already, counted over all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latest: deque[bool] = deque(maxlen=INSERT_SAMPLES)
        self._not_probed = 0  # orders since the latest INSERT

    def add(self, *, is_known: bool) -> None:
        with self._lock:
            self._latest.append(is_known)

    def expects_known_keys(self, orders: int) -> bool:
        """Returns whether to skip an INSERT of so many orders, as their keys should all exist."""
        with self._lock:
            if sum(self._latest) < KNOWN_SHARE * INSERT_SAMPLES:
                return False
            self._not_probed += orders
            if self._not_probed < PROBE_ORDERS:
                return True
            self._not_probed = 0
            return False


def _code_of_each(error: CallError) -> str:
    """Returns what a call's failure means for each of its statements.

    A single statement, or the size of all, may have failed the whole call. Then each item gets a
    call of its own, unless that would fail in the same way.
    """
    is_client_error = 400 <= error.status < 500 and not is_throttling(error.code)
    if is_client_error and error.code not in SAME_IN_ANY_FORM_CODES:
        return _ONE_BY_ONE
    return error.code


@lru_cache(maxsize=64)
def _insert_statement(table: str, names: tuple[str, ...]) -> str | None:
    """Returns an INSERT with a parameter for each attribute, as JSON; None if it is too long.

    Each name is quoted, with the quotes in it doubled, so that no name can break out of its quotes.
    """
    members = ",".join(["'" + name.replace("'", "''") + "':?" for name in names])
    statement = f'INSERT INTO "{table}" VALUE {{{members}}}'
    return json.dumps(statement) if len(statement.encode()) <= MAX_STATEMENT_BYTES else None
