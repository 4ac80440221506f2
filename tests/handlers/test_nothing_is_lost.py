"""For any interleaving, duplication, redrive and partial failure: no accepted order is lost.

A model of the system with the real handlers, a queue that delivers at least once and in any order,
a dead-letter queue, and a table that fails now and then. test_fake_dynamodb holds the fake of
DynamoDB to DynamoDB Local.
"""

import contextlib
import itertools
import json
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, NamedTuple

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
)

from ingest import handler as ingest
from local.events import Context, received, request
from process import handler as process
from shared import telemetry
from shared.aws import CallError, Deadline
from shared.version import Version
from tests.support.fakes import FakeDynamoDB, FakeSqs, error
from tests.support.properties import examples
from tests.support.runtime import invoke
from tests.support.versions import NUMBER, set_versions

pytestmark = pytest.mark.usefixtures("quick_calls")

MAX_RECEIVE_COUNT = 3

ORDER_IDS = st.sampled_from("abc")
# Ingest accepts a "refused" order, and the table refuses it.
REQUESTS = st.lists(
    st.tuples(ORDER_IDS, st.sampled_from(["fine", "fine", "fine", "refused"])),
    min_size=1,
    max_size=3,
    unique_by=lambda order: order[0],
)
FATES = st.sampled_from(
    ["ok"] * 6 + ["ThrottlingException", "InternalServerError", "ValidationException", "lost"]
)
STATEMENT_FATES = st.sampled_from(["ok"] * 4 + ["ThrottlingError", "InternalServerError"])
VERSIONS = ["-1", "2", "2.0", "20E-1", "3", "9" * 38]
NOTHING = (Fraction(-(10**9)), 0)  # below the rank of any order
SEND_FATES = st.sampled_from(["ok"] * 3 + ["throttled", "lost"])


class Order(NamedTuple):
    order_id: str
    number: int  # unique to the request
    accepted_at: int
    is_refused: bool
    version: str | None = None

    @property
    def rank(self) -> tuple[Fraction, int]:
        """Of the orders of a key, the greatest must stay: the first accepted of equal versions."""
        if self.version is None:
            return Fraction(0), self.accepted_at
        return Fraction(self.version), -self.accepted_at


class Queue(FakeSqs):
    """Both queues; SQS may fail, or accept a message although the answer is lost."""

    def __init__(self) -> None:
        super().__init__()
        self.fates: Iterator[str] = iter([])

    def call(self, operation: str, parameters: str, deadline: Deadline) -> Any:
        fate = next(self.fates, "ok")
        if fate == "throttled":
            raise error("ThrottlingException")
        answer = super().call(operation, parameters, deadline)
        if fate == "lost":
            raise CallError("ReadTimeout")
        return answer


