"""Each input of the root arrives where it is for, each default protects, the pieces are wired.

On the states of wiring.tftest.hcl, which hold every attribute of every module. Paths are addresses
without "module." and [0], then attributes; blocks that stand alone need no index.
"""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]

Resources = dict[str, dict[str, Any]]

FUNCTIONS = ("ingest", "process")
LAMBDA = "aws_lambda_function.this"
MAPPING = "aws_lambda_event_source_mapping.process"
QUEUE, DEAD_LETTER = "queue.aws_sqs_queue.this", "queue.aws_sqs_queue.dead_letter"
TABLE = "table.aws_dynamodb_table.this"
BALANCER = "load_balancer.aws_lb.this"
TARGET_GROUP = "load_balancer.aws_lb_target_group.this"
VPC = "network.aws_vpc.this"
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
LISTENER = (
    "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/theirs/"
    "0123456789abcdef/0123456789abcdef"
)
ZONES = ("eu-central-1c", "eu-central-1a", "eu-central-1b")


class Of(str):
    """The value of another attribute."""

    __slots__ = ()


class Nothing:
    """No such resource."""

    def __repr__(self) -> str:
        return "nothing"


NOTHING = Nothing()


def both(path: str, value: Any) -> dict[str, Any]:
    return {f"{function}.{path}": value for function in FUNCTIONS}


def each(addresses: tuple[str, ...], attribute: str, value: Any) -> dict[str, Any]:
    return {f"{address}.{attribute}": value for address in addresses}


