"""Addresses and values that the tables beside this file share."""

from typing import Any

Resources = dict[str, dict[str, Any]]
Actions = dict[str, list[str]]  # by address

FUNCTIONS = ("ingest", "process")
LAMBDA = "aws_lambda_function.this"
MAPPING = "aws_lambda_event_source_mapping.process"
QUEUE, DEAD_LETTER = "queue.aws_sqs_queue.this", "queue.aws_sqs_queue.dead_letter"
TABLE = "table.aws_dynamodb_table.this"
BALANCER = "load_balancer.aws_lb.this"
RULE = "load_balancer.aws_lb_listener_rule.this"
INGRESS_RULE = "load_balancer.aws_vpc_security_group_ingress_rule.this"
TARGET_GROUP = "load_balancer.aws_lb_target_group.this"
VPC = "network.aws_vpc.this"
SQS_ENDPOINT = 'vpc_endpoints.aws_vpc_endpoint.interface["sqs"]'
SECRETS_ENDPOINT = 'vpc_endpoints.aws_vpc_endpoint.interface["secrets_manager"]'
ALARM = "observability.aws_cloudwatch_metric_alarm.this"
OBJECTIVE = "observability.aws_cloudwatch_composite_alarm.objective"
DASHBOARD = "observability.aws_cloudwatch_dashboard.this"
QUERY = "observability.aws_cloudwatch_query_definition.this"
FLOW_LOGS = "network.aws_cloudwatch_log_group.flow_logs"
ROLES = ("ingest.aws_iam_role.this", "process.aws_iam_role.this", "network.aws_iam_role.flow_logs")
LOG_GROUPS = (*(f"{one}.aws_cloudwatch_log_group.this" for one in FUNCTIONS), FLOW_LOGS)

KEY = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"
BOUNDARY = "arn:aws:iam::123456789012:policy/boundary"
CERTIFICATE = (
    "arn:aws:acm:eu-central-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"
)
WEB_ACL = (
    "arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/orders/"
    "11111111-2222-3333-4444-555555555555"
)
SECRET = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:orders/keys-AbCdEf"
TRUST_STORE = (
    "arn:aws:elasticloadbalancing:eu-central-1:123456789012:truststore/clients/0123456789abcdef"
)
LISTENER = (
    "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/theirs/"
    "0123456789abcdef/0123456789abcdef"
)
TOPIC = "arn:aws:sns:eu-central-1:123456789012:on-call"
LAYER = "arn:aws:lambda:eu-central-1:123456789012:layer"


class Of(str):
    """A path to another attribute, whose value is expected."""

    __slots__ = ()


class Nothing:
    """The resource must not exist."""

    def __repr__(self) -> str:
        return "nothing"


NOTHING = Nothing()


def both(path: str, value: Any) -> dict[str, Any]:
    return {f"{function}.{path}": value for function in FUNCTIONS}


def each(addresses: tuple[str, ...], attribute: str, value: Any) -> dict[str, Any]:
    return {f"{address}.{attribute}": value for address in addresses}


def numbered(address: str, attribute: str, count: int) -> list[Any]:
    """Returns paths to the attribute of each of a resource's instances."""
    return [Of(f"{address}{f'[{index}]' if index else ''}.{attribute}") for index in range(count)]
