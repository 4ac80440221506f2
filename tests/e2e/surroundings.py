"""What the examples expect to exist: a domain, a bucket, a secret, an account like Academy's."""

import json
import uuid

from local.emulator import Emulator
from tests.support.policies import EVERYTHING, document, trust
from tests.support.signatures import SHOP
from tests.support.stack import new_user


def domain_and_bucket(emulator: Emulator) -> dict[str, str]:
    zone = emulator.client("route53").create_hosted_zone(
        Name="example.com", CallerReference=uuid.uuid4().hex
    )
    emulator.client("s3").create_bucket(Bucket="access-logs")
    return {
        "domain_name": "orders.example.com",
        "zone_id": zone["HostedZone"]["Id"].rsplit("/", 1)[-1],
        "access_logs_bucket": "access-logs",
    }


def clients_secret(emulator: Emulator) -> dict[str, str]:
    secret = emulator.client("secretsmanager").create_secret(
        Name="orders/clients", SecretString=json.dumps({"shop": SHOP})
    )
    return {"clients_secret_arn": secret["ARN"]}


def student(emulator: Emulator) -> dict[str, str]:
    """Creates the role LabRole, and a user who may do anything but change IAM."""
    iam = emulator.client("iam")
    iam.create_role(
        RoleName="LabRole", AssumeRolePolicyDocument=trust(Service="lambda.amazonaws.com")
    )
    iam.put_role_policy(RoleName="LabRole", PolicyName="lab", PolicyDocument=document(EVERYTHING))
    credentials = new_user(emulator, "student")
    iam.put_user_policy(
        UserName="student",
        PolicyName="lab",
        PolicyDocument=document(
            EVERYTHING,
            {
                "Effect": "Deny",
                "Action": ["iam:Create*", "iam:Put*", "iam:Attach*", "iam:Update*", "iam:Delete*"],
                "Resource": "*",
            },
        ),
    )
    return {name.upper(): value for name, value in credentials.items()}