# Input: run: path: value. Of each input, a value that is not its default.
ARRIVES: dict[str, dict[str, dict[str, Any]]] = {
    "create": {},  # in root.tftest.hcl
    "name": {
        "given": {
            "ingest.aws_lambda_function.this.function_name": "orders-ingest",
            "process.aws_lambda_function.this.function_name": "orders-process",
            f"{QUEUE}.name": "orders",
            f"{DEAD_LETTER}.name": "orders-dead-letter",
            f"{TABLE}.name": "orders",
            f"{BALANCER}.name": "orders",
            f"{TARGET_GROUP}.name": "orders-ingest",
            f"{VPC}.tags.Name": "orders",
            "vpc_endpoints.aws_security_group.sqs.name": "orders-sqs-endpoint",
        }
    },
    "tags": {"given": {f"{MAPPING}.tags": {"team": "orders"}}},  # and below
    "vpc_cidr_block": {"given": {f"{VPC}.cidr_block": "172.20.0.0/20"}},
    "availability_zones": {
        "given": {f'network.aws_subnet.public["{zone}"].availability_zone': zone for zone in ZONES}
    },
    "nat_gateway": {
        "given": {f'network.aws_nat_gateway.this["{zone}"].tags.team': "orders" for zone in ZONES},
        "without_endpoints": {'network.aws_nat_gateway.this["eu-central-1b"]': NOTHING},
    },
    "existing_network": {
        "existing": {
            VPC: NOTHING,
            "load_balancer.aws_lb_target_group.this.vpc_id": None,
            **both("aws_security_group.this.vpc_id", "vpc-theirs"),
            **both(f"{LAMBDA}.vpc_config.subnet_ids", ["subnet-3", "subnet-4"]),
            "vpc_endpoints.aws_vpc_endpoint.sqs.vpc_id": "vpc-theirs",
            "vpc_endpoints.aws_vpc_endpoint.sqs.subnet_ids": ["subnet-3", "subnet-4"],
            "vpc_endpoints.aws_vpc_endpoint.dynamodb.route_table_ids": ["rtb-3", "rtb-4"],
        }
    },
    "vpc_endpoints_enabled": {
        "without_endpoints": {
            "vpc_endpoints.aws_vpc_endpoint.sqs": NOTHING,
            **both('aws_vpc_security_group_egress_rule.this["AWS"].cidr_ipv4', "0.0.0.0/0"),
            **both('aws_vpc_security_group_egress_rule.this["SQS"]', NOTHING),
        }
    },
    "flow_logs_enabled": {
        "without_endpoints": {"network.aws_flow_log.this": NOTHING},
        "one_role": {"network.aws_flow_log.this.traffic_type": "ALL"},
        "no_role": {VPC + ".tags.Name": "async-ingest", "network.aws_flow_log.this": NOTHING},
    },
    "paths": {
        "given": {
            "load_balancer.aws_lb_listener_rule.this.condition.path_pattern.values": [
                "/orders",
                "/orders/",
            ],
            "load_balancer.aws_lb_listener_rule.this[1].condition.path_pattern.values": [
                "/v2/orders",
                "/v2/orders/",
            ],
            f"ingest.{LAMBDA}.environment.variables.HTTP_PATHS": '["/orders","/v2/orders"]',
        }
    },
    "load_balancer_internal": {"given": {f"{BALANCER}.internal": False}},
    "load_balancer_ip_address_type": {
        "given": {
            f"{BALANCER}.ip_address_type": "dualstack",
            f"{VPC}.assign_generated_ipv6_cidr_block": True,
        }
    },
    "load_balancer_ingress_cidr_blocks": {
        "given": {
            'load_balancer.aws_vpc_security_group_ingress_rule.this["0-443"].cidr_ipv4': (
                "198.51.100.0/24"
            ),
            'load_balancer.aws_vpc_security_group_ingress_rule.this["1-443"].cidr_ipv6': (
                "2001:db8::/32"
            ),
        }
    },
    "certificate": {
        "given": {
            "load_balancer.aws_lb_listener.https.certificate_arn": CERTIFICATE,
            "load_balancer.aws_lb_listener.https.ssl_policy": "ELBSecurityPolicy-TLS13-1-3-2021-06",
        }
    },
    "load_balancer_idle_timeout_seconds": {"given": {f"{BALANCER}.idle_timeout": 61}},
    "load_balancer_multi_value_headers_enabled": {
        "given": {f"{TARGET_GROUP}.lambda_multi_value_headers_enabled": True}
    },
    "load_balancer_health_check_enabled": {"given": {f"{TARGET_GROUP}.health_check.enabled": True}},
    "load_balancer_access_logs": {
        "given": {
            f"{BALANCER}.access_logs": [{"bucket": "logs", "enabled": True, "prefix": "balancer"}]
        }
    },
    "load_balancer_web_acl": {
        "given": {"load_balancer.aws_wafv2_web_acl_association.this.web_acl_arn": WEB_ACL}
    },
    "existing_listener": {
        "existing": {
            BALANCER: NOTHING,
            "load_balancer.aws_lb_listener_rule.this.listener_arn": LISTENER,
            "load_balancer.aws_lb_listener_rule.this.priority": 100,
        }
    },
    "deletion_protection_enabled": {
        "given": {
            f"{BALANCER}.enable_deletion_protection": False,
            f"{TABLE}.deletion_protection_enabled": False,
        }
    },
    "ingest_memory_size": {"given": {f"ingest.{LAMBDA}.memory_size": 1024}},
    "ingest_timeout_seconds": {
        "given": {
            f"ingest.{LAMBDA}.timeout": 7,
            f"ingest.{LAMBDA}.environment.variables.READ_TIMEOUT_SECONDS": "1.5",
        },
        "existing": {
            f"ingest.{LAMBDA}.timeout": 20,
            f"ingest.{LAMBDA}.environment.variables.READ_TIMEOUT_SECONDS": "3",
        },
    },
    "ingest_reserved_concurrency": {
        "given": {f"ingest.{LAMBDA}.reserved_concurrent_executions": 21}
    },
    "ingest_provisioned_concurrency": {
        "given": {
            "ingest.aws_lambda_provisioned_concurrency_config.this"
            ".provisioned_concurrent_executions": 3
        }
    },
    "ingest_snap_start_enabled": {
        "existing": {f"ingest.{LAMBDA}.snap_start.apply_on": "PublishedVersions"}
    },
    "ingest_environment": {"given": {f"ingest.{LAMBDA}.environment.variables.EXTRA": "ingest"}},
    "ingest_policy_documents": {
        "given": {
            "ingest.data.aws_iam_policy_document.this.source_policy_documents.2": (
                '{"Version":"2012-10-17","Id":"extra-ingest","Statement":[]}'
            )
        }
    },
    "ingest_package": {
        "given": {
            f"ingest.{LAMBDA}.s3_bucket": "packages",
            f"ingest.{LAMBDA}.s3_key": "ingest.zip",
            f"ingest.{LAMBDA}.s3_object_version": "7",
            f"ingest.{LAMBDA}.source_code_hash": "ingest=",
        },
        "existing": {
            f"ingest.{LAMBDA}.filename": "ingest.zip",
            f"ingest.{LAMBDA}.source_code_hash": "ingest=",
        },
    },
    "existing_ingest_role": {
        "existing": {
            f"ingest.{LAMBDA}.role": "arn:aws:iam::123456789012:role/theirs-ingest",
            ROLES[0]: NOTHING,
        }
    },
    "queue_visibility_timeout_seconds": {"given": {f"{QUEUE}.visibility_timeout_seconds": 903}},
    "queue_retention_seconds": {"given": {f"{QUEUE}.message_retention_seconds": 86401}},
    "dead_letter_retention_seconds": {
        "given": {f"{DEAD_LETTER}.message_retention_seconds": 604801}
    },
    "queue_max_receive_count": {
        "given": {
            f"{QUEUE}.redrive_policy": {
                "deadLetterTargetArn": Of(f"{DEAD_LETTER}.arn"),
                "maxReceiveCount": 12,
            },
            f"process.{LAMBDA}.environment.variables.MAX_RECEIVE_COUNT": "12",
        }
    },
    "queue_survived_outage_seconds": {
        "without_endpoints": {
            f"{QUEUE}.redrive_policy": {
                "deadLetterTargetArn": Of(f"{DEAD_LETTER}.arn"),
                "maxReceiveCount": 405,
            },
            f"process.{LAMBDA}.environment.variables.MAX_RECEIVE_COUNT": "405",
        }
    },
    "process_batch_size": {"given": {f"{MAPPING}.batch_size": 101}},
    "process_batching_window_seconds": {
        "given": {f"{MAPPING}.maximum_batching_window_in_seconds": 2},
        "without_endpoints": {f"{QUEUE}.visibility_timeout_seconds": 6 * 20 + 5},
    },
    "process_maximum_concurrency": {
        "given": {f"{MAPPING}.scaling_config": [{"maximum_concurrency": 8}]}
    },
    "process_provisioned_pollers": {
        "existing": {
            f"{MAPPING}.scaling_config": [],
            f"{MAPPING}.provisioned_poller_config.minimum_pollers": 3,
            f"{MAPPING}.provisioned_poller_config.maximum_pollers": 30,
        }
    },
    "process_dead_letter_immediately": {
        "given": {f"process.{LAMBDA}.environment.variables.DEAD_LETTER_IMMEDIATELY": "false"}
    },
    "process_memory_size": {"given": {f"process.{LAMBDA}.memory_size": 2048}},
    "process_timeout_seconds": {
        "given": {
            f"process.{LAMBDA}.timeout": 7,
            f"process.{LAMBDA}.environment.variables.READ_TIMEOUT_SECONDS": "1",
        },
        "without_endpoints": {
            f"process.{LAMBDA}.timeout": 20,
            f"process.{LAMBDA}.environment.variables.READ_TIMEOUT_SECONDS": "3",
        },
    },
    "process_reserved_concurrency": {
        "given": {f"process.{LAMBDA}.reserved_concurrent_executions": 31}
    },
    "process_provisioned_concurrency": {
        "given": {
            "process.aws_lambda_provisioned_concurrency_config.this"
            ".provisioned_concurrent_executions": 4
        }
    },
    "process_snap_start_enabled": {
        "existing": {f"process.{LAMBDA}.snap_start.apply_on": "PublishedVersions"}
    },
    "process_environment": {"given": {f"process.{LAMBDA}.environment.variables.EXTRA": "process"}},
    "process_policy_documents": {
        "given": {
            "process.data.aws_iam_policy_document.this.source_policy_documents.3": (
                '{"Version":"2012-10-17","Id":"extra-process","Statement":[]}'
            )
        }
    },
    "process_package": {
        "given": {
            f"process.{LAMBDA}.s3_bucket": "packages",
            f"process.{LAMBDA}.s3_key": "process.zip",
            f"process.{LAMBDA}.s3_object_version": "8",
            f"process.{LAMBDA}.source_code_hash": "process=",
        },
        "existing": {
            f"process.{LAMBDA}.filename": "process.zip",
            f"process.{LAMBDA}.source_code_hash": "process=",
        },
    },
    "existing_process_role": {
        "existing": {
            f"process.{LAMBDA}.role": "arn:aws:iam::123456789012:role/theirs-process",
            ROLES[1]: NOTHING,
        }
    },
    "table_partition_key": {
        "given": {
            f"{TABLE}.hash_key": "customer",
            **both(
                f"{LAMBDA}.environment.variables.TABLE_KEYS",
                [{"name": "customer", "type": "N"}, {"name": "number", "type": "N"}],
            ),
        }
    },
    "table_sort_key": {
        "given": {f"{TABLE}.range_key": "number"},
        "without_endpoints": {
            f"{TABLE}.range_key": None,
            **both(
                f"{LAMBDA}.environment.variables.TABLE_KEYS", [{"name": "order_id", "type": "S"}]
            ),
        },
    },
    "table_ttl_attribute": {
        "given": {f"{TABLE}.ttl": [{"attribute_name": "expires_at", "enabled": True}]}
    },
    "existing_table": {
        "existing": {
            f"process.{LAMBDA}.environment.variables.TABLE_NAME": "theirs",
            "vpc_endpoints.data.aws_iam_policy_document.dynamodb.statement.resources": [
                "arn:aws:dynamodb:eu-central-1:123456789012:table/theirs"
            ],
            TABLE: NOTHING,
        }
    },
    "kms_key": {
        "given": {
            **both(f"{LAMBDA}.kms_key_arn", KEY),
            **each(LOG_GROUPS, "kms_key_id", KEY),
            **each((QUEUE, DEAD_LETTER), "kms_master_key_id", KEY),
            f"{TABLE}.server_side_encryption.kms_key_arn": KEY,
        }
    },
    "permissions_boundary": {"given": each(ROLES, "permissions_boundary", BOUNDARY)},
    "role_path": {"given": each(ROLES, "path", "/service/")},
    "architecture": {"given": both(f"{LAMBDA}.architectures", ["x86_64"])},
    "log_level": {
        "given": {
            **both(f"{LAMBDA}.logging_config.application_log_level", "DEBUG"),
            **both(f"{LAMBDA}.environment.variables.LOG_LEVEL", "DEBUG"),
        },
        # Lambda would drop the metrics above INFO.
        "without_endpoints": {
            **both(f"{LAMBDA}.logging_config.application_log_level", "INFO"),
            **both(f"{LAMBDA}.environment.variables.LOG_LEVEL", "WARN"),
        },
    },
    "log_retention_days": {"given": each(LOG_GROUPS, "retention_in_days", 90)},
    "tracing_enabled": {"given": both(f"{LAMBDA}.tracing_config.mode", "PassThrough")},
}

