"""A value that is refused, and by which words."""

from typing import NamedTuple


class Row(NamedTuple):
    input: str
    value: str  # HCL
    says: str  # a part of the message, spelt as in it
    also: dict[str, str] | None = None  # what it is refused together with


def text(length: int) -> str:
    return f'"{"x" * length}"'


LISTENER = (
    '{ arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/theirs/'
    '0123456789abcdef/0123456789abcdef", priority = 1 }'
)
TABLE = '{ name = "theirs", arn = "arn:aws:dynamodb:eu-central-1:123456789012:table/theirs" }'
ROLE = '{ arn = "arn:aws:iam::123456789012:role/theirs" }'
BOUNDARY = '{ arn = "arn:aws:iam::123456789012:policy/boundary" }'
ARN = '{ arn = "arn:aws:acm:eu-central-1:123456789012:certificate/1" }'


def everybody(principal: str = '"*"') -> str:
    """A policy document that lets everybody in."""
    return f'jsonencode({{ Statement = [{{ Effect = "Allow", Principal = {principal} }}] }})'
