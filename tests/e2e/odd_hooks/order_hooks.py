"""Hooks that do what an order asks them to, which is never what a hook should do."""

import sys
from collections.abc import Callable
from typing import Any


def _loop(order: Any) -> Any:
    while True:
        pass


def _loop_in_c(order: Any) -> Any:
    sum(iter(int, 1))


def _eat_memory(order: Any) -> Any:
    eaten: list[bytearray] = []
    while True:
        eaten.append(bytearray(b"x" * 2**20))


def _print(order: Any) -> Any:
    print(order)
    print(order, file=sys.stderr)
    return order


def _exit(order: Any) -> Any:
    sys.exit(str(order))


ODD: dict[str, Callable[[Any], Any]] = {
    "loop": _loop,
    "loop in C": _loop_in_c,
    "eat memory": _eat_memory,
    "print": _print,
    "exit": _exit,
    "nothing": lambda order: None,
}


def accept(order: Any, request: Any) -> Any:
    return ODD[order["accept"]](order) if "accept" in order else order


def prepare(order: Any) -> Any:
    return ODD[order["prepare"]](order) if "prepare" in order else order
