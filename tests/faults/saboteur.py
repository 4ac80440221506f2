"""Goes into the functions' packages beside the handlers, and ruins calls and invocations there.

The handler is that of the function that `SABOTAGED_FUNCTION` names, untouched. A token is a file
in the directory `SABOTAGE_DIR`, named OPERATION.MOMENT.ACTION.NUMBER: what to do before or after
the next call of an operation of AWS, or the next invocation. It is claimed by moving it to the
directory "fired" below, which no two workers can do: that says afterwards what has really happened.

While an invocation is in work, its process holds the lock of a file in the directory "working".
"""

import fcntl
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import botocore.client

FUNCTION = os.environ["SABOTAGED_FUNCTION"]  # "ingest" or "process"
TOKENS = Path(os.environ["SABOTAGE_DIR"])
MEGABYTES_LEFT = 8
DAWDLE_SECONDS = 4

_api_call = botocore.client.BaseClient._make_api_call
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


def _make_api_call(self: Any, operation: str, parameters: dict[str, Any]) -> Any:
    action = _ruin(operation, "before")
    if action == "unreachable":
        return _to_a_full_backlog(self, operation, parameters)
    if action == "statements":
        return _without_every_other_statement(self, operation, parameters)
    answer = _api_call(self, operation, parameters)
    _ruin(operation, "after")
    return answer


def _ruin(operation: str, moment: str) -> str:
    """Claims a token, if there is one, and does what it says. Returns what the caller has to do."""
    for token in TOKENS.glob(f"{operation}.{moment}.*"):
        try:
            token.rename(TOKENS / "fired" / token.name)
        except FileNotFoundError:
            continue  # another worker's
        action = token.name.split(".")[2]
        if action == "exhaust" and not _memory_ends():
            (TOKENS / "fired" / token.name).rename(token)  # it was no fault
        elif action in _ACTIONS:
            _ACTIONS[action]()
        return action
    return ""


def _fail() -> None:
    raise SabotageError("An invocation that was told to fail.")


def _memory_ends() -> bool:
    """Whether a limit is really reached."""
    pages = Path("/proc/self/statm").read_text()
    used = int(pages.split()[0]) * resource.getpagesize()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + MEGABYTES_LEFT * 2**20, hard))
    try:
        bytearray(2 * MEGABYTES_LEFT * 2**20)
    except MemoryError:
        return True
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    return False


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


_ACTIONS: dict[str, Callable[[], None]] = {
    "fail": _fail,
    "quit": lambda: sys.exit(1),  # an exception that no handler catches
    "exit": lambda: os._exit(1),
    "kill": _kill,
    "exhaust": _kill,  # as Lambda does when memory is used up
    "hang": lambda: time.sleep(3600),  # until the function's timeout
    "dawdle": lambda: time.sleep(DAWDLE_SECONDS),
}


def _to_a_full_backlog(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
    """The call, to a socket that takes no more connections: it times out while connecting."""

    def redirect(params: dict[str, Any], **_: Any) -> None:
        params["url"] = os.environ["UNREACHABLE_URL"]

    client.meta.events.register("before-call", redirect)
    try:
        return _api_call(client, operation, parameters)
    finally:
        client.meta.events.unregister("before-call", redirect)


def _without_every_other_statement(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
    """A call of which DynamoDB throttles every other statement: it answers for each on its own."""
    statements = parameters["Statements"]
    answers = [{"Error": {"Code": "ThrottlingError", "Message": "sabotage"}} for _ in statements]
    if kept := statements[1::2]:
        answers[1::2] = _api_call(client, operation, {"Statements": kept})["Responses"]
    return {"Responses": answers}


botocore.client.BaseClient._make_api_call = _make_api_call
