"""The next release of this checkout: a commit that changes all that an apply changes in place."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.repository import Repository

NEXT = "v1.1.0"
# Of tests/changes/table.toml: changes in place, or by a new version, that go together and without
# which no request is refused. Each becomes a default of the next release.
NEW_DEFAULTS = (
    *("tags", "nat_gateway_single", "ingress_ranges", "idle_timeout"),
    *("health_check_first", "ingest_reserved_concurrency", "process_reserved_concurrency"),
    *("provisioned_concurrency", "queue_retention", "table_stream", "batch_of_100"),
    *("maximum_concurrency", "log_retention", "path_added", "ingest_memory", "process_memory"),
    *("ingest_timeout", "process_timeout_up", "ingest_environment", "process_environment"),
    *("message_size", "fair_queue", "max_receive_count", "dead_letter_later", "architecture"),
    *("log_level", "tracing_off", "freshness_target"),
)
RENAMED = """
moved {
  from = aws_sqs_queue.this
  to   = aws_sqs_queue.orders
}
"""


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
        _substitute(variables, pattern, rf"\1 {json.dumps(default)}")
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