# With no input given.
DEFAULTS: dict[str, Any] = {
    f"{BALANCER}.internal": True,
    f"{BALANCER}.enable_deletion_protection": True,
    f"{BALANCER}.idle_timeout": 60,
    f"{BALANCER}.ip_address_type": "ipv4",
    f"{BALANCER}.access_logs": [],
    f"{VPC}.cidr_block": "10.0.0.0/16",
    f"{VPC}.assign_generated_ipv6_cidr_block": False,
    'load_balancer.aws_vpc_security_group_ingress_rule.this["0-80"].cidr_ipv4': "10.0.0.0/16",
    "load_balancer.aws_lb_listener.https": NOTHING,
    "load_balancer.aws_lb_listener_rule.this.condition.path_pattern.values": [
        "/lambda/api",
        "/lambda/api/",
    ],
    "load_balancer.aws_wafv2_web_acl_association.this": NOTHING,
    f"{TARGET_GROUP}.lambda_multi_value_headers_enabled": False,
    f"{TARGET_GROUP}.health_check": [],
    'network.aws_nat_gateway.this["eu-central-1a"]': NOTHING,
    "network.aws_flow_log.this.traffic_type": "ALL",
    f"{QUEUE}.sqs_managed_sse_enabled": True,
    f"{DEAD_LETTER}.sqs_managed_sse_enabled": True,
    f"{QUEUE}.message_retention_seconds": 4 * 86400,
    f"{DEAD_LETTER}.message_retention_seconds": 14 * 86400,
    f"{TABLE}.hash_key": "order_id",
    f"{TABLE}.range_key": "item",
    f"{TABLE}.ttl": [],
    f"{TABLE}.deletion_protection_enabled": True,
    f"{TABLE}.point_in_time_recovery.enabled": True,
    f"{MAPPING}.batch_size": 10,
    f"{MAPPING}.maximum_batching_window_in_seconds": 0,
    f"{MAPPING}.scaling_config": [{"maximum_concurrency": 5}],
    f"{MAPPING}.provisioned_poller_config": [],
    f"ingest.{LAMBDA}.timeout": 10,
    f"process.{LAMBDA}.timeout": 30,
    f"ingest.{LAMBDA}.environment.variables.MAX_ORDERS": "1000",
    f"process.{LAMBDA}.environment.variables.DEAD_LETTER_IMMEDIATELY": "true",
    **both(f"{LAMBDA}.environment.variables.READ_TIMEOUT_SECONDS", "3"),
    **both(f"{LAMBDA}.environment.variables.LOG_LEVEL", "INFO"),
    **both(f"{LAMBDA}.environment.variables.DNS_SUFFIX", "amazonaws.com"),
    f"process.{LAMBDA}.environment.variables.MAX_RECEIVE_COUNT": "485",
    f"process.{LAMBDA}.environment.variables.PARALLEL_CALLS": "8",
    **both(
        f"{LAMBDA}.environment.variables.TABLE_KEYS",
        [{"name": "order_id", "type": "S"}, {"name": "item", "type": "S"}],
    ),
    **both(f"{LAMBDA}.memory_size", 512),
    **both(f"{LAMBDA}.architectures", ["arm64"]),
    **both(f"{LAMBDA}.reserved_concurrent_executions", -1),
    **both(f"{LAMBDA}.tracing_config.mode", "Active"),
    **both(f"{LAMBDA}.snap_start", []),
    **both(f"{LAMBDA}.kms_key_arn", None),
    **both("aws_lambda_provisioned_concurrency_config.this", NOTHING),
    **each(LOG_GROUPS, "retention_in_days", 365),
    **each(ROLES, "path", "/"),
    **each(ROLES, "permissions_boundary", None),
}

