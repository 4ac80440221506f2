"""IAM policy documents."""

import json
from typing import Any

Statement = dict[str, Any]

EVERYTHING: Statement = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def document(*statements: Statement) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def allow(action: str | list[str], resource: str = "*", **more: Any) -> Statement:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def trust(**principal: str) -> str:
    """Returns a trust policy, such as that of `trust(Service="lambda.amazonaws.com")`."""
    return document({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal})


def allowing(action: str | list[str], resource: str = "*", **more: Any) -> str:
    """Returns a document with a single statement, as by `allow`."""
    return document(allow(action, resource, **more))
