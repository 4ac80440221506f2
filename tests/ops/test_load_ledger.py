"""Every order of a load is accounted for, whatever becomes of it."""

import json
import time
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from async_ingest.load.backlog import Backlog
from async_ingest.load.ledger import Account, Auditor, counts_of
from async_ingest.load.mix import MARK, Generator, Mark, Mix
from async_ingest.load.sender import Result
from async_ingest.system import Key
from tests.ops.queues import Queues
from tests.support.properties import examples

BEGAN = 1_700_000_000.0
MIX = Mix.of({"known_share": 0.5, "known_keys": 4, "orders_per_request": {"1": 1, "3": 1}})


class Sequential:
    """Requests one after another, each answered before the next is sent: no doubt about order.

    What became of them is written to the table and the dead-letter queue at the end.
    """

    def __init__(self, queues: Queues, table: Any, mix: Mix = MIX, **options: Any) -> None:
        self.maker = Generator(mix, "run", **options)
        self.results: list[Result] = []
        self.rows: dict[str, dict[str, Any]] = {}
        self.dead: list[dict[str, Any]] = []
        self._queues, self._table = queues, table

    def request(self, outcome: str, fate: str) -> None:
        number = len(self.results)
        due = number * 10.0
        orders = self.maker.orders(number)
        self.results.append(Result(number, len(orders), due, due, due + 1, outcome, 0))
        for order in orders:
            if fate == "written":
                self.rows[order["order_id"]] = order | {"accepted_at": int((BEGAN + due) * 1e6)}
        if fate == "dead":
            self.dead += orders

    def account(self, seconds: float = 0) -> Account:
        with self._table.batch_writer() as writer:
            for row in self.rows.values():
                writer.put_item(row)
        for order in self.dead:
            self._queues.put(json.dumps(order), attributes={"failure_reason": "order 0: bad"})
        return Auditor(self._queues.system, self.maker, self.results, BEGAN).account(seconds)


FATES = st.sampled_from(
    [
        ("accepted", "written"),
        ("accepted", "written"),
        ("accepted", "dead"),
        ("accepted", "lost"),
        ("refused", "nothing"),
        ("unknown", "written"),
        ("unknown", "nothing"),
        ("dropped", "nothing"),
    ]
)


@given(st.lists(FATES, min_size=1, max_size=12), st.integers(0, 100))
@examples(20)
def test_the_ledger_s_sums_hold(
    queues: Queues, table: Any, fates: list[tuple[str, str]], seed: int
) -> None:
    run = Sequential(queues, table, seed=seed)
    for outcome, fate in fates:
        run.request(outcome, fate)

    account = run.account()
    counts = counts_of(run.results, of_orders=True) | account.counts

    assert counts["scheduled"] == sum(run.maker.count(one) for one in range(len(fates)))
    assert counts["scheduled"] == counts["sent"] + counts["dropped"]
    assert counts["sent"] == counts["accepted"] + counts["refused"] + counts["unknown"]
    ended = ("stored", "superseded", "dead_lettered", "missing")
    assert counts["accepted"] == sum(counts[one] for one in ended)
    held = Counter(run.results[Mark.read(row[MARK]).request].outcome for row in run.rows.values())  # type: ignore[union-attr]
    assert counts["stored"] == held["accepted"]
    assert account.unknown_stored == held["unknown"]
    assert account.refused_stored == 0
    while queues.left():
        pass
    with table.batch_writer() as writer:
        for row in run.rows.values():
            writer.delete_item(Key={name: row[name] for name in ("order_id", "item")})


ONE_KEY = Mix.of({"known_share": 1, "known_keys": 1})


def test_an_older_order_that_won_is_a_missing_one(queues: Queues, table: Any) -> None:
    run = Sequential(queues, table, ONE_KEY)
    run.request("accepted", "written")
    run.request("accepted", "lost")  # the row still has the first

    assert run.account().counts == {"stored": 1, "superseded": 0, "dead_lettered": 0, "missing": 1}


def test_of_two_at_the_same_time_either_may_win(queues: Queues, table: Any) -> None:
    run = Sequential(queues, table, ONE_KEY)
    run.request("accepted", "written")
    run.request("accepted", "lost")
    run.results = [one._replace(sent=0.0, ended=5.0) for one in run.results]

    assert run.account().counts == {"stored": 1, "superseded": 1, "dead_lettered": 0, "missing": 0}


def test_a_version_decides_rather_than_time(queues: Queues, table: Any) -> None:
    run = Sequential(queues, table, ONE_KEY, version=Key("revision", "N"))
    run.request("accepted", "lost")
    run.request("accepted", "written")
    run.results = [run.results[0]._replace(sent=50.0, ended=60.0), run.results[1]]

    assert run.account().counts == {"stored": 1, "superseded": 1, "dead_lettered": 0, "missing": 0}


def test_a_row_of_an_earlier_run_supersedes_nothing(queues: Queues, table: Any) -> None:
    for accepted_at, missing in ((BEGAN - 3600, 1), (BEGAN + 3600, 0)):
        run = Sequential(queues, table, ONE_KEY)
        run.request("accepted", "lost")
        order = run.maker.orders(0)[0] | {
            MARK: "earlier:0:0",
            "accepted_at": int(accepted_at * 1e6),
        }
        run.rows = {"": order}

        assert run.account().counts["missing"] == missing


def test_a_refused_order_must_not_be_stored(queues: Queues, table: Any) -> None:
    run = Sequential(queues, table)
    run.request("refused", "written")

    assert run.account().refused_stored == run.maker.count(0)


def test_what_is_written_late_is_waited_for(
    queues: Queues, table: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Sequential(queues, table)
    run.request("accepted", "lost")
    looks = []

    def write_now(_seconds: float) -> None:
        looks.append(1)
        for order in run.maker.orders(0):
            table.put_item(Item=order | {"accepted_at": int(BEGAN * 1e6)})

    monkeypatch.setattr(time, "sleep", write_now)

    assert run.account(seconds=60).counts["missing"] == 0
    assert len(looks) == 1


def test_an_order_that_was_stored_may_be_superseded_meanwhile(
    queues: Queues, table: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Sequential(queues, table, ONE_KEY)
    run.request("accepted", "written")
    run.request("unknown", "nothing")
    run.request("accepted", "lost")

    def write_the_unknown_one(_seconds: float) -> None:
        table.put_item(Item=run.maker.orders(1)[0])

    monkeypatch.setattr(time, "sleep", write_the_unknown_one)

    counts = run.account(seconds=60).counts
    assert counts == {"stored": 0, "superseded": 2, "dead_lettered": 0, "missing": 0}


def test_dead_letters_stay_and_have_their_reason(queues: Queues, table: Any) -> None:
    run = Sequential(queues, table)
    run.request("accepted", "dead")

    account = run.account()

    assert set(account.dead.values()) == {"bad"}
    assert len(queues.left()) == run.maker.count(0)


@pytest.mark.parametrize(
    ("depths", "seconds"),
    [
        ([0, 5, 9, 2, 0, 0], 1.0),
        ([3, 0, 4, 0], 0.0),
        ([0, 4, 2], None),
        ([0, 0, 0], 0.0),
        ([], None),
    ],
    ids=str,
)
def test_a_queue_is_drained_when_it_is_empty_for_good(
    queues: Queues, depths: list[int], seconds: float | None
) -> None:
    backlog = Backlog(queues.system)
    backlog.samples = [(float(at), depth) for at, depth in enumerate(depths)]

    assert backlog.drained_after(3.0) == seconds
    assert backlog.peak == max(depths, default=0)
