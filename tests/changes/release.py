"""The next release of this checkout: a commit that changes in place whatever a default can."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.changes.table import Change
from tests.support.repository import Repository

NEXT = "v1.1.0"
# Of the rows of table.toml that a default can make (`can_be_a_default`), those that do not go
# together with the others, or with what the upgrade shows.
LEFT_OUT = {
    "batch_size": "process_batch_size changes in batch_of_100",
    "batching_window": "process_batching_window_seconds changes in batch_of_100",
    "deletion_protection": "it is the default",
    "maximum_concurrency": "not together with provisioned_pollers",
    "order_version": "requests without the attribute are refused",
    "path_inserted": "paths change in path_added",
    "process_paused": "orders would not reach the table",
    "process_timeout_down": "process_timeout_seconds changes in process_timeout_up",
    "snap_start": "not together with provisioned_concurrency",
}
RENAMED = """
moved {
  from = aws_sqs_queue.this
  to   = aws_sqs_queue.orders
}
"""


def can_be_a_default(change: Change) -> bool:
    """Says whether a new default of the module makes a change in place.

    By a new version of a function, too. Out are changes that replace or destroy something, and
    those from inputs that are no defaults (base), those to a resource that the user has ("$name"),
    those which refuse requests meanwhile (gap), and those that are not applied.
    """
    in_place = change.is_applied and change.kind in {"in place", "new version"}
    return in_place and not change.base and not change.gap and '"$' not in json.dumps(change.inputs)


def next_defaults(changes: Mapping[str, Change]) -> dict[str, Any]:
    """Returns the defaults of the next release: all rows that can be one, but those left out.

    Raises:
        ValueError: Two rows set the same.
    """
    defaults: dict[str, Any] = {}
    for change in changes.values():
        if not can_be_a_default(change) or change.name in LEFT_OUT:
            continue
        for name, value in change.inputs.items():
            if name not in defaults:
                defaults[name] = value
            elif isinstance(value, dict) and not value.keys() & defaults[name].keys():
                defaults[name] = defaults[name] | value  # members of an object
            else:
                raise ValueError(f"{change.name} and an earlier row both change {name}")
    return defaults


def commit_next(repository: Repository, defaults: Mapping[str, Any]) -> None:
    """Commits and tags the next release.

    Its handlers, alarms and defaults are others, and a resource has another address.

    Args:
        repository: Its files are changed.
        defaults: New defaults of the root's variables.

    Raises:
        ValueError: There is nothing to change where there should be.
    """
    root = repository.directory
    variables = root / "variables.tf"
    for name, default in defaults.items():
        pattern = rf'(?s)(^variable "{name}" {{\n(?:(?!^}}).)*?^  default +=) [^\n]*$'
        written = json.dumps(default).replace("\\", r"\\")  # for re
        _substitute(variables, pattern, rf"\1 {written}")
    for handler in root.glob("lambda_src/*/*.py"):
        handler.write_text(f"{handler.read_text()}\nRELEASE = {NEXT!r}\n")
    for alarms in root.glob("modules/observability/*.tf"):
        text = alarms.read_text()
        if "alarm_description" in text:
            _substitute(alarms, r'(alarm_description\s*=\s*")', rf"\1{NEXT}: ")
    queue = root / "modules" / "queue"
    for file in queue.glob("*.tf"):
        text = file.read_text()
        text = text.replace('resource "aws_sqs_queue" "this"', 'resource "aws_sqs_queue" "orders"')
        file.write_text(text.replace("aws_sqs_queue.this", "aws_sqs_queue.orders"))
    (queue / "moved.tf").write_text(RENAMED.lstrip())
    repository.commit("feat: another release", NEXT)


def _substitute(file: Path, pattern: str, replacement: str) -> None:
    text, count = re.subn(pattern, replacement, file.read_text(), flags=re.MULTILINE)
    if not count:
        raise ValueError(f"{pattern} is not in {file}")
    file.write_text(text)
