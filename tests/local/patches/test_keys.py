"""local/patches/keys.py: who may use a customer managed key."""

import json
from typing import Any

from local.emulator import ACCOUNT, REGION, Emulator
from local.waiting import eventually
from tests.local.patches.checks import Checks, code_of
from tests.local.support import deploy, enqueue, last_result, map_queue, processed
from tests.support.policies import allow, allowing, document
from tests.support.stack import new_user
from tests.support.tables import create_table

check = Checks("keys")

USER = "team"
VIA_SQS = {"StringEquals": {"kms:ViaService": f"sqs.{REGION}.amazonaws.com"}}
VIA_DYNAMODB = {"StringLike": {"kms:ViaService": "dynamodb.*.amazonaws.com"}}

(
    test_every_patch_has_a_check,
    test_the_check_passes_with_the_patch,
    test_the_check_fails_without_the_patch,
) = check.tests()


@check(auth=True)
def encrypted_queues_need_the_key(emulator: Emulator) -> None:
    key = create_key(emulator)
    queue = encrypted_queue(emulator, key)
    sqs = emulator.client("sqs", **new_user(emulator, USER))
    grant(emulator, "sqs", ["sqs:SendMessage", "sqs:ReceiveMessage"], "*")
    body = {"QueueUrl": queue, "MessageBody": "order"}
    entries = {"QueueUrl": queue, "Entries": [{"Id": "1", "MessageBody": "order"}]}
    refused = "KMS.AccessDeniedException"

    assert code_of(sqs.send_message, **body) == refused
    assert code_of(sqs.receive_message, QueueUrl=queue) == refused
    grant(emulator, "kms", ["kms:Decrypt"], key, Condition=VIA_SQS)
    assert code_of(sqs.receive_message, QueueUrl=queue) is None
    assert code_of(sqs.send_message, **body) == refused
    grant(emulator, "kms", ["kms:GenerateDataKey", "kms:Decrypt"], key, Condition=VIA_DYNAMODB)
    assert code_of(sqs.send_message, **body) == refused
    grant(emulator, "kms", ["kms:GenerateDataKey", "kms:Decrypt"], key, Condition=VIA_SQS)
    assert code_of(sqs.send_message, **body) is None
    # The key's own policy must allow it, and suffices without the user's policy.
    emulator.client("kms").put_key_policy(KeyId=key, PolicyName="default", Policy=for_users(key))
    assert code_of(sqs.send_message, **body) == refused
    revoke(emulator, "kms")
    own = for_users(key, f"arn:aws:iam::{ACCOUNT}:user/{USER}")
    emulator.client("kms").put_key_policy(KeyId=key, PolicyName="default", Policy=own)
    assert code_of(sqs.send_message, **body) is None
    assert code_of(emulator.client("sqs").send_message_batch, **entries) is None


@check(auth=True)
def mappings_need_the_key_of_the_queue(emulator: Emulator) -> None:
    key = create_key(emulator)
    encrypted_queue(emulator, key)
    function_arn = deploy(emulator, "consume", "def handle(event, _): pass")
    iam = emulator.client("iam")
    actions = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
    iam.put_role_policy(RoleName="consume", PolicyName="sqs", PolicyDocument=allowing(actions, "*"))
    mapping = map_queue(emulator, function_arn)
    enqueue(emulator, "orders", "order")

    assert "kms:Decrypt" in processed(emulator, mapping)
    may_decrypt = allowing(["kms:Decrypt"], key, Condition=VIA_SQS)
    iam.put_role_policy(RoleName="consume", PolicyName="kms", PolicyDocument=may_decrypt)
    eventually(lambda: last_result(emulator, mapping).startswith("OK"), "a batch", 10)


