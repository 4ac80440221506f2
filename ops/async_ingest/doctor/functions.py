"""The two functions: what the alias invokes, its settings, and whether it starts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from async_ingest.doctor.findings import Finding, checks, failed, ok, warning
from async_ingest.errors import OpsError
from async_ingest.system import ALIAS, System, decoded

INGEST, PROCESS = "ingest function", "process function"


@checks(INGEST)
def ingest(system: System) -> Iterator[Finding]:
    function = system.ingest_function
    yield from _deployed(system, function, INGEST)
    variables = system.environment(function)
    yield from _setting(INGEST, variables, "QUEUE_URL", {system.queue_url}, "the queue's URL")
    yield from _keys(system, INGEST, variables)
    event = {"path": "/", "httpMethod": "GET", "headers": {}, "body": "", "isBase64Encoded": False}
    yield from _starts(system, function, INGEST, event, "statusCode")


@checks(PROCESS)
def process(system: System) -> Iterator[Finding]:
    function = system.process_function
    yield from _deployed(system, function, PROCESS)
    variables = system.environment(function)
    dead = {system.dead_letter_url}
    yield from _setting(PROCESS, variables, "DEAD_LETTER_QUEUE_URL", dead, "that queue's URL")
    if known := system.known.get("table_name"):
        yield from _setting(PROCESS, variables, "TABLE_NAME", {known}, "the table's name")
    yield from _keys(system, PROCESS, variables)
    yield from _starts(system, function, PROCESS, {"Records": []}, "batchItemFailures")


def _deployed(system: System, function: str, hop: str) -> Iterator[Finding]:
    lambda_ = system.aws.client("lambda")
    try:
        alias = lambda_.get_alias(FunctionName=function, Name=ALIAS)
    except lambda_.exceptions.ResourceNotFoundException:
        raise OpsError(f"{function} has no alias {ALIAS}") from None
    version = system.configuration(function)
    state = version.get("State", "Active")
    if state not in ("Active", "Inactive"):
        reason = version.get("StateReason", "")
        yield failed(hop, f"version {version['Version']} is {state}: {reason}", "see the reason")
    reserved = lambda_.get_function_concurrency(FunctionName=function)
    if reserved.get("ReservedConcurrentExecutions") == 0:
        what = "its reserved concurrency is 0, so that every invocation is throttled"
        yield failed(
            hop, what, f"aws lambda delete-function-concurrency --function-name {function}"
        )
    if weights := alias.get("RoutingConfig", {}).get("AdditionalVersionWeights"):
        yield warning(hop, f"the alias also sends to {weights}", "apply again, or end the shift")
    pages = lambda_.get_paginator("list_versions_by_function").paginate(FunctionName=function)
    numbers = [one["Version"] for page in pages for one in page["Versions"]]
    newest = max((int(one) for one in numbers if one.isdecimal()), default=0)
    current = alias["FunctionVersion"]
    if current == "$LATEST":
        yield warning(hop, "the alias is at $LATEST, which changes by hand", "apply again")
    elif int(current) < newest:
        yield warning(
            hop,
            f"the alias is at version {current}, the newest is {newest}: rolled back",
            "the next apply moves it to the newest version again",
        )
    else:
        yield ok(hop, f"{function}:{ALIAS} is version {current}")
    yield from _drift(system, function, hop, version)


def _drift(system: System, function: str, hop: str, version: dict[str, Any]) -> Iterator[Finding]:
    latest = system.configuration(function, None)
    members = ("CodeSha256", "Handler", "Timeout", "MemorySize", "Runtime", "Role")
    changed = [name for name in members if latest.get(name) != version.get(name)]
    if latest.get("Environment", {}).get("Variables") != version.get("Environment", {}).get(
        "Variables"
    ):
        changed.append("Environment")
    if changed:
        yield warning(
            hop,
            f"$LATEST differs from what the alias invokes in {', '.join(changed)}",
            "changed by hand, or rolled back: terraform plan shows it",
        )


def _setting(
    hop: str, variables: dict[str, str], name: str, wanted: set[str], what: str
) -> Iterator[Finding]:
    given = variables.get(name)
    if given not in wanted:
        is_at = f"{name} is {given!r}, not {what} {' or '.join(sorted(wanted))}"
        yield failed(hop, is_at, "apply again; changed by hand, or by ingest_environment")


def _keys(system: System, hop: str, variables: dict[str, str]) -> Iterator[Finding]:
    given = decoded(variables.get("TABLE_KEYS"))
    wanted = [{"name": key.name, "type": key.type} for key in system.keys]
    if given != wanted:
        what = f"TABLE_KEYS is {json.dumps(given)}, the table's keys are {json.dumps(wanted)}"
        yield failed(hop, what, "apply again; with existing_table, correct its keys")


def _starts(
    system: System, function: str, hop: str, event: dict[str, Any], member: str
) -> Iterator[Finding]:
    """Invokes the alias with an event that changes nothing."""
    answer = system.aws.client("lambda").invoke(
        FunctionName=function, Qualifier=ALIAS, Payload=json.dumps(event).encode()
    )
    payload = decoded(answer["Payload"].read().decode(errors="replace"))
    if answer.get("FunctionError"):
        error = payload if isinstance(payload, dict) else {}
        kind, text = error.get("errorType", "unknown"), str(error.get("errorMessage", ""))
        yield failed(hop, f"it does not start: {kind}: {text[:300]}", _advice(kind, text, function))
    elif not isinstance(payload, dict) or member not in payload:
        what = f"its answer has no {member}"
        yield failed(hop, what, "see the contract of a package of your own in docs/options.md")
    else:
        yield ok(hop, "it starts")


def _advice(kind: str, text: str, function: str) -> str:
    if "Import" in kind or "Handler" in kind or "No module" in text or "ModuleNotFound" in kind:
        return "the package lacks the entry point or a dependency: correct it, or roll back"
    return f"correct its settings, or roll back: async-ingest rollback; log /aws/lambda/{function}"
