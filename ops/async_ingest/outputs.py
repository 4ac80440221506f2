"""The systems that Terraform's outputs of a directory name."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from async_ingest.errors import OpsError

Outputs = dict[str, Any]

# Any of these names a system; a configuration with several passes them on with a prefix.
_NAMES = re.compile(r"(?:(?P<prefix>.+)_)?queue_(?:name|url|arn)")
_DEAD_LETTERS = "dead_letter"


def read(directory: Path) -> dict[str, Outputs]:
    """Returns the module's outputs by the system's name.

    Recognized are the module's outputs under their own names, with a prefix
    (`orders_queue_url`), or as one object (`value = module.orders`).

    Raises:
        OpsError: Terraform fails, or no output names a system.
    """
    found = systems_in(_terraform_output(directory))
    if not found:
        raise OpsError(
            f"No output of {directory} names a system. Pass one on, for example: "
            'output "queue_url" { value = module.NAME.queue_url }'
        )
    return found


def systems_in(outputs: Mapping[str, Any]) -> dict[str, Outputs]:
    """Returns the module's outputs by the system's name."""
    found: dict[str, Outputs] = {}
    for value in outputs.values():
        if isinstance(value, Mapping):
            found |= systems_in(value)
    for output in outputs:
        match = _NAMES.fullmatch(output)
        prefix = f"{match['prefix']}_" if match and match["prefix"] else ""
        if not match or not isinstance(outputs[output], str) or _DEAD_LETTERS in prefix:
            continue
        own = {
            name.removeprefix(prefix): value
            for name, value in outputs.items()
            if name.startswith(prefix)
        }
        found[_queue_name(outputs[output])] = own
    return found


def _queue_name(value: str) -> str:
    """Returns a queue's name, given that, its URL or its ARN."""
    return re.split("[/:]", value)[-1]


def _terraform_output(directory: Path) -> dict[str, Any]:
    executable = shutil.which("terraform") or shutil.which("tofu")
    if executable is None:
        raise OpsError("Neither terraform nor tofu is on the PATH. Pass --name instead.")
    result = subprocess.run(
        [executable, f"-chdir={directory}", "output", "-json", "-no-color"],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    if result.returncode != 0:
        lines = [line.strip("│╷╵ ") for line in result.stderr.splitlines()]
        text = " ".join(line for line in lines if line)
        raise OpsError(f"terraform output fails in {directory}: {text or 'no message'}")
    return {name: value["value"] for name, value in json.loads(result.stdout).items()}
