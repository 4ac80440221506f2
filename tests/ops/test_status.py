"""`status` of what is not all there, and `--watch` as a program reads it."""

import json
import time

import pytest

from async_ingest.main import main
from async_ingest.status import Observer
from tests.ops.queues import Queues


def test_a_system_without_a_mapping_is_shown(queues: Queues) -> None:
    status = Observer(queues.system, 5).look()

    assert status.mapping == "unknown"
    assert "0 event source mappings" in " ".join(status.unknown)


def test_each_look_of_a_watch_is_a_line_of_json(
    queues: Queues, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        queues.put()
        if len(waits) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr("async_ingest.system.find", lambda *_: queues.system)
    monkeypatch.setattr(time, "sleep", sleep)

    assert main(["status", "--watch", "--json", "--every", "2s"]) == 130

    looks = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [look["dead_letters"] for look in looks] == [0, 1, 2]
    assert all(look["at"] for look in looks)
    assert waits == [2, 2, 2]
