"""Goes into the functions' packages beside the handlers, and ruins calls and invocations there.

The handler is that of the function that `SABOTAGED_FUNCTION` names, untouched. A token is a file
in the directory `SABOTAGE_DIR`, named OPERATION.MOMENT.ACTION.NUMBER: what to do "before" or
"after" the next call of an operation of AWS, or the next invocation; "within" a call of several
statements, the action is the error of every other one. Its content is a text that the call's
parameters must have. A token is claimed by moving it to the directory "fired" below, which no two
threads can do: that says afterwards what has really happened. Calls are met where an implementation
of the functions' client begins one, before any retry.

The file "partition" is the capacity of a partition of the table, which all workers share.

While an invocation is in work, its process holds the lock of a file in the directory "working".
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

FUNCTION = os.environ["SABOTAGED_FUNCTION"]  # "ingest" or "process"
TOKENS = Path(os.environ["SABOTAGE_DIR"])
PARTITION = TOKENS / "partition"
MEGABYTES_LEFT = 8
DAWDLE_SECONDS = 4

Output = dict[str, Any]
Call = Callable[[Any, str, str, aws.Deadline], Output]

_handle = import_module(f"{FUNCTION}.handler").handle


class SabotageError(Exception):
    """What an invocation ends with that was told to fail."""


def handle(event: Any, context: Any) -> Any:
    """The handler, with tokens of an operation that is the function itself."""
    with (TOKENS / "working" / str(os.getpid())).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # until it is closed, or the process ends
        if "Records" in event:
            ids = [record["messageId"] for record in event["Records"]]
            with (TOKENS / "deliveries").open("a") as deliveries:
                deliveries.write(json.dumps(ids) + "\n")
        _ruin(FUNCTION, "before")
        answer = _handle(event, context)
        _ruin(FUNCTION, "after")
        return answer


def _sabotaged(call: Call) -> Call:
    """The ``call`` of an implementation of aws.Client, with tokens of the operation."""

    def sabotaged(client: Any, operation: str, parameters: str, deadline: aws.Deadline) -> Output:
        if _ruin(operation, "before", parameters) == "unreachable":
            client = _UNREACHABLE[operation]
        if operation == "PutItem" and any(_throttled([parameters])):
            raise aws.CallError("ProvisionedThroughputExceededException", status=400)
        if operation == "BatchExecuteStatement":
            answer = _call_with_some(call, client, parameters, deadline)
        else:
            answer = call(client, operation, parameters, deadline)
        _ruin(operation, "after", parameters)
        return answer

    return sabotaged


def _call_with_some(call: Call, client: Any, parameters: str, deadline: aws.Deadline) -> Output:
    """BatchExecuteStatement, which answers for each statement on its own, without some of them."""
    statements = json.loads(parameters)["Statements"]
    if len(statements) > 1 and (code := _ruin("BatchExecuteStatement", "within", parameters)):
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
    error = {"Error": {"Code": code, "Message": "sabotage"}}
    return {"Responses": [error if has_failed else next(rest) for has_failed in failed]}


def _throttled(writes: Sequence[str]) -> list[bool]:
    """Which of these writes are of the partition, and more than it has capacity for."""
    try:
        file = PARTITION.open("r+")
    except FileNotFoundError:
        return [False] * len(writes)
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        partition = json.load(file)
        now = time.time()
        units = partition["units"]  # a second, and at once
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


def _ruin(operation: str, moment: str, parameters: str = "") -> str:
    """Claims a token, if there is one, and does what it says. What it is goes to the caller."""
    for token in TOKENS.glob(f"{operation}.{moment}.*"):
        try:
            if token.read_text() not in parameters:
                continue
            token.rename(TOKENS / "fired" / token.name)
        except FileNotFoundError:
            continue  # another thread's
        action = token.name.split(".")[2]
        if action in _ACTIONS and _ACTIONS[action]() is False:
            (TOKENS / "fired" / token.name).rename(token)  # it was no fault
        return action
    return ""


def _fail() -> None:
    raise SabotageError("An invocation that was told to fail.")


def _exhaust() -> bool:
    """Ends as Lambda does when memory is used up, if a limit is really reached."""
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
    """Takes twice the memory of the function; where that is possible, there was no limit."""
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
    """A client of a socket that takes no more connections: calls time out while connecting."""
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
_implementation.call = _sabotaged(_implementation.call)  # type: ignore[assignment, method-assign]
