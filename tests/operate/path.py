"""Latency through the load balancer against the function alone, and the local stack's ceiling.

`PYTHONPATH=ops python -m tests.operate.path` applies a system and prints the two tables that
docs/performance.md has. Keep the machine idle meanwhile.
"""

import json
import os
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from async_ingest.http_client import Client
from async_ingest.signing import Headers
from local import limits
from local.emulator import HOST
from local.events import request
from local.screen import Screen, console_for_tables
from local.stack import Stack
from tests.support.stack import new_order, temporary_stack
from tools.markup import table

PAIRS = 300
WARM_UP = 20
CONNECTIONS = (1, 2, 4, 8, 16)
SECONDS = 10.0  # for each number of connections

Way = Callable[[], int]


class Ceiling(NamedTuple):
    connections: int
    per_second: float
    emulator: float  # CPUs that it uses
    p50: float  # seconds


def ways(stack: Stack) -> tuple[Way, Way]:
    """Returns what sends an order: through the load balancer, and to ingest's alias itself.

    Both keep their connection, and return the HTTP status.
    """
    # Trusts the emulator's certificate as AWS_CA_BUNDLE says.
    client = Client(stack.url, Headers({"Host": f"{HOST}:80"}), connections=max(CONNECTIONS))
    lambda_ = stack.emulator.client("lambda")
    ingest = f"{stack.outputs['load_balancer_name']}-ingest"

    def through_the_load_balancer() -> int:
        return client.post(json.dumps(new_order()).encode()).status

    def alone() -> int:
        event = json.dumps(request(json.dumps(new_order()))).encode()
        answer = lambda_.invoke(FunctionName=ingest, Qualifier="live", Payload=event)
        return int(json.loads(answer["Payload"].read())["statusCode"])

    return through_the_load_balancer, alone


def timed(way: Way) -> float:
    start = time.perf_counter()
    status = way()
    if status != 202:
        raise RuntimeError(f"an order is answered {status}")
    return time.perf_counter() - start


def pairs(first: Way, second: Way, count: int) -> Iterator[tuple[float, float]]:
    """Yields seconds of both, measured one after the other: A B, B A, …"""
    for number in range(WARM_UP + count):
        if number % 2:
            b, a = timed(second), timed(first)
        else:
            a, b = timed(first), timed(second)
        if number >= WARM_UP:
            yield a, b


def ceiling(stack: Stack, way: Way, connections: int) -> Ceiling:
    """Sends as fast as so many connections are answered."""
    latencies: list[float] = []
    end = threading.Event()

    def send() -> None:
        while not end.is_set():
            latencies.append(timed(way))

    start, used = time.perf_counter(), cpu_seconds(stack)
    with ThreadPoolExecutor(connections) as pool:
        running = [pool.submit(send) for _ in range(connections)]
        end.wait(SECONDS)
        end.set()
        for one in running:
            one.result()
    seconds = time.perf_counter() - start
    emulator = (cpu_seconds(stack) - used) / seconds
    return Ceiling(connections, len(latencies) / seconds, emulator, statistics.median(latencies))


def cpu_seconds(stack: Stack) -> float:
    """Returns the CPU time of the emulator's process, without the functions' (proc_pid_stat(5))."""
    fields = Path(f"/proc/{stack.emulator.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def latency_table(found: list[tuple[float, float]]) -> str:
    """Returns milliseconds of both, and the ratio of each pair."""
    ratios = [a / b for a, b in found]

    def row(name: str, seconds: list[float]) -> list[str]:
        percentiles = statistics.quantiles(seconds, n=100)
        return [name, *(f"{1000 * percentiles[one - 1]:.1f} ms" for one in (50, 95, 99))]

    ratio = statistics.quantiles(ratios, n=20)
    rows = [
        row("through the load balancer", [a for a, _ in found]),
        row("ingest's alias invoked", [b for _, b in found]),
        ["ratio of pairs", f"{statistics.median(ratios):.2f}", f"5 % below {ratio[0]:.2f}",
         f"5 % above {ratio[-1]:.2f}"],
    ]  # fmt: skip
    return table(["", "p50", "p95", "p99"], rows)


def ceiling_table(found: list[Ceiling]) -> str:
    rows = [
        [str(one.connections), f"{one.per_second:.0f}", f"{1000 * one.p50:.0f} ms",
         f"{one.emulator:.2f}"]
        for one in found
    ]  # fmt: skip
    return table(["connections", "requests/s", "latency p50", "CPUs of the emulator"], rows)


def main() -> int:
    limits.require()
    with Screen(console_for_tables()) as screen, temporary_stack("path", screen) as stack:
        os.environ["AWS_CA_BUNDLE"] = str(stack.emulator.ca_bundle)
        first, second = ways(stack)
        with stack.paused_mapping():  # so that process takes no CPU from ingest
            with screen.stage(f"{PAIRS} pairs"):
                found = list(pairs(first, second, PAIRS))
            with screen.stage("the ceiling"):
                ceilings = [ceiling(stack, first, count) for count in CONNECTIONS]
    print(latency_table(found), ceiling_table(ceilings), sep="\n", end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