# What a piece is told of another.
WIRES: dict[str, Any] = {
    # The mapping: queue to process, failures one by one, no filter, which would delete orders.
    f"{MAPPING}.event_source_arn": Of(f"{QUEUE}.arn"),
    f"{MAPPING}.function_name": Of("process.aws_lambda_alias.live.arn"),
    f"{MAPPING}.function_response_types": ["ReportBatchItemFailures"],
    f"{MAPPING}.filter_criteria": [],
    # The load balancer: in front of ingest.
    "load_balancer.aws_lb_target_group_attachment.this.target_id": Of(
        "ingest.aws_lambda_alias.live.arn"
    ),
    "load_balancer.aws_lambda_permission.this.function_name": Of(f"ingest.{LAMBDA}.function_name"),
    "load_balancer.aws_lambda_permission.this.qualifier": Of("ingest.aws_lambda_alias.live.name"),
    "load_balancer.aws_security_group.this.vpc_id": Of(f"{VPC}.id"),
    f"{BALANCER}.subnets": [
        Of(f'network.aws_subnet.public["{zone}"].id') for zone in ("eu-central-1a", "eu-central-1b")
    ],
    # The functions: what they run, where they are, what they are told, what they may.
    f"ingest.{LAMBDA}.handler": "ingest.handler.handle",
    f"process.{LAMBDA}.handler": "process.handler.handle",
    f"ingest.{LAMBDA}.description": "Takes orders over HTTP and puts them on the queue",
    f"process.{LAMBDA}.description": "Takes orders from the queue and writes them to the table",
    **{f"{one}.{LAMBDA}.role": Of(f"{one}.aws_iam_role.this.arn") for one in FUNCTIONS},
    **both("aws_security_group.this.vpc_id", Of(f"{VPC}.id")),
    **both(
        f"{LAMBDA}.vpc_config.subnet_ids",
        [
            Of(f'network.aws_subnet.private["{zone}"].id')
            for zone in ("eu-central-1a", "eu-central-1b")
        ],
    ),
    f"ingest.{LAMBDA}.environment.variables.QUEUE_URL": Of(f"{QUEUE}.url"),
    f"ingest.{LAMBDA}.environment.variables.MAX_MESSAGE_BYTES": "262144",
    f"ingest.{LAMBDA}.environment.variables.HTTP_PATHS": '["/lambda/api"]',
    f"process.{LAMBDA}.environment.variables.TABLE_NAME": Of(f"{TABLE}.name"),
    f"process.{LAMBDA}.environment.variables.DEAD_LETTER_QUEUE_URL": Of(f"{DEAD_LETTER}.url"),
    **both(f"{LAMBDA}.environment.variables.ACCEPTED_AT_ATTRIBUTE", "accepted_at"),
    "ingest.data.aws_iam_policy_document.this.source_policy_documents.1": Of(
        "queue.data.aws_iam_policy_document.producer.json"
    ),
    "process.data.aws_iam_policy_document.this.source_policy_documents.1": Of(
        "queue.data.aws_iam_policy_document.consumer.json"
    ),
    "process.data.aws_iam_policy_document.this.source_policy_documents.2": Of(
        "table.data.aws_iam_policy_document.writer.json"
    ),
    # The functions' ways out, and the endpoints at their ends.
    **both(
        'aws_vpc_security_group_egress_rule.this["SQS"].referenced_security_group_id',
        Of("vpc_endpoints.aws_security_group.sqs.id"),
    ),
    'process.aws_vpc_security_group_egress_rule.this["DynamoDB"].prefix_list_id': Of(
        "vpc_endpoints.aws_vpc_endpoint.dynamodb.prefix_list_id"
    ),
    'ingest.aws_vpc_security_group_egress_rule.this["DynamoDB"]': NOTHING,
    "vpc_endpoints.aws_security_group.sqs.vpc_id": Of(f"{VPC}.id"),
    "vpc_endpoints.aws_vpc_endpoint.sqs.vpc_id": Of(f"{VPC}.id"),
    "vpc_endpoints.aws_vpc_endpoint.sqs.subnet_ids": Of(f"ingest.{LAMBDA}.vpc_config.subnet_ids"),
    "vpc_endpoints.aws_vpc_endpoint.dynamodb.vpc_id": Of(f"{VPC}.id"),
    "vpc_endpoints.aws_vpc_endpoint.dynamodb.route_table_ids": [
        Of(f'network.aws_route_table.private["{zone}"].id')
        for zone in ("eu-central-1a", "eu-central-1b")
    ],
    **{
        f'vpc_endpoints.aws_vpc_security_group_ingress_rule.sqs["{one}"]'
        ".referenced_security_group_id": Of(f"{one}.aws_security_group.this.id")
        for one in FUNCTIONS
    },
}


