"""Pauses and resumes the consumer, and points aliases to other versions."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from async_ingest.errors import INCOMPLETE, OpsError
from async_ingest.system import ALIAS, System

POLL_SECONDS = 1.0
LONGEST_SECONDS = 120.0
COMPARED = ("CodeSha256", "Handler", "Runtime", "Timeout", "MemorySize", "Role", "Layers")


def switch(system: System, *, enabled: bool) -> None:
    """Enables or disables the event source mapping, and waits until that is so.

    Raises:
        OpsError: It is not so in time.
    """
    lambda_, mapping = system.aws.client("lambda"), system.mapping()
    lambda_.update_event_source_mapping(UUID=mapping["UUID"], Enabled=enabled)
    wanted = "Enabled" if enabled else "Disabled"
    deadline = time.monotonic() + LONGEST_SECONDS
    while (state := system.mapping()["State"]) != wanted:
        if time.monotonic() > deadline:
            raise OpsError(f"The event source mapping is still {state}.", INCOMPLETE)
        time.sleep(POLL_SECONDS)


@dataclass(frozen=True)
class Rollback:
    """What an alias would be pointed to."""

    function: str
    current: str
    version: str
    newest: str
    differences: dict[str, tuple[Any, Any]]  # by setting: current and wanted
    revision: str


def planned(system: System, function: str, version: str | None) -> Rollback:
    """Returns what a rollback would change; by default to the version before the current one.

    Raises:
        OpsError: There is no such version.
    """
    lambda_ = system.aws.client("lambda")
    alias = lambda_.get_alias(FunctionName=function, Name=ALIAS)
    pages = lambda_.get_paginator("list_versions_by_function").paginate(FunctionName=function)
    numbers = sorted(
        int(one["Version"])
        for page in pages
        for one in page["Versions"]
        if one["Version"].isdecimal()
    )
    current = alias["FunctionVersion"]
    before = [number for number in numbers if not current.isdecimal() or number < int(current)]
    wanted = int(version) if version else max(before, default=0)
    if wanted not in numbers:
        listed = ", ".join(map(str, numbers)) or "none"
        raise OpsError(
            f"{function} has no version {version or f'before {current}'}. There are: {listed}."
        )
    return Rollback(
        function,
        current,
        str(wanted),
        str(numbers[-1]),
        _differences(
            system.configuration(function, current), system.configuration(function, str(wanted))
        ),
        alias["RevisionId"],
    )


def roll_back(system: System, rollback: Rollback) -> None:
    """Points the alias to the version, unless somebody else has moved it meanwhile."""
    system.aws.client("lambda").update_alias(
        FunctionName=rollback.function,
        Name=ALIAS,
        FunctionVersion=rollback.version,
        RevisionId=rollback.revision,
    )


def _differences(current: dict[str, Any], wanted: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    def settings(version: dict[str, Any]) -> dict[str, Any]:
        variables = version.get("Environment", {}).get("Variables", {})
        return {
            **{name: version.get(name) for name in COMPARED},
            **{f"environment {name}": value for name, value in variables.items()},
        }

    old, new = settings(current), settings(wanted)
    return {
        name: (old.get(name), new.get(name))
        for name in (*old, *(name for name in new if name not in old))
        if old.get(name) != new.get(name)
    }
