"""The write path: the newest order of each key wins, at the price of a bulk write.

Orders of keys that the table does not have yet are written 25 in a call by PartiQL ``INSERT``,
which puts an item if its key is absent and answers for each item on its own. A conditional
``PutItem`` settles the others and has the last word. Where nearly all keys exist an INSERT is a
wasted call, and a wasted write; so the outcomes of the latest ones decide which is tried first.
docs/decisions has the reasons.

Calls run side by side on a few threads. What DynamoDB throttles is tried again while half of the
invocation's time is left; the rest is for what SQS delivers again.
"""

import itertools
import json
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from functools import cached_property, lru_cache
from json.encoder import encode_basestring_ascii as quote
from typing import NamedTuple, TypeVar

from shared.aws import CallError, Client, Deadline, is_throttling, jitter

MAX_STATEMENTS = 25  # in a call: API reference, "BatchExecuteStatement"
MAX_STATEMENT_BYTES = 8192  # API reference, "BatchStatementRequest"; DynamoDB Local counts UTF-8
# A request may have 16 MB ("BatchWriteItem"). Less of it is held at a time, and lost with a call.
MAX_CALL_BYTES = 2 * 1024 * 1024
FIRST_PAUSE_SECONDS = 0.1  # after throttling

# Of this many latest INSERTs, so many must have found their key for PutItem to come first: an
# INSERT for ten orders costs as much as one of ten PutItems.
REMEMBERED = 50
KNOWN_SHARE = 0.9
# Then one chunk in so many orders is inserted all the same, to see whether new keys come again.
PROBE_ORDERS = 500

# What another form of the same request would not change.
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

LOG = logging.getLogger()

T = TypeVar("T")
R = TypeVar("R")


class Entry(NamedTuple):
    key: tuple[str, ...]
    stamp: int  # microseconds since the epoch
    item: dict[str, str]  # attribute values as JSON text in wire format, the stamp included


class Outcome(Enum):
    WRITTEN = 1
    SUPERSEDED = 2  # a newer order of the key, or this very one, is stored
    FAILED = 3  # perhaps not stored; another attempt may succeed
    REFUSED = 4  # DynamoDB will never store this item


