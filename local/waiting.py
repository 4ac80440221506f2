"""The one way to wait for a condition."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar, cast

POLL_SECONDS = 0.02

T = TypeVar("T")


class NotInTimeError(RuntimeError):
    """A condition was not met before its deadline; the message names it and the last value."""


def eventually(
    read: Callable[[], T | None],
    what: str,
    seconds: float = 30,
    *,
    until: Callable[[Any], object] = bool,
    interval: float = POLL_SECONDS,
) -> T:
    """Reads a value again and again until it satisfies a condition, and returns it.

    Args:
        read: Called at least once.
        what: Names what is awaited, for the error message.
        seconds: How long to wait.
        until: The condition; by default, that the value is true.
        interval: Seconds between two reads.

    Raises:
        NotInTimeError: The condition is still not met after ``seconds``.
    """
    deadline = time.monotonic() + seconds
    while not until(value := read()):
        if time.monotonic() >= deadline:
            raise NotInTimeError(f"Not within {seconds:g} s: {what} (last value: {value!r})")
        time.sleep(interval)
    return cast(T, value)
