"""Compares values in a state with expected ones."""

import json
from typing import Any

from local.terraform import every_resource, short_address
from tests.terraform.wiring.names import NOTHING, Of, Resources


def resources(module: dict[str, Any]) -> Resources:
    """Returns the values of each resource by address, with what it depends on."""
    return {
        short_address(one["address"]): {**one["values"], "depends_on": one.get("depends_on", [])}
        for one in every_resource(module)
    }


def value(state: Resources, path: str) -> Any:
    """Returns the value at a path, or ``NOTHING`` if there is no such resource."""
    address = next(
        (one for one in state if path == one or path.startswith(f"{one}.")),
        None,
    )
    if address is None:
        return NOTHING
    found: Any = state[address]
    for name in path.removeprefix(address).split(".")[1:]:
        if name.isdigit():
            found = found[int(name)] if int(name) < len(found) else NOTHING
        else:
            [found] = [found] if isinstance(found, dict) else found or [{}]
            found = found.get(name)
    return found


def resolved(state: Resources, expected: Any) -> Any:
    if isinstance(expected, Of):
        found = value(state, expected)
        assert found not in (NOTHING, None), f"nothing is at {expected}"
        return found
    if isinstance(expected, list):
        return [resolved(state, one) for one in expected]
    if isinstance(expected, dict):
        return {name: resolved(state, one) for name, one in expected.items()}
    return expected


def in_order(found: Any) -> Any:
    """Sorts lists: sets have no order, and the order of no list here matters."""
    if isinstance(found, list):
        return sorted(map(in_order, found), key=repr)
    if isinstance(found, dict):
        return {name: in_order(found[name]) for name in sorted(found)}
    return found


def differences(state: Resources, expected: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Returns, by path, the actual and the expected value where they differ."""
    found = {}
    for path, wanted in expected.items():
        there, should_be = value(state, path), resolved(state, wanted)
        if isinstance(there, str) and isinstance(should_be, dict | list):
            there = json.loads(there)
        if in_order(there) != in_order(should_be):
            found[path] = (there, should_be)
    return found