class Writer:
    """Writes to a table whose items have their stamp in the attribute ``stamp_name``."""

    def __init__(self, client: Client, table: str, stamp_name: str, parallel_calls: int) -> None:
        self._client = client
        self._table = table
        self._parallel_calls = parallel_calls
        self._condition = (
            f'"TableName":{quote(table)},"ConditionExpression":"NOT #stamp >= :stamp",'
            f'"ExpressionAttributeNames":{{"#stamp":{quote(stamp_name)}}}'
        )
        self._experience = _Experience()

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        """Threads, once there is more than one call to make."""
        return ThreadPoolExecutor(self._parallel_calls)

    def write(self, entries: Sequence[Entry], deadline: Deadline) -> list[Outcome]:
        """Writes the newest entry of each key.

        An older one shares its fate: superseded if the newest is stored, failed if that failed.
        Otherwise, if the newest were later dead-lettered, no version would be stored. Only if
        DynamoDB refuses the newest, the next is tried. Of two with the same stamp, the first is the
        newer.

        Args:
            entries: In any order.
            deadline: By when the last call ends; what is not settled by then fails.

        Returns:
            The outcomes of the entries.
        """
        outcomes = [Outcome.FAILED] * len(entries)
        rivals: dict[tuple[str, ...], list[int]] = {}
        for index, entry in enumerate(entries):
            rivals.setdefault(entry.key, []).append(index)
        for indexes in rivals.values():
            indexes.sort(key=lambda index: -entries[index].stamp)
        spare = deadline.remaining() / 2
        patience = Deadline(lambda: deadline.remaining() - spare)
        pending = list(rivals.values())
        while pending:
            newest_ones = [entries[newest] for newest, *_ in pending]
            refused = []
            for (newest, *older), outcome in zip(
                pending, self._settle(newest_ones, deadline, patience), strict=True
            ):
                outcomes[newest] = outcome
                if outcome is Outcome.REFUSED:
                    refused += [older] if older else []
                    continue
                failed = outcome is Outcome.FAILED
                for index in older:
                    outcomes[index] = Outcome.FAILED if failed else Outcome.SUPERSEDED
            pending = refused
        return outcomes

    def _settle(
        self, entries: list[Entry], deadline: Deadline, patience: Deadline
    ) -> list[Outcome]:
        """Writes entries, all of different keys."""
        outcomes: list[Outcome | None] = [None] * len(entries)
        # One order alone is put at once, at the price of its INSERT.
        chunks = [chunk for chunk in self._chunks(entries) if len(chunk) > 1]

        def insert(chunk: list[tuple[int, str]]) -> list[Outcome | None]:
            return self._insert([statement for _, statement in chunk], deadline, patience)

        for chunk, results in zip(chunks, self._side_by_side(insert, chunks), strict=True):
            for (index, _), outcome in zip(chunk, results, strict=True):
                outcomes[index] = outcome
        rest = [index for index, outcome in enumerate(outcomes) if outcome is None]

        def put(index: int) -> Outcome:
            return self._put(entries[index], deadline, patience)

        for index, result in zip(rest, self._side_by_side(put, rest), strict=True):
            outcomes[index] = result
        return [outcome or Outcome.FAILED for outcome in outcomes]

    def _side_by_side(self, job: Callable[[T], R], items: Sequence[T]) -> list[R]:
        """Does a job for each item, on this thread and those of the pool; returns the results.

        Each thread takes the next item when it is done with one: a future for each would take a
        tenth of a call's CPU.
        """
        results: dict[int, R] = {}
        indexes = iter(range(len(items)))  # threads may share this one

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
        """Statements for a call each, with the positions of their entries, none too long."""
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
        self, statements: list[str], deadline: Deadline, patience: Deadline
    ) -> list[Outcome | None]:
        """Inserts in one call, and repeats what is throttled.

        None stands for what PutItem has to settle.
        """
        outcomes: list[Outcome | None] = [None] * len(statements)
        if self._experience.expects_known_keys(len(statements)):
            return outcomes
        pending = list(range(len(statements)))
        for attempt in itertools.count(1):
            codes = self._execute([statements[index] for index in pending], deadline)
            throttled = []
            for index, code in zip(pending, codes, strict=True):
                outcomes[index] = _OUTCOMES.get(code, Outcome.FAILED)
                if code in ("", "DuplicateItem"):
                    self._experience.add(is_known=code == "DuplicateItem")
                elif is_throttling(code):
                    throttled.append(index)
            if not throttled or not patience.pause(jitter(attempt, FIRST_PAUSE_SECONDS)):
                break
            pending = throttled
        if failed := sorted({code for code in codes if _OUTCOMES.get(code) is Outcome.FAILED}):
            LOG.warning("Statements failed", extra={"errors": failed})
        return outcomes

    def _execute(self, statements: list[str], deadline: Deadline) -> list[str]:
        """The error codes of the statements, "" for those that were carried out."""
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
        return codes

    def _put(self, entry: Entry, deadline: Deadline, patience: Deadline) -> Outcome:
        """Puts the item unless the stored one is as new.

        One without a stamp, or whose stamp is no number, was not written here. It counts as older,
        or an accepted order would vanish behind it.
        """
        item = ",".join([f"{quote(name)}:{value}" for name, value in entry.item.items()])
        request = (
            f'{{{self._condition},"ExpressionAttributeValues":{{":stamp":{{"N":"{entry.stamp}"}}}},'
            f'"Item":{{{item}}}}}'
        )
        for attempt in itertools.count(1):
            if deadline.remaining() <= 0:
                return Outcome.FAILED
            try:
                self._client.call("PutItem", request, deadline)
            except CallError as error:
                if error.code == "ConditionalCheckFailedException":
                    return Outcome.SUPERSEDED
                if is_throttling(error.code) and patience.pause(
                    jitter(attempt, FIRST_PAUSE_SECONDS)
                ):
                    continue
                LOG.warning("PutItem failed", extra=error.details)
                refused = error.code == "ValidationException"
                return Outcome.REFUSED if refused else Outcome.FAILED
            return Outcome.WRITTEN
        raise AssertionError


class _Experience:
    """Whether the latest INSERTs have found their keys in the table already, for all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latest: deque[bool] = deque(maxlen=REMEMBERED)
        self._not_probed = 0  # orders since the latest INSERT

    def add(self, *, is_known: bool) -> None:
        with self._lock:
            self._latest.append(is_known)

    def expects_known_keys(self, orders: int) -> bool:
        """Whether an INSERT of so many orders is left out, as it would find all their keys."""
        with self._lock:
            if sum(self._latest) < KNOWN_SHARE * REMEMBERED:
                return False
            self._not_probed += orders
            if self._not_probed < PROBE_ORDERS:
                return True
            self._not_probed = 0
            return False


_NO_TIME = "NoTime"
_ONE_BY_ONE = "OneByOne"

# By the error code of a statement; None is for PutItem to settle. Any other may pass.
_OUTCOMES: dict[str, Outcome | None] = {
    "": Outcome.WRITTEN,
    "DuplicateItem": None,
    "ValidationError": None,
    _ONE_BY_ONE: None,
}


def _code_of_each(error: CallError) -> str:
    """What a call's failure means for each statement.

    One statement may have failed the whole call, as may their size. Then each item gets a call of
    its own, unless that would meet the same refusal.
    """
    is_of_the_request = 400 <= error.status < 500 and not is_throttling(error.code)
    if is_of_the_request and error.code not in SAME_IN_ANY_FORM_CODES:
        return _ONE_BY_ONE
    return error.code


@lru_cache(maxsize=64)
def _insert_statement(table: str, names: tuple[str, ...]) -> str | None:
    """An INSERT with a parameter for each attribute, as JSON, or None if it would be too long.

    Each name is quoted, and every quote in it doubled, so that none can end its quotes.
    """
    members = ",".join(["'" + name.replace("'", "''") + "':?" for name in names])
    statement = f'INSERT INTO "{table}" VALUE {{{members}}}'
    return json.dumps(statement) if len(statement.encode()) <= MAX_STATEMENT_BYTES else None
