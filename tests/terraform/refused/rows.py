"""A refused value and a part of the message."""

from typing import NamedTuple


class Row(NamedTuple):
    input: str
    value: str  # HCL
    says: str  # a part of the message, verbatim
    also: dict[str, str] | None = None  # other inputs that cause the refusal


def text(length: int) -> str:
    return f'"{"x" * length}"'


LISTENER = (
    '{ arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/theirs/'
    '0123456789abcdef/0123456789abcdef", priority = 1 }'
)
TABLE = '{ name = "theirs", arn = "arn:aws:dynamodb:eu-central-1:123456789012:table/theirs" }'
SECRET = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:orders/keys-AbCdEf"
TRUST_STORE = (
    '{ trust_store_arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:'
    'truststore/clients/0123456789abcdef" }'
)
ROLE = '{ arn = "arn:aws:iam::123456789012:role/theirs" }'
BOUNDARY = '{ arn = "arn:aws:iam::123456789012:policy/boundary" }'
ALIAS = '{ arn = "arn:aws:kms:eu-central-1:123456789012:alias/orders" }'
WEB_ACL = '{ arn = "arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/theirs/1" }'
GLOBAL_WEB_ACL = '{ arn = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/theirs/1" }'
CERTIFICATE = '{ arn = "arn:aws:acm:eu-central-1:123456789012:certificate/1" }'


def everyone(principal: str = '"*"') -> str:
    """Returns a policy document (HCL) that allows everyone something."""
    return f'jsonencode({{ Statement = [{{ Effect = "Allow", Principal = {principal} }}] }})'


def each(name: str, says: str, *values: str) -> tuple[Row, ...]:
    return tuple(Row(name, value, says) for value in values)


def other_arn(name: str, kind: str, other: str) -> tuple[Row, ...]:
    """An object without its ARN, and with that of something else."""
    return each(name, f"but must be the ARN of {kind}", "{ arn = null }", other)


# What several submodules refuse.
WHOLE = "but must be a whole number"
RETENTION = "but must be a period that CloudWatch Logs offers"
KMS_KEY = ("kms_key", "a KMS key, not of an alias", ALIAS)
BOUNDED = ("permissions_boundary", "an IAM policy", ROLE)
ROLE_PATH = (
    "role_path",
    "but must start and end with a slash",
    '"service"',
    '"/service"',
    text(513),
)
