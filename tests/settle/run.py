"""Runs a scenario, and accounts for every order."""

import os
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from local.emulator import ROOT
from tests.settle import model as invocation
from tests.settle.deliveries import Deliveries, Message
from tests.settle.function import Function
from tests.settle.scenarios import HOOK_SECONDS, Scenario
from tests.settle.table import Content, Key, Table

MAX_PEAK_RSS_MB = 200
SOURCES = ROOT / "lambda_src"
READING = 0.2  # share of an order's CPU time that reading takes; PutItem takes most of the rest
TAIL = 3  # the 99th percentile of a latency, as a multiple of its median
HOOKS = Path(__file__).with_name("hooks")
_HOOKS = {"ORDER_HOOKS": "returning", "ORDER_HOOKS_TIMEOUT_SECONDS": str(HOOK_SECONDS)}
ORDER_VERSION = '{"name":"revision","type":"N","kept_in":"order_version_N_revision"}'
VIRTUAL_BEGIN = 1_800_000_000.0  # seconds since the epoch


@dataclass(frozen=True)
class Result:
    """``good`` counts orders that can be stored; ``calls`` counts calls to the table."""

    name: str
    good: int
    good_dead_lettered: int
    receive_count: int
    most_deliveries: int  # of a message with good orders
    timeouts: int
    peak_rss_mb: float
    calls_per_order: float
    not_stored: int  # orders neither stored nor superseded by a newer one
    invocations: int
    ended: int  # invocations that a message ended
    least_seconds_left: float  # of the function's timeout when it answered
    cpu_ms_per_order: float
    seconds: float

    @property
    def failure(self) -> str:
        """Why the scenario failed, or "" if it passed."""
        failures = [
            f"{getattr(self, name)} {name.replace('_', ' ')}"
            for name in ("good_dead_lettered", "not_stored", "timeouts")
            if getattr(self, name)
        ]
        if self.peak_rss_mb >= MAX_PEAK_RSS_MB:
            failures.append(f"peak of {self.peak_rss_mb:.0f} MB")
        return ", ".join(failures)


def run(
    name: str,
    scenario: Scenario,
    sources: Path = SOURCES,
    *,
    seed: int = 0,
    until_red: bool = False,
) -> Result:
    """Delivers a scenario's messages until each is settled or dead-lettered.

    Args:
        name: Of the result.
        scenario: What to run.
        sources: The function's package.
        seed: Of the messages and the batches.
        until_red: Not to the end, if the scenario is red before.
    """
    random = Random(seed)
    messages = scenario.messages(random)
    began = VIRTUAL_BEGIN if scenario.is_virtual else time.time()
    queue = Deliveries(
        messages,
        began=began,
        batch_size=scenario.batch_size,
        visibility_seconds=scenario.visibility,
        receive_count=scenario.receive_count,
        random=random,
    )
    ways: Counter[str] = Counter()
    longest = 0.0
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as directory, Table() as table:
        table.configure(_table_settings(scenario))
        table.store(_known(scenario, messages, random))
        with Function(
            sources,
            Path(directory),
            _environment(scenario, table.url),
            memory_size=scenario.memory_size,
            timeout_seconds=scenario.timeout_seconds,
            options=_options(scenario, began),
        ) as function:
            periods = list(scenario.periods)
            while batch := queue.batch():
                while periods and periods[0].begins <= queue.now:
                    table.configure(periods.pop(0).settings)
                done = function.invoke(queue.event(batch), began + queue.now)
                ways["invocations"] += 1
                if done.ended and any(message.ends_invocations for message in batch):
                    ways["by a message"] += 1
                elif done.ended:
                    ways[done.ended] += 1
                else:
                    longest = max(longest, done.seconds)
                queue.settle(batch, done.failed, done.seconds)
                is_red = queue.dead or ways.keys() - {"invocations", "by a message"}
                if until_red and (is_red or function.peak_rss_mb >= MAX_PEAK_RSS_MB):
                    break
        content = table.content()
    dead = _good_dead_letters(messages, queue, content)
    good = sum(len(message.keys) for message in messages if message.is_good)
    return Result(
        name=name,
        good=good,
        good_dead_lettered=sum(len(message.keys) for message in dead),
        receive_count=scenario.receive_count,
        most_deliveries=max(message.receives for message in messages if message.is_good),
        timeouts=ways.total() - ways["invocations"] - ways["by a message"],
        peak_rss_mb=round(function.peak_rss_mb, 1),
        calls_per_order=round(
            (content.calls.get("PutItem", 0) + content.calls.get("BatchExecuteStatement", 0))
            / good,
            4,
        ),
        not_stored=_not_stored(messages, content),
        invocations=ways["invocations"],
        ended=ways["by a message"],
        least_seconds_left=round(scenario.timeout_seconds - longest, 1),
        cpu_ms_per_order=round(1000 * function.cpu_seconds / good, 3),
        seconds=round(time.monotonic() - started, 1),
    )


