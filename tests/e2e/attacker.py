"""The targets of the attacker, and their twins in another account."""

import contextlib
import json
from collections.abc import Callable
from typing import Any

from local.emulator import ACCOUNT, REGION
from tests.e2e.attempts import CODE, EVERYBODY, EVERYTHING, FUNCTIONS, ROW
from tests.e2e.policies import role
from tests.support.tables import create_table

TWIN_ACCOUNT = "111111111111"  # used as an access key, it is the root of this account

Client = Callable[..., Any]


def common_targets(account: str, endpoint_url: str, roles: dict[str, str]) -> dict[str, Any]:
    """Returns the targets that both accounts have under the same names."""
    targets = {"other_account": TWIN_ACCOUNT if account == ACCOUNT else ACCOUNT}
    for name, queue in {"queue": "e2e", "dead_letter": "e2e-dead-letter"}.items():
        targets[f"{name}_url"] = f"{endpoint_url}/{account}/{queue}"
        targets[f"{name}_arn"] = f"arn:aws:sqs:{REGION}:{account}:{queue}"
        targets[f"{name}_receipt"] = "any"
    return targets | {
        "table": "e2e",
        "table_arn": f"arn:aws:dynamodb:{REGION}:{account}:table/e2e",
        "function": "e2e-process",
        "log_group": "/aws/lambda/e2e-process",
        **{f"{function}_role": arn.rpartition("/")[2] for function, arn in roles.items()},
        **{f"{function}_role_arn": arn for function, arn in roles.items()},
    }


def create_others(client: Client, account: str, undo: contextlib.ExitStack) -> dict[str, Any]:
    """Creates resources of others in the same account. Returns them as targets."""
    queue = client("sqs").create_queue(QueueName="others")["QueueUrl"]
    undo.callback(client("sqs").delete_queue, QueueUrl=queue)
    create_table(client("dynamodb"), "others")
    undo.callback(client("dynamodb").delete_table, TableName="others")
    iam = client("iam")
    iam.create_role(RoleName="others", AssumeRolePolicyDocument=EVERYBODY)
    undo.callback(iam.delete_role, RoleName="others")
    iam.create_user(UserName="others")
    undo.callback(iam.delete_user, UserName="others")
    key = client("kms").create_key()["KeyMetadata"]["Arn"]
    undo.callback(client("kms").schedule_key_deletion, KeyId=key)
    ciphertext = client("kms").encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    client("ssm").put_parameter(Name="others", Value="x", Type="SecureString")
    undo.callback(client("ssm").delete_parameter, Name="others")
    client("secretsmanager").create_secret(Name="others", SecretString="x")
    undo.callback(
        client("secretsmanager").delete_secret, SecretId="others", ForceDeleteWithoutRecovery=True
    )
    bucket = f"others-{account}"
    client("s3").create_bucket(Bucket=bucket)
    undo.callback(client("s3").delete_bucket, Bucket=bucket)
    client("logs").create_log_group(logGroupName="others")
    undo.callback(client("logs").delete_log_group, logGroupName="others")
    subnet = client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
    interface = client("ec2").create_network_interface(SubnetId=subnet)["NetworkInterface"]
    undo.callback(
        client("ec2").delete_network_interface, NetworkInterfaceId=interface["NetworkInterfaceId"]
    )
    return {
        "other_queue_url": queue,
        "other_queue_receipt": "any",
        "other_table": "others",
        "other_role_arn": role("others", account),
        "user": "others",
        "key": key,
        "ciphertext": ciphertext,
        "parameter": "others",
        "secret": "others",
        "bucket": bucket,
        "other_log_group": "others",
        "subnet": subnet,
        "interface": interface["NetworkInterfaceId"],
    }


def create_twins(client: Client, targets: dict[str, Any]) -> dict[str, Any]:
    """Creates twins of the system's resources in another account. Returns them as targets."""
    created = {}
    client("sqs").create_queue(QueueName="e2e-dead-letter")
    redrive = {"deadLetterTargetArn": targets["dead_letter_arn"], "maxReceiveCount": 5}
    client("sqs").create_queue(QueueName="e2e", Attributes={"RedrivePolicy": json.dumps(redrive)})
    for queue in ("queue", "dead_letter", "other_queue"):
        url = targets[f"{queue}_url"]
        client("sqs").send_message(QueueUrl=url, MessageBody="x")
        [message] = client("sqs").receive_message(QueueUrl=url)["Messages"]
        created[f"{queue}_receipt"] = message["ReceiptHandle"]
    create_table(client("dynamodb"), "e2e")
    client("dynamodb").put_item(TableName="e2e", Item=ROW)
    log = {"logGroupName": targets["log_group"]}
    client("logs").create_log_group(**log)
    client("logs").create_log_stream(**log, logStreamName="x")
    for function in FUNCTIONS:
        name = {"RoleName": f"e2e-{function}"}
        client("iam").create_role(**name, AssumeRolePolicyDocument=EVERYBODY)
        client("iam").put_role_policy(
            **name, PolicyName="least-privilege", PolicyDocument=EVERYTHING
        )
    client("lambda").create_function(
        FunctionName="e2e-process",
        Runtime="python3.13",
        Handler="function.handle",
        Role=role("e2e-process", TWIN_ACCOUNT),
        Code={"ZipFile": CODE},
        Publish=True,
    )
    client("lambda").create_alias(FunctionName="e2e-process", Name="live", FunctionVersion="1")
    mapping = client("lambda").create_event_source_mapping(
        FunctionName="e2e-process", EventSourceArn=targets["dead_letter_arn"], Enabled=False
    )
    return created | {"mapping": mapping["UUID"]}
