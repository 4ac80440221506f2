"""What the examples expect to be there: a domain, a bucket, and an account like AWS Academy's."""

import uuid

from local.emulator import Emulator
from tests.support.policies import EVERYTHING, document, trust
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