def statement(
    sid: str,
    actions: str,
    resources: Any,
    condition: tuple[str, str, Any] | None = None,
    principal: tuple[str, Any] | None = None,
    *,
    effect: str | None = None,
) -> dict[str, Any]:
    """A statement as data.aws_iam_policy_document has it, without what it does not say."""
    test = condition and {
        "test": condition[0],
        "variable": condition[1],
        "values": condition[2] if isinstance(condition[2], list) else [condition[2]],
    }
    return {
        "sid": sid or None,
        "effect": effect,
        "actions": actions.split(),
        "resources": resources if isinstance(resources, list) else [resources],
        "principals": [{"type": principal[0], "identifiers": [principal[1]]}] if principal else [],
        "condition": [test] if test else [],
    }


EVERYBODY = ("*", "*")
REGION_AND_ACCOUNT = "eu-central-1:123456789012"
CODE = ("Null", "lambda:SourceFunctionArn", "false")
BY_SQS = ("StringEquals", "kms:ViaService", "sqs.eu-central-1.amazonaws.com")
BY_DYNAMODB = ("StringLike", "kms:ViaService", "dynamodb.*.amazonaws.com")
POLLING = "sqs:ReceiveMessage sqs:DeleteMessage sqs:GetQueueAttributes"
INTERFACES = (
    "ec2:AssignPrivateIpAddresses ec2:CreateNetworkInterface ec2:DeleteNetworkInterface"
    " ec2:UnassignPrivateIpAddresses"
)
ORDERS = f"arn:aws:sqs:{REGION_AND_ACCOUNT}:orders"


