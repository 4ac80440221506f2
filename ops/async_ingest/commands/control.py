"""`async-ingest pause`, `resume` and `rollback`."""

from __future__ import annotations

import click

from async_ingest import control
from async_ingest.commands import options
from async_ingest.commands.options import Screen, safe
from async_ingest.system import System


@click.command()
@options.for_system
@options.yes
def pause(screen: Screen, system: System, yes: bool) -> None:
    """Stop the consumer; orders are still accepted, and wait in the queue."""
    _switch(screen, system, yes=yes, enabled=False)


@click.command()
@options.for_system
@options.yes
def resume(screen: Screen, system: System, yes: bool) -> None:
    """Start the consumer again."""
    _switch(screen, system, yes=yes, enabled=True)


def _switch(screen: Screen, system: System, *, yes: bool, enabled: bool) -> None:
    setting = f"process_enabled = {str(enabled).lower()}"
    state = system.mapping()["State"]
    if not yes:
        what = "enabled" if enabled else "disabled"
        screen.result(
            {"state": state, "would_be": what},
            f"The event source mapping is {state.lower()}; it would be {what}.",
            "Nothing was changed. Do it with --yes.",
        )
        return
    control.switch(system, enabled=enabled)
    state = system.mapping()["State"]
    lines = [f"The event source mapping is {state.lower()}."]
    if not enabled:
        retention = int(system.queue_attributes(system.queue_url)["MessageRetentionPeriod"])
        lines.append(f"Orders wait in the queue for at most {retention / 86400:g} days.")
    lines.append(f"This lasts until the next apply. {setting} makes it last.")
    screen.result({"state": state, "lasts_until": "the next apply", "input": setting}, *lines)


@click.command()
@options.for_system
@click.argument("function", type=click.Choice(["ingest", "process"]))
@click.argument("version", required=False)
@options.yes
def rollback(
    screen: Screen, system: System, *, function: str, version: str | None, yes: bool
) -> None:
    """Point a function's alias to another version, by default the one before."""
    name = {"ingest": system.ingest_function, "process": system.process_function}[function]
    plan = control.planned(system, name, version)
    document = {
        "function": name,
        "from": plan.current,
        "to": plan.version,
        "newest": plan.newest,
        "differences": {one: list(values) for one, values in plan.differences.items()},
        "done": yes,
    }
    lines = [
        f"  {safe(setting)}: {safe(old)} → {safe(new)}"
        for setting, (old, new) in plan.differences.items()
    ] or ["  Nothing differs."]
    if yes:
        control.roll_back(system, plan)
    screen.result(
        document,
        f"{name}: the alias {'is' if yes else 'would be'} at version {plan.version} "
        f"instead of {plan.current}. What differs:",
        *lines,
        f"The next apply points it to version {plan.newest}, the newest, or to one that it then "
        "publishes: correct the source before.",
        *(() if yes else ("Nothing was changed. Do it with --yes.",)),
    )
