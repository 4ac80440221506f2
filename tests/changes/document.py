"""Writes the effect of every change from the table into docs/changing.md: `make docs`.

python -m tests.changes.document [--check]
"""

import json
import re
import sys
from typing import Any

from local.emulator import ROOT
from tests.changes.table import Change, load
from tools import markup

DOCUMENT = ROOT / "docs" / "changing.md"
PROTECTION = "deletion_protection_enabled"

# Plain names of the table's patterns of resources; "" is not worth mentioning.
WORDS = {
    "*": "everything",
    "*.aws_iam_role.*": "the roles",
    "*.aws_iam_role.this": "the roles",
    "*.aws_iam_role_policy.*": "",
    "*.aws_iam_role_policy.this": "",
    "*.aws_vpc_security_group_egress_rule.this*": "",
    "ingest.aws_iam_role.this": "its role",
    "ingest.aws_iam_role_policy.this": "",
    "load_balancer.aws_lb.this": "the load balancer",
    "load_balancer.aws_lb_listener.http": "its listener",
    "load_balancer.aws_lb_listener_rule.this*": "rules of the listener",
    "load_balancer.aws_lambda_permission.this": "",
    "load_balancer.aws_lb_target_group.this": "the target group",
    "load_balancer.aws_lb_target_group_attachment.this": "",
    "load_balancer.aws_security_group.this": "",
    "load_balancer.aws_vpc_security_group_ingress_rule.this*": "rules of its security group",
    "network.aws_cloudwatch_log_group.flow_logs": "their log group",
    "network.aws_flow_log.this": "the flow logs",
    "network.aws_iam_role.flow_logs": "their role",
    "network.aws_iam_role_policy.flow_logs": "",
    "observability.*": "alarms, dashboard and queries",
    "observability.aws_cloudwatch_*_alarm.*": "those alarms",
    "observability.aws_cloudwatch_dashboard.this": "the dashboard",
    "table.aws_dynamodb_table.this": "the table",
    "vpc_endpoints.*": "the endpoints",
}


def main(arguments: list[str]) -> int:
    before = DOCUMENT.read_text()
    after = markup.with_part(before, "CHANGES", table(load()))
    if "--check" in arguments:
        if after != before:
            print("✗ docs/changing.md is out of date: make docs", file=sys.stderr)
        return int(after != before)
    DOCUMENT.write_text(after)
    return 0


def table(changes: dict[str, Change]) -> str:
    """Returns a Markdown table with a row for each change of each input."""
    variables = (ROOT / "variables.tf").read_text()
    rows = []
    for name in re.findall(r'^variable "(\w+)"', variables, re.MULTILINE):
        label = f"`{name}`"
        for change in changes.values():
            # Its twin without this input already says so.
            is_twin = change.name.startswith("protected_") and PROTECTION in change.inputs
            if name in change.inputs and not is_twin:
                before = _shown(change.base[name]) if name in change.base else "default"
                after = _shown(change.inputs[name])
                rows.append((label, before, after, effect(change, name)))
                label = ""
    return markup.table(("Input", "From", "To", "What the apply does"), rows)


def effect(change: Change, name: str) -> str:
    """Describes a change in sentences, from the point of view of one of its inputs."""
    if change.refused:
        is_protected = change.base.get(PROTECTION)
        sentences = [
            f"**Refused**{' while protected' if is_protected else ''}: “{change.refused}”."
        ]
    elif change.is_nothing:
        sentences = ["Nothing."]
    else:
        sentences = [
            f"Publishes a new version of {' and '.join(change.versions)}."
            if change.versions
            else "",
            f"**Replaces** {_words(change.replaces)}." if change.replaces else "",
            f"**Deletes** {_words(change.destroys)}." if _words(change.destroys) else "",
        ]
        sentences = [one for one in sentences if one] or ["In place."]
    beside = [f"`{other} = {_hcl(value)}`" for other, value in _beside(change, name).items()]
    return " ".join(
        one
        for one in (
            f"With {', '.join(beside)}:" if beside else "",
            *sentences,
            f"Lost: {change.loses}." if change.loses else "",
            "**Requests are refused meanwhile.**" if change.gap else "",
            f"No way back: {change.one_way}."
            if change.one_way and change.is_applied and not change.back
            else "",
            f"Planned only: {change.not_applied}." if change.not_applied else "",
            change.says,
        )
        if one
    )


def _beside(change: Change, name: str) -> dict[str, Any]:
    """Returns the other inputs that are set before or by the change."""
    others = {**change.base, **change.inputs}
    return {other: v for other, v in others.items() if other not in (name, PROTECTION)}


def _words(patterns: list[str]) -> str:
    return " and ".join(word for word in dict.fromkeys(WORDS[p] for p in patterns) if word)


def _shown(value: Any) -> str:
    """Returns a value in HCL, abbreviated; "…" is the reader's own."""
    return f"`{_hcl(value)}`"


def _hcl(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {_hcl(member)}" for name, member in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_hcl(element) for element in value) + "]"
    if value == "null":
        return "null"
    if isinstance(value, str) and value.startswith(("$", "{")):
        return "…"
    return json.dumps(value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