def runtime(function: str, *, traced: bool) -> list[dict[str, Any]]:
    logs = f"arn:aws:logs:{REGION_AND_ACCOUNT}:log-group:/aws/lambda/{function}:*"
    traces = statement("WriteTraces", "xray:PutTraceSegments xray:PutTelemetryRecords", "*")
    interfaces = f"arn:aws:ec2:{REGION_AND_ACCOUNT}:*/*"
    describe = "ec2:DescribeNetworkInterfaces ec2:DescribeSubnets"
    return [
        statement("WriteLogs", "logs:CreateLogStream logs:PutLogEvents", logs),
        *([traces] if traced else []),
        statement("ManageNetworkInterfaces", INTERFACES, interfaces),
        statement("DescribeNetworkInterfaces", describe, "*"),
        statement("DenyNetworkInterfacesToCode", "ec2:*", "*", CODE, effect="Deny"),
    ]


def over_tls(queue: str) -> list[dict[str, Any]]:
    tls = ("Bool", "aws:SecureTransport", "false")
    return [statement("DenyWithoutTLS", "sqs:*", queue, tls, EVERYBODY, effect="Deny")]


def trust(service: str) -> dict[str, Any]:
    account = ("StringEquals", "aws:SourceAccount", "123456789012")
    principal = ("Service", f"{service}.amazonaws.com")
    return statement("", "sts:AssumeRole", [], account, principal)


# Run: policy: statements.
POLICIES: dict[str, dict[str, list[dict[str, Any]]]] = {
    "defaults": {
        f"{one}.data.aws_iam_policy_document.runtime": runtime(f"async-ingest-{one}", traced=True)
        for one in FUNCTIONS
    },
    "given": {
        **{
            f"{one}.data.aws_iam_policy_document.runtime": runtime(f"orders-{one}", traced=False)
            for one in FUNCTIONS
        },
        **{f"{one}.data.aws_iam_policy_document.trust": [trust("lambda")] for one in FUNCTIONS},
        "network.data.aws_iam_policy_document.flow_logs_trust": [
            {
                **trust("vpc-flow-logs"),
                "condition": [
                    *trust("vpc-flow-logs")["condition"],
                    {
                        "test": "ArnLike",
                        "variable": "aws:SourceArn",
                        "values": [f"arn:aws:ec2:{REGION_AND_ACCOUNT}:vpc-flow-log/*"],
                    },
                ],
            }
        ],
        "network.data.aws_iam_policy_document.flow_logs": [
            statement(
                "WriteFlowLogs",
                "logs:CreateLogStream logs:PutLogEvents logs:DescribeLogStreams",
                f"arn:aws:logs:{REGION_AND_ACCOUNT}:log-group:mock:*",
            )
        ],
        "queue.data.aws_iam_policy_document.producer": [
            statement("SendToQueue", "sqs:SendMessage", ORDERS),
            statement("EncryptForQueue", "kms:GenerateDataKey kms:Decrypt", KEY, BY_SQS),
        ],
        "queue.data.aws_iam_policy_document.consumer": [
            statement("PollQueue", POLLING, ORDERS),
            statement(
                "DenyPollingByCode",
                f"{POLLING} sqs:ChangeMessageVisibility sqs:PurgeQueue",
                "*",
                CODE,
                effect="Deny",
            ),
            statement("SendToDeadLetterQueue", "sqs:SendMessage", f"{ORDERS}-dead-letter"),
            statement("DecryptFromQueue", "kms:GenerateDataKey kms:Decrypt", KEY, BY_SQS),
        ],
        'queue.data.aws_iam_policy_document.tls_only["source"]': over_tls(ORDERS),
        'queue.data.aws_iam_policy_document.tls_only["dead_letter"]': over_tls(
            f"{ORDERS}-dead-letter"
        ),
        "table.data.aws_iam_policy_document.writer": [
            statement("WriteItems", "dynamodb:PartiQLInsert dynamodb:PutItem", Of(f"{TABLE}.arn")),
            statement("DecryptTable", "kms:Decrypt kms:DescribeKey", KEY, BY_DYNAMODB),
        ],
        "vpc_endpoints.data.aws_iam_policy_document.sqs": [
            statement(
                "SendByFunctions",
                "sqs:SendMessage",
                [Of(f"{QUEUE}.arn"), Of(f"{DEAD_LETTER}.arn")],
                (
                    "ArnEquals",
                    "aws:PrincipalArn",
                    [Of(f"{one}.aws_iam_role.this.arn") for one in FUNCTIONS],
                ),
                ("AWS", "*"),
            )
        ],
        "vpc_endpoints.data.aws_iam_policy_document.dynamodb": [
            statement(
                "WriteByFunction",
                "dynamodb:PartiQLInsert dynamodb:PutItem",
                Of(f"{TABLE}.arn"),
                ("ArnEquals", "aws:PrincipalArn", Of("process.aws_iam_role.this.arn")),
                EVERYBODY,
            )
        ],
        "data.aws_iam_policy_document.kms_key": [
            statement(
                "LetIAMDecide",
                "kms:*",
                "*",
                principal=("AWS", "arn:aws:iam::123456789012:root"),
            ),
            statement(
                "EncryptLogs",
                "kms:Encrypt kms:Decrypt kms:ReEncrypt* kms:GenerateDataKey*",
                "*",
                (
                    "ArnEquals",
                    "kms:EncryptionContext:aws:logs:arn",
                    [
                        f"arn:aws:logs:{REGION_AND_ACCOUNT}:log-group:{name}"
                        for name in (
                            "/aws/lambda/orders-ingest",
                            "/aws/lambda/orders-process",
                            "/aws/vpc/orders-flow-logs",
                        )
                    ],
                ),
                ("Service", "logs.eu-central-1.amazonaws.com"),
            ),
        ],
    },
}

