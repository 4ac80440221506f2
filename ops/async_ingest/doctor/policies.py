"""Reads policies as far as it takes to see that one is missing or denies.

It is no simulator: a Deny with conditions counts as none, and an Allow with conditions as one, so
that what holds is never reported as broken. The marked order shows the rest.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import unquote

from async_ingest.system import System

Document = dict[str, Any]


def parsed(policy: str | Document | None) -> Document:
    if isinstance(policy, dict):
        return policy
    document: Document = json.loads(unquote(policy)) if policy else {}
    return document


def statements(document: Document) -> list[Document]:
    found = document.get("Statement", [])
    return found if isinstance(found, list) else [found]


def allows(documents: Iterable[Document], action: str, resource: str) -> bool:
    """Returns whether a statement allows an action on a resource, to whomever."""
    return any(
        statement.get("Effect") == "Allow" and _covers(statement, action, resource)
        for document in documents
        for statement in statements(document)
    )


def denying(
    documents: Iterable[Document], action: str, resource: str, principal: str | None = None
) -> str | None:
    """Returns the Sid, or number, of a statement that denies an action unconditionally."""
    for document in documents:
        for number, statement in enumerate(statements(document)):
            if (
                statement.get("Effect") == "Deny"
                and not statement.get("Condition")
                and _covers(statement, action, resource)
                and _is_for(statement, principal)
            ):
                return str(statement.get("Sid") or f"statement {number}")
    return None


def of_role(system: System, role_arn: str) -> Iterator[tuple[str, Document]]:
    """Yields the policies of a role by name, then its permissions boundary as `boundary`."""
    iam = system.aws.client("iam")
    role = {"RoleName": role_arn.rpartition("/")[2]}
    for name in iam.list_role_policies(**role)["PolicyNames"]:
        policy = iam.get_role_policy(**role, PolicyName=name)
        yield name, parsed(policy["PolicyDocument"])
    for attached in iam.list_attached_role_policies(**role)["AttachedPolicies"]:
        yield attached["PolicyName"], _managed(iam, attached["PolicyArn"])
    boundary = iam.get_role(**role)["Role"].get("PermissionsBoundary")
    if boundary:
        yield "boundary", _managed(iam, boundary["PermissionsBoundaryArn"])


def role_problem(system: System, role_arn: str, actions: Iterable[str], resource: str) -> str:
    """Returns why a role may not do something, or ""."""
    found = list(of_role(system, role_arn))
    own = [document for name, document in found if name != "boundary"]
    boundaries = [document for name, document in found if name == "boundary"]
    for action in actions:
        if sid := denying([*own, *boundaries], action, resource):
            return f"the role's policy denies {action} ({sid})"
        if not allows(own, action, resource):
            return f"no policy of the role allows {action}"
        if boundaries and not allows(boundaries, action, resource):
            return f"the permissions boundary does not allow {action}"
    return ""


def _managed(iam: Any, arn: str) -> Document:
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    policy = iam.get_policy_version(PolicyArn=arn, VersionId=version)
    return parsed(policy["PolicyVersion"]["Document"])


def _covers(statement: Document, action: str, resource: str) -> bool:
    return _names(statement, "Action", action.lower()) and _names(statement, "Resource", resource)


def _names(statement: Document, member: str, value: str) -> bool:
    def matches(patterns: Any) -> bool:
        listed = [patterns] if isinstance(patterns, str) else patterns
        if member == "Action":
            listed = [pattern.lower() for pattern in listed]
        return any(_pattern(pattern).fullmatch(value) for pattern in listed)

    if member in statement:
        return matches(statement[member])
    if f"Not{member}" in statement:
        return not matches(statement[f"Not{member}"])
    return member == "Resource"  # a policy of one resource need not name it


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(re.escape(text).replace(r"\*", ".*").replace(r"\?", "."))


def _is_for(statement: Document, principal: str | None) -> bool:
    given = statement.get("Principal")
    if principal is None or given is None or given == "*":
        return True
    listed = [
        one for value in given.values() for one in ([value] if isinstance(value, str) else value)
    ]
    account = principal.split(":")[4]
    return any(
        one in ("*", principal, account) or one.endswith(f":{account}:root") for one in listed
    )
