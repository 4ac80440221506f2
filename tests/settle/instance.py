"""An instance of the deployed function in a process of its own, as Lambda's runtime runs it.

python instance.py SOURCES OPTIONS reads a line for each invocation, and answers with a line. It is
run by its path, so that nothing but the function's package can be imported. OPTIONS as JSON:

- virtual: the clock stands still, but for pauses and for what is said to take time:
  ``order_seconds`` for each order read, ``call_seconds`` by operation for each attempt at a call.
- hooks: a directory with packages of hooks.
- Orders with the attribute ``ends`` end the invocation in which they are read, until the moment
  ``ends_until``: by "memory" or by "time".
"""

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any


class Clock:
    """Replaces the module ``time`` in the function's modules."""

    gmtime = staticmethod(time.gmtime)
    strftime = staticmethod(time.strftime)

    def __init__(self) -> None:
        self._now = 0.0
        self._lock = threading.Lock()

    def set(self, now: float) -> None:
        self._now = now

    def time(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._now

    def time_ns(self) -> int:
        return int(self._now * 1e9)

    monotonic_ns = time_ns

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self._now += seconds


class InvocationEndedError(BaseException):
    """An order has ended the invocation and its instance."""


class Context:
    aws_request_id = "5f1c4d2e-8d0b-4a53-9a8e-0c6f4b1d2a3c"

    def __init__(self, clock: Any, deadline: float) -> None:
        self._clock = clock
        self._deadline = deadline

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int(1000 * (self._deadline - self._clock.time())))


def main() -> None:
    sources, options = sys.argv[1], json.loads(sys.argv[2])
    sys.path[0] = sources  # in place of this file's directory
    sys.path.append(options["hooks"])
    from process import handler, reader

    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # its metrics
    clock: Any = time
    if options["virtual"]:
        clock = _virtual_clock(options)
    read = reader.read

    def read_or_end(record: dict[str, Any], schema: Any, prepare: Any = None) -> Any:
        message = read(record, schema, prepare)
        if options["virtual"]:
            clock.sleep(options["order_seconds"] * len(message.entries))
        ends = next((entry.item["ends"] for entry in message.entries if "ends" in entry.item), "")
        if ends and clock.time() < options["ends_until"]:
            _end("memory" in ends, options["virtual"])
        return message

    reader.read = read_or_end
    print(json.dumps({"cpu_seconds": time.process_time()}), file=answers, flush=True)
    for line in sys.stdin:
        invocation = json.loads(line)
        if options["virtual"]:
            clock.set(invocation["now"])
        body = Path(invocation["event"]).read_bytes().decode()
        answer: dict[str, Any] = {}
        try:
            answer["result"] = handler.handle(
                json.loads(body), Context(clock, invocation["now"] + invocation["timeout"])
            )
        except InvocationEndedError as ended:
            answer["ended"] = str(ended)
        except Exception as error:
            answer["error"] = repr(error)
        answer["seconds"] = clock.time() - invocation["now"]
        answer["cpu_seconds"] = time.process_time()
        print(json.dumps(answer), file=answers, flush=True)


def _end(by_memory: bool, is_virtual: bool) -> None:
    if is_virtual:
        raise InvocationEndedError("memory" if by_memory else "time")
    kept = []
    while True:  # until a limit ends this process
        if by_memory:
            kept.append(bytes(range(256)) * 65536)
        else:
            time.sleep(1)


def _virtual_clock(options: dict[str, Any]) -> Clock:
    from shared import aws, connections, credentials, telemetry

    clock = Clock()
    modules: tuple[Any, ...] = (aws, connections, credentials, telemetry)
    for module in modules:
        module.time = clock
    attempt = aws.BuiltinClient.attempt

    def timed(self: Any, operation: str, *arguments: Any) -> Any:
        clock.sleep(options["call_seconds"].get(operation, 0.0))
        return attempt(self, operation, *arguments)

    setattr(aws.BuiltinClient, attempt.__name__, timed)
    return clock


if __name__ == "__main__":
    main()