# What the outputs tell, of the run "given".
OUTPUTS: dict[str, Any] = {
    "endpoint_url": None,  # below
    "max_orders_per_request": 46,
    "survived_outage_seconds": 11 * 903,
    "load_balancer_name": Of(f"{BALANCER}.name"),
    "load_balancer_arn": Of(f"{BALANCER}.arn"),
    "load_balancer_dns_name": Of(f"{BALANCER}.dns_name"),
    "load_balancer_zone_id": Of(f"{BALANCER}.zone_id"),
    "load_balancer_security_group_id": Of("load_balancer.aws_security_group.this.id"),
    "target_group_arn": Of(f"{TARGET_GROUP}.arn"),
    **{
        f"{one}_{name}": Of(f"{one}.{path}")
        for one in FUNCTIONS
        for name, path in {
            "function_name": f"{LAMBDA}.function_name",
            "function_arn": f"{LAMBDA}.arn",
            "role_arn": "aws_iam_role.this.arn",
            "policy_json": "data.aws_iam_policy_document.this.json",
            "security_group_id": "aws_security_group.this.id",
        }.items()
    },
    "queue_name": Of(f"{QUEUE}.name"),
    "queue_url": Of(f"{QUEUE}.url"),
    "queue_arn": Of(f"{QUEUE}.arn"),
    "dead_letter_queue_name": Of(f"{DEAD_LETTER}.name"),
    "dead_letter_queue_url": Of(f"{DEAD_LETTER}.url"),
    "dead_letter_queue_arn": Of(f"{DEAD_LETTER}.arn"),
    "event_source_mapping_id": Of(f"{MAPPING}.uuid"),
    "table_name": Of(f"{TABLE}.name"),
    "table_arn": Of(f"{TABLE}.arn"),
    "vpc_id": Of(f"{VPC}.id"),
    "load_balancer_subnet_ids": [Of(f'network.aws_subnet.public["{zone}"].id') for zone in ZONES],
    "function_subnet_ids": [Of(f'network.aws_subnet.private["{zone}"].id') for zone in ZONES],
    "kms_key_policy_json": Of("data.aws_iam_policy_document.kms_key.json"),
}

# What must be there first, although nothing of it is named.
AFTER = {
    "ingest.aws_lambda_function.this": "ingest.aws_iam_role_policy.this",
    "process.aws_lambda_function.this": "process.aws_iam_role_policy.this",
    "load_balancer.aws_lb_listener_rule.this": (
        "load_balancer.aws_lb_target_group_attachment.this"
    ),
    "load_balancer.aws_lb_target_group_attachment.this": "load_balancer.aws_lambda_permission.this",
    "network.aws_flow_log.this": "network.aws_iam_role_policy.flow_logs",
    'network.aws_nat_gateway.this["eu-central-1a"]': "network.aws_route.public_internet",
}

# What the console lists by its Name.
NAMED = (
    *("default_network_acl", "default_security_group", "eip", "flow_log", "internet_gateway"),
    *("nat_gateway", "network_acl", "route_table", "security_group", "subnet", "vpc"),
    "vpc_endpoint",
)


def short(address: str) -> str:
    return re.sub(r"module\.|\[0\]", "", address)


def resources(module: dict[str, Any]) -> Resources:
    """The values of each resource, and what it was made after."""
    found = {
        short(one["address"]): {**one["values"], "depends_on": one.get("depends_on", [])}
        for one in module.get("resources", [])
    }
    for child in module.get("child_modules", []):
        found |= resources(child)
    return found


def event(line: str) -> dict[str, Any]:
    """Without the provider's schemas, which come last and are nearly all of a state's."""
    start, cut, _ = line.partition(',"provider_schemas":')
    found: dict[str, Any] = json.loads(f'{start}}},"type":"test_state"}}' if cut else line)
    return found