@check(auth=True)
def encrypted_tables_need_the_key(emulator: Emulator) -> None:
    key = create_key(emulator)
    encryption = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key}
    create_table(emulator.client("dynamodb"), "orders", {"id": "S"}, SSESpecification=encryption)
    dynamodb = emulator.client("dynamodb", **new_user(emulator, USER))
    grant(emulator, "dynamodb", ["dynamodb:*"], "*")
    refused = {"AccessDenied", "AccessDeniedException"}
    item = {"TableName": "orders", "Item": {"id": {"S": "1"}}}
    batch = {"Statements": [{"Statement": "INSERT INTO \"orders\" VALUE {'id': '2'}"}]}
    rows = {"TableName": "orders", "Key": {"id": {"S": "1"}}}

    def codes() -> list[str | None]:
        return [
            code_of(dynamodb.put_item, **item),
            code_of(dynamodb.batch_execute_statement, **batch),
            code_of(dynamodb.get_item, **rows),
        ]

    assert set(codes()) <= refused
    assert code_of(dynamodb.describe_table, TableName="orders") is None
    grant(emulator, "kms", ["kms:Decrypt"], key, Condition=VIA_SQS)
    assert set(codes()) <= refused
    grant(emulator, "kms", ["kms:Decrypt"], key, Condition=VIA_DYNAMODB)
    assert codes() == [None, None, None]


@check(auth=True)
def log_groups_need_a_key_that_lets_logs_use_it(emulator: Emulator) -> None:
    logs = emulator.client("logs")
    key = create_key(emulator)
    plain = {"logGroupName": "/plain"}
    logs.create_log_group(**plain)
    encrypted = {"logGroupName": "/aws/lambda/orders", "kmsKeyId": key}
    assert code_of(logs.create_log_group, **encrypted) == "AccessDeniedException"
    assert code_of(logs.associate_kms_key, **plain, kmsKeyId=key) == "AccessDeniedException"

    group_arn = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/orders"
    for_logs = {
        "Effect": "Allow",
        "Principal": {"Service": f"logs.{REGION}.amazonaws.com"},
        "Action": ["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey*"],
        "Resource": "*",
        "Condition": {"ArnEquals": {"kms:EncryptionContext:aws:logs:arn": group_arn}},
    }
    policy = json.loads(for_users(key))
    policy["Statement"].append(for_logs)
    emulator.client("kms").put_key_policy(
        KeyId=key, PolicyName="default", Policy=json.dumps(policy)
    )
    logs.create_log_group(**encrypted)
    assert code_of(logs.associate_kms_key, **plain, kmsKeyId=key) == "AccessDeniedException"


@check(auth=True)
def encrypted_secrets_need_the_key(emulator: Emulator) -> None:
    key = create_key(emulator)
    secret = {"Name": "keys", "SecretString": "text", "KmsKeyId": key}
    arn = emulator.client("secretsmanager").create_secret(**secret)["ARN"]
    manager = emulator.client("secretsmanager", **new_user(emulator, USER))
    grant(emulator, "secrets", ["secretsmanager:GetSecretValue"], arn)

    def through(service: str, secret_arn: str) -> dict[str, Any]:
        via = {"kms:ViaService": f"{service}.{REGION}.amazonaws.com"}
        return {"StringEquals": via | {"kms:EncryptionContext:SecretARN": secret_arn}}

    def code() -> str | None:
        return code_of(manager.get_secret_value, SecretId=arn)

    assert code() == "AccessDeniedException"
    for condition in (through("sqs", arn), through("secretsmanager", f"{arn}-of-another")):
        grant(emulator, "kms", ["kms:Decrypt"], key, Condition=condition)
        assert code() == "AccessDeniedException"
    grant(emulator, "kms", ["kms:Decrypt"], key, Condition=through("secretsmanager", arn))
    assert code() is None


def create_key(emulator: Emulator) -> str:
    """Creates a key with the default policy, which lets IAM decide."""
    return str(emulator.client("kms").create_key()["KeyMetadata"]["Arn"])


def for_users(key: str, *users: str) -> str:
    """Returns a key policy for only these users."""
    return document(*(allow("kms:*", key, Principal={"AWS": list(users)}) for _ in users[:1]))


def encrypted_queue(emulator: Emulator, key: str) -> str:
    queue = emulator.client("sqs").create_queue(
        QueueName="orders", Attributes={"KmsMasterKeyId": key}
    )
    return str(queue["QueueUrl"])


def grant(emulator: Emulator, policy: str, actions: list[str], resource: str, **more: Any) -> None:
    emulator.client("iam").put_user_policy(
        UserName=USER, PolicyName=policy, PolicyDocument=allowing(actions, resource, **more)
    )


def revoke(emulator: Emulator, policy: str) -> None:
    emulator.client("iam").delete_user_policy(UserName=USER, PolicyName=policy)
