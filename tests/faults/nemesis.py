"""Goes into the functions' packages beside the handlers, and injects faults there.

It wraps the handler of the function that NEMESIS_FUNCTION names, which stays unchanged. A token is
a file in the directory NEMESIS_DIR, named OPERATION.MOMENT.ACTION.NUMBER. It says what happens
"before" or "after" the next call of an AWS operation, or the next invocation. "Within" a call of
several statements, the action is the error of every other one. The token applies only to calls
whose parameters contain the file's content. It is claimed by moving it to the directory "fired"
below, which only one thread can do; so "fired" records what has really happened. Calls are
intercepted where an implementation of the functions' client begins one, before any retry.

The file "partition" holds the capacity of a partition of the table, which all workers share.

While an invocation is running, its process locks a file in the directory "working".
"""

import fcntl
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from shared import aws, settings

FUNCTION = os.environ["NEMESIS_FUNCTION"]  # "ingest" or "process"
TOKENS = Path(os.environ["NEMESIS_DIR"])
PARTITION = TOKENS / "partition"
MEGABYTES_LEFT = 8
DAWDLE_SECONDS = 4

Output = dict[str, Any]
Call = Callable[[Any, str, str, aws.Deadline], Output]

_handle = import_module(f"{FUNCTION}.handler").handle


class InjectedError(Exception):
    """Ends an invocation that was told to fail."""


def handle(event: Any, context: Any) -> Any:
    """Runs the handler, with the tokens whose operation is the function itself."""
    with (TOKENS / "working" / str(os.getpid())).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # until it is closed, or the process ends
        if "Records" in event:
            ids = [record["messageId"] for record in event["Records"]]
            with (TOKENS / "deliveries").open("a") as deliveries:
                deliveries.write(json.dumps(ids) + "\n")
        _inject(FUNCTION, "before")
        answer = _handle(event, context)
        _inject(FUNCTION, "after")
        return answer


def _intercepted(call: Call) -> Call:
    """Wraps the method `call` of an implementation of aws.Client."""

    def intercepted(client: Any, operation: str, parameters: str, deadline: aws.Deadline) -> Output:
        if _inject(operation, "before", parameters) == "unreachable":
            client = _UNREACHABLE[operation]
        if operation == "PutItem" and any(_throttled([parameters])):
            raise aws.CallError("ProvisionedThroughputExceededException", status=400)
        if operation == "BatchExecuteStatement":
            answer = _call_with_some(call, client, parameters, deadline)
        else:
            answer = call(client, operation, parameters, deadline)
        _inject(operation, "after", parameters)
        return answer

    return intercepted


def _call_with_some(call: Call, client: Any, parameters: str, deadline: aws.Deadline) -> Output:
    """Calls BatchExecuteStatement without the statements that fail, and adds their errors."""
    statements = json.loads(parameters)["Statements"]
    if len(statements) > 1 and (code := _inject("BatchExecuteStatement", "within", parameters)):
        failed = [index % 2 == 0 for index in range(len(statements))]
    else:
        code = "ThrottlingError"
        failed = _throttled([json.dumps(statement) for statement in statements])
    if not any(failed):
        return call(client, "BatchExecuteStatement", parameters, deadline)
    kept = [
        statement
        for statement, has_failed in zip(statements, failed, strict=True)
        if not has_failed
    ]
    request = json.dumps({"Statements": kept})
    answer = call(client, "BatchExecuteStatement", request, deadline) if kept else {"Responses": []}
    rest = iter(answer["Responses"])
    error = {"Error": {"Code": code, "Message": "injected"}}
    return {"Responses": [error if has_failed else next(rest) for has_failed in failed]}


def _throttled(writes: Sequence[str]) -> list[bool]:
    """Returns which of these writes exceed the capacity of the partition."""
    try:
        file = PARTITION.open("r+")
    except FileNotFoundError:
        return [False] * len(writes)
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        partition = json.load(file)
        now = time.time()
        units = partition["units"]  # per second, and the largest burst
        left = min(units, partition["left"] + units * (now - partition["at"]))
        throttled = []
        for write in writes:
            is_its = partition["key"] in write
            throttled.append(is_its and left < 1)
            left -= is_its and left >= 1
        partition |= {"left": left, "at": now, "throttled": partition["throttled"] + sum(throttled)}
        file.seek(0)
        json.dump(partition, file)
        file.truncate()
    return throttled


def _inject(operation: str, moment: str, parameters: str = "") -> str:
    """Claims a token, if there is one, and executes its action, which it returns."""
    for token in TOKENS.glob(f"{operation}.{moment}.*"):
        try:
            if token.read_text() not in parameters:
                continue
            token.rename(TOKENS / "fired" / token.name)
        except FileNotFoundError:
            continue  # another thread has claimed it
        action = token.name.split(".")[2]
        if action in _ACTIONS and _ACTIONS[action]() is False:
            (TOKENS / "fired" / token.name).rename(token)  # nothing has happened
        return action
    return ""


def _fail() -> None:
    raise InjectedError("The invocation was told to fail.")


def _exhaust() -> bool:
    """Ends the process as Lambda does when memory is exhausted, if a limit is really hit."""
    pages = Path("/proc/self/statm").read_text()
    used = int(pages.split()[0]) * resource.getpagesize()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + MEGABYTES_LEFT * 2**20, hard))
    try:
        bytearray(2 * MEGABYTES_LEFT * 2**20)
    except MemoryError:
        _kill()
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    return False


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _allocate() -> bool:
    """Allocates twice the function's memory. Returns False if that succeeds: no limit."""
    megabytes = 2 * int(os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"])
    return not [b"x" * 2**20 for _ in range(megabytes)]


_ACTIONS: dict[str, Callable[[], object]] = {
    "fail": _fail,
    "quit": lambda: sys.exit(1),  # an exception that no handler catches
    "exit": lambda: os._exit(1),
    "kill": _kill,
    "exhaust": _exhaust,
    "allocate": _allocate,
    "hang": lambda: time.sleep(3600),  # until the function's timeout
    "dawdle": lambda: time.sleep(DAWDLE_SECONDS),
}


def _unreachable(service: str) -> aws.Client:
    """Returns a client whose calls time out while connecting."""
    endpoint = os.environ["AWS_ENDPOINT_URL"]
    os.environ["AWS_ENDPOINT_URL"] = os.environ["UNREACHABLE_URL"]
    try:
        region = settings.text("AWS_REGION")
        return aws.client(service, region, settings.seconds("READ_TIMEOUT_SECONDS"))
    finally:
        os.environ["AWS_ENDPOINT_URL"] = endpoint


_UNREACHABLE = {
    "SendMessage": _unreachable("sqs"),
    "PutItem": _unreachable("dynamodb"),
    "BatchExecuteStatement": _unreachable("dynamodb"),
}
_implementation = type(_UNREACHABLE["PutItem"])
_implementation.call = _intercepted(_implementation.call)  # type: ignore[assignment, method-assign]