@pytest.fixture(scope="session")
def tested() -> dict[str, dict[str, Any]]:
    result = subprocess.run(
        ["terraform", "test", "-json", "-verbose", "-test-directory=tests/terraform/wiring"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    events = [event(line) for line in result.stdout.splitlines()]
    said = [one["diagnostic"] for one in events if one["type"] == "diagnostic"]
    assert result.returncode == 0, said
    return {one["@testrun"]: one["test_state"] for one in events if one["type"] == "test_state"}


@pytest.fixture(scope="session")
def states(tested: dict[str, dict[str, Any]]) -> dict[str, Resources]:
    return {run: resources(state["root_module"]) for run, state in tested.items()}


def value(state: Resources, path: str) -> Any:
    """What is at the path, JSON in a string as what it says."""
    address = next(
        (one for one in state if path == one or path.startswith(f"{one}.")),
        None,
    )
    if address is None:
        return NOTHING
    found: Any = state[address]
    for name in path.removeprefix(address).split(".")[1:]:
        if name.isdigit():
            found = found[int(name)] if int(name) < len(found) else NOTHING
        else:
            [found] = [found] if isinstance(found, dict) else found or [{}]
            found = found.get(name)
    return found


def meant(state: Resources, expected: Any) -> Any:
    if isinstance(expected, Of):
        found = value(state, expected)
        assert found not in (NOTHING, None), f"nothing is at {expected}"
        return found
    if isinstance(expected, list):
        return [meant(state, one) for one in expected]
    if isinstance(expected, dict):
        return {name: meant(state, one) for name, one in expected.items()}
    return expected


def in_order(found: Any) -> Any:
    """A set has no order; and a list here has none that matters."""
    if isinstance(found, list):
        return sorted(map(in_order, found), key=repr)
    if isinstance(found, dict):
        return {name: in_order(found[name]) for name in sorted(found)}
    return found


def differences(state: Resources, expected: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """By path, what is there and what should be."""
    found = {}
    for path, wanted in expected.items():
        there, should_be = value(state, path), meant(state, wanted)
        if isinstance(there, str) and isinstance(should_be, dict | list):
            there = json.loads(there)
        if in_order(there) != in_order(should_be):
            found[path] = (there, should_be)
    return found


def test_every_input_has_a_row() -> None:
    declared = re.findall(r'^variable "(\w+)"', (ROOT / "variables.tf").read_text(), re.MULTILINE)

    assert declared
    assert [name for name in declared if name not in ARRIVES] == []


@pytest.mark.parametrize("name", ARRIVES)
def test_an_input_arrives(states: dict[str, Resources], name: str) -> None:
    for run, expected in ARRIVES[name].items():
        assert differences(states[run], expected) == {}, f"{name} in run {run!r}"


def test_the_defaults_protect(states: dict[str, Resources]) -> None:
    assert differences(states["defaults"], DEFAULTS) == {}


def test_the_pieces_point_at_each_other(states: dict[str, Resources]) -> None:
    assert differences(states["defaults"], WIRES) == {}


@pytest.mark.parametrize(
    ("run", "policy"), [(run, policy) for run, policies in POLICIES.items() for policy in policies]
)
def test_a_policy_says(states: dict[str, Resources], run: str, policy: str) -> None:
    said = [
        {name: one[name] or empty for name, empty in statement("", "", []).items()}
        for one in states[run][policy]["statement"]
    ]

    assert in_order(said) == in_order(meant(states[run], POLICIES[run][policy]))


def test_every_policy_is_looked_at(states: dict[str, Resources]) -> None:
    there = {
        address
        for address, values in states["given"].items()
        if ".aws_iam_policy_document." in address and values["statement"]
    }

    assert there == POLICIES["given"].keys()


def test_the_outputs_tell(tested: dict[str, dict[str, Any]], states: dict[str, Resources]) -> None:
    outputs = {name: one.get("value") for name, one in tested["given"]["outputs"].items()}
    url = f"https://{value(states['given'], BALANCER)['dns_name']}/orders"

    assert outputs == meant(states["given"], OUTPUTS | {"endpoint_url": url})


@pytest.mark.parametrize(("later", "sooner"), AFTER.items())
def test_what_is_made_after_what(states: dict[str, Resources], later: str, sooner: str) -> None:
    assert sooner in map(short, states["given"][later]["depends_on"])


def test_tags_reach_every_resource(states: dict[str, Resources]) -> None:
    without = [
        address
        for address, values in states["given"].items()
        if "tags" in values and ".data." not in address and values["tags"].get("team") != "orders"
    ]

    assert without == []


def test_what_the_console_lists_by_name_has_one(states: dict[str, Resources]) -> None:
    names = {
        address: (values["tags"] or {}).get("Name", "")
        for address, values in states["given"].items()
        if any(f".aws_{kind}." in f".{address}" for kind in NAMED)
    }

    assert {address: name for address, name in names.items() if "orders" not in name} == {}
    assert len(names) > 2 * len(NAMED)
