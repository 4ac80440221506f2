"""The mover: what it keeps, what it leaves, and that a kill at any step loses nothing."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from async_ingest import dead_letters, redrive
from async_ingest import journal as journals
from async_ingest.dead_letters import DeadLetter, Selection
from async_ingest.errors import INCOMPLETE, OpsError
from async_ingest.mover import DISCARD, EXPORT, REDRIVE, Rate
from tests.ops.queues import Queues

TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793"
ACCEPTED_AT = 1_700_000_000_000_000


def mover(**options: Any) -> redrive.Options:
    return redrive.Options(visibility=1, by="mover", **options)


def failed(reason: str = "bad", **more: Any) -> dict[str, Any]:
    return {"accepted_at": ACCEPTED_AT, "failure_reason": reason, "failed_at": 1, **more}


def test_a_message_keeps_what_it_had_and_loses_why_it_failed(queues: Queues) -> None:
    binary = {"DataType": "Binary", "BinaryValue": b"\0\xff"}
    message_id = queues.put(
        "{}",
        attributes=failed(request_id="r-1", raw=binary),
    )

    done = redrive.run(queues.system, REDRIVE, Selection(), mover())

    [message] = queues.moved()
    attributes = message["MessageAttributes"]
    assert done.tally.taken == 1
    assert message["Body"] == "{}"
    assert attributes["raw"]["BinaryValue"] == b"\0\xff"
    assert {name: one["StringValue"] for name, one in attributes.items() if name != "raw"} == {
        "accepted_at": str(ACCEPTED_AT),
        "request_id": "r-1",
        "original_message_id": message_id,
        "replays": "1",
    }
    assert queues.left() == []


def test_tenant_and_trace_are_kept() -> None:
    """What moto does not keep."""
    system = {"MessageGroupId": "tenant-1", "AWSTraceHeader": TRACE, "SentTimestamp": "1"}
    letter = DeadLetter({"MessageId": "1", "Body": "{}", "Attributes": system})

    sent = dead_letters.entry(letter, 0, {})

    assert sent["MessageGroupId"] == "tenant-1"
    assert sent["MessageSystemAttributes"] == {
        "AWSTraceHeader": {"DataType": "String", "StringValue": TRACE}
    }


def test_replays_are_counted_and_the_first_id_is_kept(queues: Queues) -> None:
    queues.put(attributes=failed(original_message_id="first", replays=2))

    redrive.run(queues.system, REDRIVE, Selection(), mover())

    [message] = queues.moved()
    assert message["MessageAttributes"]["replays"]["StringValue"] == "3"
    assert message["MessageAttributes"]["original_message_id"]["StringValue"] == "first"


def test_a_message_without_accepted_at_keeps_the_time_at_which_it_was_sent(queues: Queues) -> None:
    queues.put()
    seen: list[int] = []
    redrive.look(queues.system, Selection(), lambda letter: seen.append(letter.sent_ms))

    redrive.run(queues.system, REDRIVE, Selection(), mover())

    [message] = queues.moved()
    assert message["MessageAttributes"]["accepted_at"]["StringValue"] == str(seen[0] * 1000)


def test_a_message_without_room_for_accepted_at_stays(queues: Queues) -> None:
    queues.put(attributes={f"a{number}": "x" for number in range(10)})
    queues.put(attributes={f"a{number}": "x" for number in range(9)})

    done = redrive.run(queues.system, REDRIVE, Selection(), mover())

    [message] = queues.moved()
    assert len(message["MessageAttributes"]) == 10
    assert list(done.tally.kept) == ["10 attributes of its own, and no room for accepted_at"]
    assert len(queues.left()) == 1


@pytest.mark.parametrize(
    ("selection", "moved"),
    [
        (Selection(reason="BAD"), 1),
        (Selection(without_reason=True), 1),
        (Selection(keys={"order_id": "2"}), 1),
        (Selection(keys={"order_id": "2", "qty": "1.0"}), 1),
        (Selection(keys={"order_id": "2", "qty": "3"}), 0),
        (Selection(older_than=3600), 2),
        (Selection(newer_than=3600), 1),
        (Selection(limit=2), 2),
    ],
    ids=str,
)
def test_only_what_is_selected_moves(queues: Queues, selection: Selection, moved: int) -> None:
    queues.put(attributes=failed())
    queues.put(json.dumps([{"order_id": "2", "qty": 1}, {}]), attributes=failed("order 1: missing"))
    queues.put("not JSON")

    done = redrive.run(queues.system, REDRIVE, selection, mover())

    assert done.tally.taken == moved
    assert len(queues.moved()) == moved
    assert len(queues.left()) == 3 - moved  # and visible


def test_what_is_dead_lettered_again_meanwhile_is_not_sent_again(
    queues: Queues, monkeypatch: pytest.MonkeyPatch
) -> None:
    queues.put(attributes=failed())
    send = queues.system.sqs.send_message_batch

    def send_and_fail_again(**arguments: Any) -> Any:
        answer = send(**arguments)
        [entry] = arguments["Entries"]
        queues.put(attributes=entry["MessageAttributes"] | failed_again)
        return answer

    failed_again = {"failure_reason": {"DataType": "String", "StringValue": "bad"}}
    monkeypatch.setattr(queues.system.sqs, "send_message_batch", send_and_fail_again)

    done = redrive.run(queues.system, REDRIVE, Selection(), mover())

    assert (done.tally.taken, done.tally.back_again) == (1, 1)
    assert len(queues.left()) == 1


@pytest.mark.parametrize("damage", ["MD5OfMessageBody", "MD5OfMessageAttributes"])
def test_another_confirmation_than_expected_deletes_nothing(
    queues: Queues, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    queues.put(attributes=failed())
    send = queues.system.sqs.send_message_batch

    def confirm_another(**arguments: Any) -> Any:
        answer = send(**arguments)
        answer["Successful"][0][damage] = "0" * 32
        return answer

    monkeypatch.setattr(queues.system.sqs, "send_message_batch", confirm_another)

    with pytest.raises(OpsError, match="another message"):
        redrive.run(queues.system, REDRIVE, Selection(), mover())

    assert len(queues.left()) == 1


def test_an_entry_that_sqs_refuses_stays(queues: Queues, monkeypatch: pytest.MonkeyPatch) -> None:
    queues.put("a", attributes=failed())
    queues.put("b", attributes=failed())
    send = queues.system.sqs.send_message_batch

    def refuse_one(**arguments: Any) -> Any:
        refused = [one for one in arguments["Entries"] if one["MessageBody"] == "a"]
        taken = [one for one in arguments["Entries"] if one["MessageBody"] != "a"]
        answer = send(**arguments | {"Entries": taken}) if taken else {}
        return answer | {"Failed": [{"Id": one["Id"], "Code": "Throttled"} for one in refused]}

    monkeypatch.setattr(queues.system.sqs, "send_message_batch", refuse_one)

    done = redrive.run(queues.system, REDRIVE, Selection(), mover())

    assert [message["Body"] for message in queues.moved()] == ["b"]
    assert done.tally.kept.total() == 1
    assert [message["Body"] for message in queues.left()] == ["a"]


def test_large_messages_are_sent_in_batches_that_fit(queues: Queues) -> None:
    for _ in range(3):
        queues.put("x" * 200_000, attributes=failed())

    redrive.run(queues.system, REDRIVE, Selection(), mover())

    assert len(queues.moved()) == 3


def test_the_export_has_all_and_comes_first(
    queues: Queues, monkeypatch: pytest.MonkeyPatch
) -> None:
    binary = {"DataType": "Binary", "BinaryValue": b"\0\xff"}
    queues.put("{}", attributes=failed(raw=binary))

    def refuse(**_: Any) -> Any:
        raise OpsError("refused")

    monkeypatch.setattr(queues.system.sqs, "delete_message_batch", refuse)
    with pytest.raises(OpsError, match="refused"):
        redrive.run(queues.system, DISCARD, Selection(), mover())

    [path] = redrive.directory_of(queues.system, None).glob("*-discard-*.jsonl")
    [exported] = map(json.loads, path.read_text().splitlines())
    assert exported["body"] == "{}"
    assert base64.b64decode(exported["attributes"]["raw"]["BinaryValue"]) == b"\0\xff"
    assert path.stat().st_mode & 0o077 == 0


def test_discard_deletes_what_is_selected(queues: Queues) -> None:
    queues.put("a", attributes=failed("wrong"))
    queues.put("b", attributes=failed("other"))

    redrive.run(queues.system, DISCARD, Selection(reason="wrong"), mover())

    assert queues.moved() == []
    assert [message["Body"] for message in queues.left()] == ["b"]


def test_another_command_does_not_continue_an_unfinished_run(
    queues: Queues, monkeypatch: pytest.MonkeyPatch
) -> None:
    queues.put()
    with monkeypatch.context() as patch:
        patch.setattr(queues.system.sqs, "send_message_batch", _killed)
        with pytest.raises(KilledError):
            redrive.run(queues.system, REDRIVE, Selection(), mover())

    with pytest.raises(OpsError, match="unfinished redrive of all") as error:
        redrive.run(queues.system, DISCARD, Selection(), mover())
    assert error.value.exit_code == INCOMPLETE

    redrive.abandon(queues.system)
    redrive.run(queues.system, EXPORT, Selection(), mover())
    assert len(queues.left()) == 1


class KilledError(BaseException):
    """Stands for SIGKILL: nothing of the run happens after it."""


def _killed(**_: Any) -> Any:
    raise KilledError


CALLS = (
    "receive_message",
    "send_message_batch",
    "delete_message_batch",
    "change_message_visibility_batch",
)


class Killer:
    """Kills a run before or after the nth step, of AWS's calls and of what is written."""

    def __init__(self, queues: Queues, patch: pytest.MonkeyPatch, at: int) -> None:
        self.at = at
        self.steps = 0
        for name in CALLS:
            call = getattr(queues.system.sqs, name)
            patch.setattr(queues.system.sqs, name, self._counted(call))
        append = journals.Lines.append
        patch.setattr(journals.Lines, "append", self._counted(append))

    def _counted(self, step: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **options: Any) -> Any:
            self._reach()
            result = step(*arguments, **options)
            self._reach()
            return result

        return run

    def _reach(self) -> None:
        self.steps += 1
        if self.steps >= self.at:  # whatever runs after it, such as a finally, is killed as well
            raise KilledError


