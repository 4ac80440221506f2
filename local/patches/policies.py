"""Policies that AWS manages, of which the emulator has the most common ones only."""

from __future__ import annotations

import json
from typing import Any

from local.patches import around, internal, patch

# "AWSLambdaENIManagementAccess", AWS Managed Policy Reference Guide.
OF_INTERFACES = (
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DeleteNetworkInterface",
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
)


@patch
def functions_in_a_vpc_have_a_managed_policy() -> None:
    """AWS: service-role/AWSLambdaENIManagementAccess can be read and attached.

    "AWS Managed Policy Reference Guide"; terraform-aws-modules/lambda reads it for each function
    in a VPC. The emulator does not know it.
    """
    managed = internal("services.iam", "_aws_managed_policies")
    record_of = internal("services.iam", "_make_aws_managed_record")
    statement = {"Effect": "Allow", "Action": OF_INTERFACES, "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    @around("services.iam", "_seed_aws_managed_policies")
    def seed(original: Any) -> None:
        original()
        record = record_of("service-role/AWSLambdaENIManagementAccess", document)
        managed[record["Arn"]] = record

    seed()