class Pipeline(RuleBasedStateMachine):
    version: Version | None = None

    def __init__(self) -> None:
        super().__init__()
        self.queue = Queue()
        self.dynamodb = FakeDynamoDB()
        self.dynamodb.refuses = lambda item: item["kind"] == {"S": "refused"}
        self.messages: dict[str, dict[str, Any]] = {}  # in the queue, by id
        self.dead: list[dict[str, Any]] = []
        self.accepted: list[Order] = []
        self.arrived: list[Order] = []  # accepted, or answered 503 because SQS's answer was lost
        self.ids = map(str, itertools.count())
        self.numbers = itertools.count()
        self.now = 1_700_000_000_000_000
        self._patches = contextlib.ExitStack()
        patch = self._patches.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(Deadline, "pause", lambda self, seconds: seconds < self.remaining())
        patch.setattr(ingest.QUEUE, "_client", self.queue)
        patch.setattr(process.DEAD_LETTER_QUEUE, "_client", self.queue)
        set_versions(patch, self.version, self.dynamodb)
        patch.setattr(telemetry, "now_microseconds", lambda: self.now)

    # What may happen

    @rule(
        orders=REQUESTS,
        clock=st.integers(-3, 5),
        fate=SEND_FATES,
        version=st.sampled_from(VERSIONS),
    )
    def accept(self, orders: list[tuple[str, str]], clock: int, fate: str, version: str) -> None:
        """A client sends orders to an instance of ingest whose clock may lag behind another's."""
        self.now += clock
        number = next(self.numbers)
        document = [
            f'{{"order_id":"{order_id}","item":"Kopi","number":{number},"kind":"{kind}"'
            f"{self._member(version)}}}"
            for order_id, kind in orders
        ]
        self.queue.fates = iter([fate])
        answer = invoke(ingest.handle, request(f"[{','.join(document)}]")).answer
        sent = [
            Order(key, number, self.now, kind == "refused", version if self.version else None)
            for key, kind in orders
        ]
        assert answer["statusCode"] == (202 if fate == "ok" else 503)
        if fate == "ok":
            self.accepted += sent
        if fate != "throttled":
            self.arrived += sent
        self._take_in(to_dead_letter_queue=False)

    @precondition(lambda self: self.messages)
    @rule(data=st.data())
    def deliver(self, data: st.DataObject) -> None:
        """Lambda gets some messages, in any order; table and queue may fail meanwhile."""
        ids = data.draw(st.lists(st.sampled_from(sorted(self.messages)), min_size=1, max_size=6))
        fates = iter(data.draw(st.lists(FATES, max_size=6)))
        statement_fates = iter(data.draw(st.lists(STATEMENT_FATES, max_size=6)))
        self.dynamodb.plan = lambda what: next(fates if what == "call" else statement_fates, "ok")
        self.queue.fates = iter(data.draw(st.lists(SEND_FATES, max_size=4)))
        looks_in_time = iter([True] * data.draw(st.integers(0, 30) | st.just(1000)))
        self._deliver(ids, Context(lambda: 30_000 if next(looks_in_time, False) else 0))

    @precondition(lambda self: self.messages)
    @rule(data=st.data())
    def duplicate(self, data: st.DataObject) -> None:
        """SQS delivers a message once more. A copy that outlives the deletion of the other is
        the same as a message that was sent twice."""
        message = data.draw(st.sampled_from(sorted(self.messages)))
        self.messages[next(self.ids)] = {**self.messages[message]}

    @precondition(lambda self: self.dead)
    @rule(data=st.data())
    def redrive(self, data: st.DataObject) -> None:
        """An operator moves a message back, which gives it a new id and a new sending time."""
        self._redrive(data.draw(st.integers(0, len(self.dead) - 1)))

    # What must be true

    @invariant()
    def no_accepted_order_is_lost(self) -> None:
        waiting = {
            order["number"]
            for message in [*self.messages.values(), *self.dead]
            for order in json.loads(message["body"])
        }
        for order in self.accepted:
            assert order.number in waiting or self._stored_rank(order.order_id) >= order.rank

    @invariant()
    def what_is_stored_is_what_was_sent(self) -> None:
        known = {(order.order_id, str(order.number)): order for order in self.arrived}
        for (order_id, _), item in self.dynamodb.table.items():
            order = known[order_id, item["number"]["N"]]
            assert str(order.accepted_at) == item["accepted_at"]["N"]
            assert self._stored_rank(order_id) == order.rank
            assert not order.is_refused

    def teardown(self) -> None:
        """Once nothing fails any more, every order is stored, superseded or dead-lettered."""
        try:
            self.dynamodb.plan = lambda _: "ok"
            self.queue.fates = iter([])
            while self.dead:
                self._redrive(0)
            while self.messages:
                self._deliver(list(self.messages)[:10], Context())
            self.no_accepted_order_is_lost()
            dead = {order["number"] for m in self.dead for order in json.loads(m["body"])}
            for order_id in "abc":
                orders = [order for order in self.arrived if order.order_id == order_id]
                stored = max([o.rank for o in orders if not o.is_refused], default=NOTHING)
                assert self._stored_rank(order_id) == stored
                for order in orders:
                    assert not order.is_refused or order.number in dead or stored >= order.rank
        finally:
            self._patches.close()

    # How it happens

    def _deliver(self, ids: list[str], context: Context) -> None:
        records = [{"messageId": message_id, **self.messages[message_id]} for message_id in ids]
        answer = invoke(process.handle, {"Records": records}, context).answer
        failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        assert failed <= set(ids)
        for message_id in dict.fromkeys(ids):
            message = self.messages[message_id]
            if message_id not in failed:
                del self.messages[message_id]
                continue
            message["receive_count"] += 1
            if message["receive_count"] >= MAX_RECEIVE_COUNT:
                self.dead.append(self.messages.pop(message_id))
        self._take_in(to_dead_letter_queue=True)

    def _take_in(self, *, to_dead_letter_queue: bool) -> None:
        """Moves the messages that the handlers sent to the queue or the dead letters."""
        for sent in self.queue.sent:
            assert ("dead-letter" in sent["QueueUrl"]) == to_dead_letter_queue
            message = {
                "body": sent["MessageBody"],
                "attributes": {"SentTimestamp": str(self.now // 1000)},
                "messageAttributes": received(sent["MessageAttributes"]),
                "receive_count": 0,
            }
            if to_dead_letter_queue:
                self.dead.append(message)
            else:
                self.messages[next(self.ids)] = message
        self.queue.sent.clear()

    def _redrive(self, index: int) -> None:
        message = self.dead.pop(index)
        self.now += 1_000_000
        message |= {"attributes": {"SentTimestamp": str(self.now // 1000)}, "receive_count": 0}
        self.messages[next(self.ids)] = message

    def _member(self, version: str) -> str:
        return f',"{self.version.name}":{version}' if self.version else ""

    def _stored_rank(self, order_id: str) -> tuple[Fraction, int]:
        item = self.dynamodb.table.get((order_id, "Kopi"))
        if not item:
            return NOTHING
        version = item.get(NUMBER.kept_in, {}).get("N")
        return Order("", 0, int(item["accepted_at"]["N"]), False, version).rank


class VersionedPipeline(Pipeline):
    """The producer's versions come in any order, are repeated, and decide."""

    version = NUMBER


TestPipeline = Pipeline.TestCase
TestPipeline.settings = examples(120, stateful_step_count=25)
TestVersionedPipeline = VersionedPipeline.TestCase
TestVersionedPipeline.settings = examples(120, stateful_step_count=25)
