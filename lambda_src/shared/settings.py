"""Environment variables, which Terraform sets from the same values as the resources.

The handlers read them on import, so that a missing or invalid one stops the start with one line
that names it, instead of failing one order after another.
"""

import json
import os
from typing import TYPE_CHECKING, Any

from shared.orders import KeyAttribute, Schema

if TYPE_CHECKING:
    from async_ingest_hooks.hooks import Hook
    from shared.version import Version


class SettingsError(RuntimeError):
    """A variable is missing or invalid; the message names it and says what is expected."""


def text(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise SettingsError(f"Environment variable {name} is missing or empty.")
    return value


def optional(name: str) -> str | None:
    return os.environ.get(name) or None


def seconds(name: str) -> float:
    value = text(name)
    try:
        number = float(value)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise SettingsError(f"{name} must be a number of seconds above 0. Got {value!r}.")
    return number


def optional_seconds(name: str) -> float | None:
    return seconds(name) if optional(name) else None


def whole_number(name: str, above: int) -> int:
    value = text(name)
    number = int(value) if value.isascii() and value.isdigit() and len(value) < 10 else 0
    if number <= above:
        raise SettingsError(f"{name} must be a whole number above {above}. Got {value!r}.")
    return number


def flag(name: str) -> bool:
    value = text(name)
    if value not in ("true", "false"):
        raise SettingsError(f"{name} must be true or false. Got {value!r}.")
    return value == "true"


def choice(name: str, values: tuple[str, ...]) -> str:
    """Returns one of some values, of which the first is the default."""
    value = os.environ.get(name) or values[0]
    if value not in values:
        raise SettingsError(f"{name} must be {' or '.join(values)}. Got {value!r}.")
    return value


def switch(name: str) -> bool:
    """Returns a flag that is defined by the AWS SDKs, false if it is not set."""
    value = os.environ.get(name) or "false"
    if value.lower() not in ("true", "false"):
        raise SettingsError(f"{name} must be true or false. Got {value!r}.")
    return value.lower() == "true"


def paths(name: str) -> frozenset[str]:
    """Returns each path with and without a trailing slash, as in the load balancer's rule."""
    value = _parsed(name)
    valid = isinstance(value, list) and all(isinstance(path, str) for path in value)
    if not valid or not value or not all(path.startswith("/") for path in value):
        raise SettingsError(
            f'{name} must be a JSON list of paths that begin with "/". Got {value!r}.'
        )
    return frozenset(value) | {f"{path}/" for path in value}


def schema() -> Schema:
    """Returns the table's keys and the name of the attribute that is added to each item."""
    accepted_at_name = text("ACCEPTED_AT_ATTRIBUTE")
    value = _parsed("TABLE_KEYS")
    try:
        keys = tuple([KeyAttribute(str(key["name"]), key["type"]) for key in value])
    except (TypeError, KeyError):
        keys = ()
    names = {key.name for key in keys if key.name and key.type in ("S", "N")}
    if not 1 <= len(keys) <= 2 or len(names) < len(keys) or accepted_at_name in names:
        raise SettingsError(
            'TABLE_KEYS must be a JSON list of one or two {"name": …, "type": "S" or "N"}, with '
            f"distinct names that differ from ACCEPTED_AT_ATTRIBUTE. Got {value!r}."
        )
    return Schema(keys, accepted_at_name, version=_version(names | {accepted_at_name}))


def _version(others: set[str]) -> "Version | None":
    """Returns the attribute that is an order's version, if ORDER_VERSION names one."""
    if not optional("ORDER_VERSION"):
        return None
    from shared.version import Version  # noqa: PLC0415 - only where there are versions

    value = _parsed("ORDER_VERSION")
    try:
        version = Version(str(value["name"]), value["type"], str(value["kept_in"]))
    except (TypeError, KeyError):
        version = Version("", "", "")
    names = {version.name, version.kept_in}
    if "" in names or len(names | others) < 2 + len(others) or version.type not in ("N", "S"):
        raise SettingsError(
            'ORDER_VERSION must be {"name": …, "type": "N" or "S", "kept_in": …}, with names that '
            f"differ from each other, the keys and ACCEPTED_AT_ATTRIBUTE. Got {value!r}."
        )
    return version


def schema_with_expiry() -> Schema:
    """Returns the same with the attribute of the time to live, if TTL_ATTRIBUTE names one."""
    own = schema()
    name = optional("TTL_ATTRIBUTE")
    if name == own.accepted_at_name:
        raise SettingsError(
            "TTL_ATTRIBUTE must differ from ACCEPTED_AT_ATTRIBUTE, which is in microseconds. "
            f"Got {name!r}."
        )
    return own._replace(expiry=name)


def hook(name: str) -> "Hook | None":
    """Returns the team's hook of that name, if ORDER_HOOKS names a package."""
    package = optional("ORDER_HOOKS")
    if package is None:
        return None
    from async_ingest_hooks.hooks import Hook  # noqa: PLC0415 - in the function's package only then

    return Hook(package, name, seconds("ORDER_HOOKS_TIMEOUT_SECONDS"))


def _parsed(name: str) -> Any:
    value = text(name)
    try:
        return json.loads(value)
    except ValueError:
        raise SettingsError(f"{name} must be JSON. Got {value!r}.") from None