@pytest.mark.parametrize(("action", "stride"), [(REDRIVE, 1), (DISCARD, 5)])
def test_a_kill_at_any_step_loses_nothing(
    queues: Queues, monkeypatch: pytest.MonkeyPatch, action: str, stride: int
) -> None:
    """What was killed is continued; in the end, each order has arrived, and nothing is left."""
    monkeypatch.setattr(Rate, "batch", 2)
    at, is_over = 0, False
    while not is_over:
        at += stride
        bodies = {f"{at}-{number}" for number in range(3)}
        for body in bodies:
            queues.put(body, attributes=failed("bad"))
        queues.put(f"{at}-other", attributes=failed("other"))
        with monkeypatch.context() as patch:
            Killer(queues, patch, at)
            try:
                redrive.run(queues.system, action, Selection(reason="bad"), mover())
                is_over = True
            except KilledError:
                pass
        if not is_over:
            redrive.run(queues.system, action, Selection(reason="bad"), mover())

        moved = [message["Body"] for message in queues.moved()]
        assert set(moved) == (bodies if action == REDRIVE else set()), f"killed at step {at}"
        assert [message["Body"] for message in queues.left()] == [f"{at}-other"]
        assert queues.system.depth(queues.system.dead_letter_url) == (0, 0)
        files = redrive.directory_of(queues.system, None).glob("*.jsonl")
        exported = [json.loads(line)["body"] for path in files for line in path.open()]
        assert bodies <= set(exported), f"killed at step {at}"
        assert at < 100
    assert at > 20