def _table_settings(scenario: Scenario) -> dict[str, Any]:
    if scenario.is_virtual:
        return scenario.table
    put, batch = scenario.put_ms / 1000, scenario.batch_ms / 1000
    return {"put": (put, TAIL * put), "batch": (batch, TAIL * batch)} | scenario.table


def _known(scenario: Scenario, messages: list[Message], random: Random) -> dict[Key, int]:
    """Returns the ``accepted_at`` of the rows that exist beforehand, by key."""
    keys = sorted({key for message in messages for key in message.keys})
    return {key: 1 for key in keys if random.random() < scenario.known_share}


def _environment(scenario: Scenario, url: str) -> dict[str, str]:
    """Returns the environment that main.tf sets, with what Lambda adds."""
    return {
        "PATH": os.environ["PATH"],
        "LANG": "en_US.UTF-8",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_SESSION_TOKEN": "test",
        "AWS_REGION": "us-east-1",
        "AWS_LAMBDA_FUNCTION_NAME": "settle-process",
        "AWS_ENDPOINT_URL": url,
        "TABLE_KEYS": '[{"name":"id","type":"S"},{"name":"sort","type":"S"}]',
        "ACCEPTED_AT_ATTRIBUTE": "accepted_at",
        "DNS_SUFFIX": "amazonaws.com",
        "TABLE_NAME": "orders",
        "DEAD_LETTER_QUEUE_URL": f"{url}/dead-letter",
        "DEAD_LETTER_IMMEDIATELY": "true",
        "MAX_RECEIVE_COUNT": str(scenario.receive_count),
        "PARALLEL_CALLS": str(invocation.PARALLEL_CALLS),
        "READ_TIMEOUT_SECONDS": str(invocation.read_timeout_seconds(scenario.timeout_seconds)),
        "LOG_LEVEL": "INFO",
        **({"ORDER_VERSION": ORDER_VERSION} if scenario.has_versions else {}),
        **(_HOOKS if scenario.has_hooks else {}),
    }


def _options(scenario: Scenario, began: float) -> dict[str, Any]:
    cpu = invocation.CPU_SECONDS_PER_ORDER / invocation.cpu_share(scenario.memory_size)
    put, batch = (
        ms / 1000 / invocation.PARALLEL_CALLS for ms in (scenario.put_ms, scenario.batch_ms)
    )
    return {
        "virtual": scenario.is_virtual,
        "order_seconds": scenario.slowness * READING * cpu,
        "call_seconds": {
            "PutItem": scenario.slowness * (put + (1 - READING) * cpu),
            "BatchExecuteStatement": scenario.slowness * batch,
        },
        "ends_until": began + scenario.ends_until,
        "hooks": str(HOOKS),
    }


def _good_dead_letters(
    messages: list[Message], queue: Deliveries, content: Content
) -> list[Message]:
    sent = set(content.dead_letters)
    dead = {id(message) for message in queue.dead}
    return [m for m in messages if m.is_good and (id(m) in dead or m.body in sent)]


def _not_stored(messages: list[Message], content: Content) -> int:
    """Returns the keys whose row is not the newest good order."""
    newest: dict[Key, Message] = {}
    for message in messages:
        for key in message.keys if message.is_good else ():
            newest[key] = max(newest.get(key, message), message, key=_rank)
    return sum(content.accepted_at.get(key) != one.accepted_at for key, one in newest.items())


def _rank(message: Message) -> tuple[int, int]:
    """Of the orders of a key, the greatest must stay."""
    return message.version, -message.accepted_at if message.version else message.accepted_at
