"""Open-loop senders, against a server that stalls, refuses or is too slow."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from async_ingest.load import processes, schedule, sender
from async_ingest.load.latency import Latencies
from async_ingest.load.ledger import counts_of
from async_ingest.load.mix import MARK, Generator, Mix
from async_ingest.load.schedule import Schedule
from async_ingest.load.sender import DROPPED, Result, Share
from async_ingest.main import main
from async_ingest.signing import Headers
from async_ingest.system import System
from local.emulator import ROOT
from tests.ops.answering import answering
from tests.ops.queues import Queues

STALL_SECONDS = 1.0


def share(url: str, rate: float, seconds: float, **options: float) -> Share:
    timetable = Schedule(schedule.constant(rate, seconds))
    return Share(timetable, Generator(Mix(), "run"), url, Headers(), **options)  # type: ignore[arg-type]


def sent(part: Share) -> list[Result]:
    results: list[Result] = []
    sender.run(part, time.monotonic(), threading.Event(), results.append)
    return sorted(results)


def test_a_stall_is_in_the_latency_of_all_that_were_due_in_it() -> None:
    lock, count = threading.Lock(), 0

    def stall_once(_body: bytes) -> int:
        nonlocal count
        with lock:
            count += 1
            if count == 100:
                threading.Event().wait(STALL_SECONDS)
        return 202

    with answering(stall_once) as url:
        results = sent(share(url, rate=100, seconds=3, connections=2))

    latency = Latencies(one.latency for one in results)
    service_time = Latencies(one.service_time for one in results)
    assert len(results) == 300
    # A third of the requests was due in that second. A closed loop sees two slow ones of 300.
    assert latency.ms(99) >= 900 * STALL_SECONDS
    assert latency.ms(80) >= 300 * STALL_SECONDS
    assert service_time.ms(98) < latency.ms(80)


def test_requests_are_sent_when_they_are_due_though_none_is_answered() -> None:
    arrived: list[float] = []
    everyone = threading.Barrier(20)

    def together(_body: bytes) -> int:
        arrived.append(time.monotonic())
        everyone.wait(timeout=30)  # no answer before the last request is here
        return 202

    with answering(together) as url:
        results = sent(share(url, rate=20, seconds=1))

    assert {one.outcome for one in results} == {"accepted"}
    assert max(arrived) - min(arrived) >= 0.9 * 0.95
    assert results[0].latency >= 0.9 * 0.95


def test_what_cannot_be_sent_in_time_is_dropped_and_counted() -> None:
    enough = threading.Event()

    def slow(_body: bytes) -> int:
        enough.wait(1.5)
        return 202

    with answering(slow) as url:
        results = sent(share(url, rate=20, seconds=1, connections=1, patience=0.5))

    counts = counts_of(results, of_orders=False)
    assert counts["scheduled"] == 20
    assert counts["accepted"] == 1
    assert counts[DROPPED] == 19


def test_each_answer_has_its_outcome() -> None:
    statuses = {0: 202, 1: 400, 2: 413, 3: 503, 4: 502, 5: 429}

    def answer(body: bytes) -> int:
        return statuses[int(json.loads(body)[MARK].split(":")[1])]

    with answering(answer) as url:
        results = sent(share(url, rate=60, seconds=0.1))
    unreachable = sent(share(url, rate=10, seconds=0.1))

    outcomes = [one.outcome for one in results]
    assert outcomes == ["accepted", "refused", "refused", "unknown", "unknown", "unknown"]
    assert [(one.outcome, one.status) for one in unreachable] == [("unknown", 0)]


def test_processes_send_each_request_once_and_on_time() -> None:
    bodies = Counter[str]()

    def answer(body: bytes) -> int:
        bodies[json.loads(body)[MARK]] += 1
        return 202

    results: list[Result] = []
    with answering(answer) as url:
        processes.run(share(url, rate=50, seconds=1, processes=2), results.extend)

    assert sorted(one.request for one in results) == list(range(50))
    assert bodies == {f"run:{number}:0": 1 for number in range(50)}
    assert all(one.sent >= one.due for one in results)


def test_an_interrupt_drops_the_rest_and_the_report_is_written(tmp_path: Path) -> None:
    first = threading.Event()

    def answer(_body: bytes) -> int:
        first.set()
        return 202

    with answering(answer) as url:
        command = [sys.executable, "-m", "async_ingest", "load", "--url", url, "--no-check"]
        running = subprocess.Popen(
            [*command, "--rate", "20", "--for", "1h", "--output", str(tmp_path), "--json"],
            env=os.environ | {"PYTHONPATH": str(ROOT / "ops")},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert first.wait(60)
        running.send_signal(signal.SIGINT)
        printed, said = running.communicate(timeout=60)

    assert running.returncode == 1, said
    requests = json.loads(printed)["requests"]
    assert requests["scheduled"] == 72_000
    assert 0 < requests["accepted"] < 72_000
    assert requests["accepted"] + requests["dropped"] == requests["scheduled"]
    assert json.loads((tmp_path / "load.json").read_text())["requests"] == requests


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--rate", "5"], 0, "Nothing was sent"),
        (["--rate", "101", "--for", "1s"], 2, "--ceiling"),
        (["--rate", "101", "--for", "1s", "--yes"], 2, "--ceiling"),
        (["--rate", "50", "--for", "1h", "--yes"], 2, "--ceiling"),
        (["--rate", "5", "--burst", "50", "--yes"], 2, "--ceiling"),
        (["--rate", "101", "--for", "1s", "--ceiling", "200", "500"], 0, "Nothing was sent"),
    ],
    ids=str,
)
def test_a_target_that_is_not_local_is_spared(
    arguments: list[str],
    code: int,
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(processes, "run", lambda *_: pytest.fail("it sends"))

    returned = main(["load", "--url", "http://orders.invalid/x", "--no-check", *arguments])

    printed = "".join(capsys.readouterr())
    assert (returned, said in printed) == (code, True), printed
    assert "orders in" in printed


@pytest.mark.usefixtures("table")
def test_a_tunnel_does_not_make_aws_local(
    queues: Queues, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(System, "environment", lambda *_: {})
    monkeypatch.setattr(processes, "run", lambda *_: pytest.fail("it sends"))

    assert main(["load", "--name", queues.system.name, "--url", "http://localhost:8080/x"]) == 0
    assert "Nothing was sent" in capsys.readouterr().out


README = (ROOT / "ops" / "README.md").read_text()
PAGES = README + (ROOT / "docs" / "performance.md").read_text()


@pytest.mark.parametrize("line", re.findall(r"^\$ async-ingest (load .+)$", PAGES, re.MULTILINE))
def test_each_documented_command_says_what_it_would_send(
    line: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    [mix] = re.findall(r"```toml\n(known_share.*?)```", README, re.DOTALL)
    Path("mix.toml").write_text(f'tenant_attribute = "customer"\n{mix}')
    Path("monday.csv").write_text(
        "time,requests\n2026-11-02T09:00:00Z,60\n2026-11-02T09:01:00Z,90\n"
    )
    arguments = [one for one in shlex.split(line) if one != "--yes"]

    returned = main([*arguments, "--url", "http://orders.invalid/x", "--no-check"])

    printed = "".join(capsys.readouterr())
    assert (returned, "Nothing was sent" in printed) == (0, True), printed
