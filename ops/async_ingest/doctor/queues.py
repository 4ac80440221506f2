"""The queue, its consumer, the table, and what is in the dead-letter queue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from async_ingest import redrive
from async_ingest.dead_letters import DeadLetter, Selection
from async_ingest.doctor.findings import Finding, checks, failed, ok, warning
from async_ingest.doctor.http import alias_arn
from async_ingest.doctor.policies import allows, denying, parsed, role_problem
from async_ingest.errors import OpsError
from async_ingest.system import System, decoded

QUEUE, MAPPING, TABLE, DEAD = (
    "queue",
    "event source mapping",
    "table",
    "dead-letter queue",
)
CONSUMING = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
WRITING = ("dynamodb:PartiQLInsert", "dynamodb:PutItem")
# "Creating and configuring an Amazon SQS event source mapping", AWS Lambda Developer Guide.
TIMEOUTS_PER_VISIBILITY = 6
# Of one reason that many, and it is the system rather than the orders.
MANY = 10
LOOKED_AT = 1000


@checks(QUEUE)
def queue(system: System) -> Iterator[Finding]:
    attributes = system.queue_attributes(system.queue_url)
    ingest = str(system.configuration(system.ingest_function)["Role"])
    process = system.configuration(system.process_function)
    if problem := role_problem(system, ingest, ["sqs:SendMessage"], system.queue_arn):
        yield failed(QUEUE, f"ingest may not send: {problem}", "apply again, or correct the role")
    documents = [parsed(attributes.get("Policy"))]
    for role, action in ((ingest, "sqs:SendMessage"), (process["Role"], "sqs:ReceiveMessage")):
        if sid := denying(documents, action, system.queue_arn, role):
            what = f"the queue's policy denies {action} ({sid})"
            yield failed(QUEUE, what, "correct queue_policy_documents, or apply again")
    yield from _key(system, QUEUE, attributes.get("KmsMasterKeyId"), [ingest, process["Role"]])
    visibility, timeout = int(attributes["VisibilityTimeout"]), int(process["Timeout"])
    if visibility < timeout:
        yield failed(
            QUEUE,
            f"the visibility timeout {visibility} s is below process's timeout {timeout} s: "
            "messages are delivered again while they are processed",
            f"set it to at least {TIMEOUTS_PER_VISIBILITY * timeout} s, or apply again",
        )
    elif visibility < TIMEOUTS_PER_VISIBILITY * timeout:
        yield warning(
            QUEUE,
            f"the visibility timeout {visibility} s is below {TIMEOUTS_PER_VISIBILITY} times "
            f"process's timeout {timeout} s",
            "apply again",
        )
    policy = decoded(attributes.get("RedrivePolicy")) or {}
    if policy.get("deadLetterTargetArn") != system.dead_letter_arn:
        what = "what fails too often does not go to the dead-letter queue, and expires"
        yield failed(QUEUE, what, "apply again: the queue's redrive policy is another")
    else:
        yield ok(QUEUE, f"visibility {visibility} s, {policy.get('maxReceiveCount')} deliveries")


def _key(system: System, hop: str, key_id: str | None, roles: list[str]) -> Iterator[Finding]:
    """Checks that a customer managed key is enabled, and that it and the roles allow its use."""
    if not key_id or "alias/aws/" in key_id:  # AWS's own
        return
    kms = system.aws.client("kms")
    key = kms.describe_key(KeyId=key_id)["KeyMetadata"]
    if key.get("KeyState", "Enabled") != "Enabled":
        yield failed(hop, f"its key {key_id} is {key['KeyState']}", "enable the key")
        return
    policy = parsed(kms.get_key_policy(KeyId=key_id, PolicyName="default")["Policy"])
    for role in roles:
        if sid := denying([policy], "kms:Decrypt", key["Arn"], role):
            yield failed(hop, f"its key's policy denies {role} kms:Decrypt ({sid})", _KEY_ADVICE)
        elif not allows([policy], "kms:Decrypt", key["Arn"]):
            yield failed(hop, "its key's policy allows nobody kms:Decrypt", _KEY_ADVICE)
        elif problem := role_problem(system, role, ["kms:Decrypt"], key["Arn"]):
            yield failed(hop, f"its key: {problem}", _KEY_ADVICE)


_KEY_ADVICE = (
    "the key's policy must contain the output kms_key_policy_json; then apply with kms_key"
)


@checks(MAPPING)
def mapping(system: System) -> Iterator[Finding]:
    found = system.mappings()
    alias = alias_arn(system, system.process_function)
    if not found:
        yield failed(MAPPING, "the queue has none, so that nothing consumes it", "apply again")
        return
    if len(found) > 1:
        others = ", ".join(one["FunctionArn"] for one in found)
        yield failed(MAPPING, f"several consumers share the orders: {others}", "delete the others")
    one = next((one for one in found if one["FunctionArn"] == alias), found[0])
    if one["FunctionArn"] != alias:
        what = f"it invokes {one['FunctionArn']}, not the alias of process"
        yield failed(MAPPING, what, "apply again")
    if one["State"] in ("Disabled", "Disabling"):
        yield failed(
            MAPPING,
            "it is disabled: orders are accepted, and wait in the queue",
            "async-ingest resume --yes; process_enabled = true makes it last",
        )
    if "ReportBatchItemFailures" not in one.get("FunctionResponseTypes", []):
        what = "it does not report batch item failures: Lambda deletes messages that failed"
        yield failed(MAPPING, what, "apply again")
    if one.get("FilterCriteria", {}).get("Filters"):
        yield failed(MAPPING, "it has a filter: Lambda deletes what does not match", "remove it")
    role = str(system.configuration(system.process_function)["Role"])
    if problem := role_problem(system, role, CONSUMING, system.queue_arn):
        yield failed(MAPPING, f"process may not consume: {problem}", "apply again")
    result = one.get("LastProcessingResult", "")
    if "PROBLEM" in result:
        yield failed(MAPPING, f"its last poll says: {result}", "see the queue's policy and key")
    yield ok(MAPPING, f"it is {one['State'].lower()}")


@checks(TABLE)
def table(system: System) -> Iterator[Finding]:
    dynamodb = system.aws.client("dynamodb")
    try:
        found = dynamodb.describe_table(TableName=system.table_name)["Table"]
    except dynamodb.exceptions.ResourceNotFoundException:
        what = f"there is no table {system.table_name}, which process writes to (TABLE_NAME)"
        raise OpsError(what) from None
    if found["TableStatus"] not in ("ACTIVE", "UPDATING"):
        yield failed(TABLE, f"it is {found['TableStatus']}", "wait until it is active")
    role = str(system.configuration(system.process_function)["Role"])
    if problem := role_problem(system, role, WRITING, found["TableArn"]):
        yield failed(TABLE, f"process may not write: {problem}", "apply again")
    key = found.get("SSEDescription", {}).get("KMSMasterKeyArn")
    yield from _key(system, TABLE, key, [])
    yield ok(TABLE, f"{system.table_name} is {found['TableStatus'].lower()}")


@checks(DEAD)
def dead_letters(system: System) -> Iterator[Finding]:
    documents = [parsed(system.queue_attributes(system.dead_letter_url).get("Policy"))]
    role = str(system.configuration(system.process_function)["Role"])
    arn = system.dead_letter_arn
    if problem := role_problem(system, role, ["sqs:SendMessage"], arn):
        yield failed(DEAD, f"process may not send to it: {problem}", "apply again")
    if sid := denying(documents, "sqs:SendMessage", arn, role):
        yield failed(DEAD, f"its policy denies sqs:SendMessage ({sid})", "apply again")
    reasons = Counter[str]()

    def count(letter: DeadLetter) -> None:
        reasons[letter.kind] += 1

    if sum(system.depth(system.dead_letter_url)):
        redrive.look(system, Selection(limit=LOOKED_AT), count)
    if not reasons:
        yield ok(DEAD, "it is empty")
        return
    [(reason, number)] = reasons.most_common(1)
    total = sum(reasons.values())
    what = f"{total} dead letters, of which {number}: {reason}"
    if number >= MANY and number > total / 2:
        yield failed(
            DEAD,
            what,
            "one cause fails many orders: fix the producer, the keys or the hook, then redrive",
        )
    else:
        yield warning(DEAD, what, "async-ingest dlq list")
