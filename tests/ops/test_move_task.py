"""A redrive by AWS's move task moves nothing that is not exported, as far as AWS allows."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from async_ingest import move_task, redrive
from async_ingest.dead_letters import Selection
from async_ingest.errors import INCOMPLETE, OpsError
from async_ingest.main import main
from async_ingest.mover import REDRIVE, Mover
from tests.ops.queues import Queues

STAMPED = {"accepted_at": 1_700_000_000_000_000}


class Task:
    """AWS's move task, which moto lacks: it moves all that is there when it is followed."""

    def __init__(self, queues: Queues) -> None:
        self._queues = queues
        self.is_started = False
        self.before: Callable[[], Any] = lambda: None  # what happens while it runs

    def start(self, *_: Any) -> None:
        self.is_started = True

    def follow(self, *_: Any) -> int:
        self.before()
        letters = self._queues.left()
        for letter in letters:
            self._queues.sqs.send_message(
                QueueUrl=self._queues.system.queue_url, MessageBody=letter["Body"]
            )
        return len(letters)


@pytest.fixture
def task(queues: Queues, monkeypatch: pytest.MonkeyPatch) -> Task:
    made = Task(queues)
    monkeypatch.setattr(move_task, "is_running", lambda _system: False)
    monkeypatch.setattr(move_task, "start", made.start)
    monkeypatch.setattr(move_task, "follow", made.follow)
    for body in ("a", "b"):
        queues.put(body, attributes=STAMPED)
    return made


@pytest.fixture
def one_comes_after_the_export(queues: Queues, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Mover.run

    def run_and_put(mover: Mover) -> Any:
        tally = run(mover)
        monkeypatch.setattr(Mover, "run", run)
        queues.put("late", attributes=STAMPED)
        return tally

    monkeypatch.setattr(Mover, "run", run_and_put)


def redriven(queues: Queues, by: str = "auto") -> redrive.Done:
    options = redrive.Options(visibility=1, by=by)
    return redrive.run(queues.system, REDRIVE, Selection(), options)


def bodies_exported(done: redrive.Done) -> set[str]:
    assert done.export
    return {json.loads(line)["body"] for line in done.export.read_text().splitlines()}


def test_aws_moves_all_if_all_are_exported(queues: Queues, task: Task) -> None:
    done = redriven(queues)

    assert (done.by, done.tally.taken, done.tally.unexported) == ("task", 2, 0)
    assert bodies_exported(done) == {"a", "b"}


@pytest.mark.usefixtures("one_comes_after_the_export")
def test_what_came_after_the_export_is_exported_before_it_moves(queues: Queues, task: Task) -> None:
    done = redriven(queues)

    moved = {message["Body"] for message in queues.moved()}
    assert not task.is_started
    assert done.by == "mover"
    assert {"a", "b"} <= moved <= bodies_exported(done)


@pytest.mark.usefixtures("one_comes_after_the_export")
def test_a_task_that_is_demanded_does_not_move_what_is_not_exported(
    queues: Queues, task: Task
) -> None:
    with pytest.raises(OpsError, match="2 dead letters are exported, and 3 are there") as error:
        redriven(queues, by="task")

    assert error.value.exit_code == INCOMPLETE
    assert not task.is_started
    assert redriven(queues, by="task").tally.taken == 3


def test_what_comes_while_aws_moves_is_counted(
    queues: Queues,
    task: Task,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    task.before = lambda: queues.put("later", attributes=STAMPED)
    monkeypatch.setattr("async_ingest.system.find", lambda *_: queues.system)

    main(["dlq", "redrive", "--yes", "--wait", "0s"])

    assert "1 came during AWS's move task: redriven, but neither" in capsys.readouterr().out
