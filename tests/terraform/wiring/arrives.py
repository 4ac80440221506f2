"""Where each input of the root module must show up."""

from typing import Any

from tests.terraform.wiring.arrives_options import OPTIONS
from tests.terraform.wiring.names import (
    BALANCER,
    BOUNDARY,
    CERTIFICATE,
    DEAD_LETTER,
    INGRESS_RULE,
    KEY,
    LAMBDA,
    LAYER,
    LISTENER,
    LOG_GROUPS,
    MAPPING,
    NOTHING,
    QUEUE,
    ROLES,
    RULE,
    SQS_ENDPOINT,
    TABLE,
    TARGET_GROUP,
    VPC,
    WEB_ACL,
    Of,
    both,
    each,
)

# By input, then run, then path: the expected value. Each input has a value other than its default.
ARRIVES: dict[str, dict[str, dict[str, Any]]] = {
    **OPTIONS,
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
            'vpc_endpoints.aws_security_group.interface["sqs"].name_prefix': "orders-sqs-endpoint-",
        }
    },
    "tags": {"given": {f"{MAPPING}.tags": {"team": "orders"}}},  # and below
    "vpc": {
        "given": {
            f"{VPC}.cidr_block": "172.20.0.0/20",
            "network.aws_subnet.public.availability_zone": "eu-central-1c",
            "network.aws_subnet.public[1].availability_zone": "eu-central-1a",
            "network.aws_subnet.private[2].availability_zone": "eu-central-1b",
            "network.aws_nat_gateway.this[2].tags.team": "orders",
            **both('aws_vpc_security_group_egress_rule.this["AWS"].cidr_ipv4', "0.0.0.0/0"),
            "network.aws_flow_log.this.traffic_type": "ALL",
        },
        "without_endpoints": {
            f"{VPC}.cidr_block": "10.0.0.0/16",
            "network.aws_nat_gateway.this.tags.Name": "async-ingest-eu-central-1a",
            "network.aws_nat_gateway.this[1]": NOTHING,
            "network.aws_flow_log.this": NOTHING,
        },
        # Regardless of who creates the functions' roles.
        "roles": {"network.aws_flow_log.this.traffic_type": "ALL"},
    },
    "existing_network": {
        "existing": {
            VPC: NOTHING,
            "load_balancer.aws_lb_target_group.this.vpc_id": None,
            **both("aws_security_group.this.vpc_id", "vpc-theirs"),
            **both(f"{LAMBDA}.vpc_config.subnet_ids", ["subnet-3", "subnet-4"]),
            f"{SQS_ENDPOINT}.vpc_id": "vpc-theirs",
            f"{SQS_ENDPOINT}.subnet_ids": ["subnet-3", "subnet-4"],
            "vpc_endpoints.aws_vpc_endpoint.dynamodb.route_table_ids": ["rtb-3", "rtb-4"],
        },
        "existing_network": {
            f"{BALANCER}.subnets": ["subnet-1", "subnet-2"],
            "load_balancer.aws_security_group.this.vpc_id": "vpc-theirs",
            f'{INGRESS_RULE}["the VPC 80"].cidr_ipv4': "10.9.0.0/16",
            f'{INGRESS_RULE}["the VPC by IPv6 80"]': NOTHING,
        },
    },
    "vpc_endpoints": {
        "given": {
            f"vpc_endpoints.data.aws_iam_policy_document.{document}.source_policy_documents.1": (
                f'{{"Id":"extra-{service}","Statement":[]}}'
            )
            for service, document in {
                "sqs": 'interface_merged["sqs"]',
                "dynamodb": "dynamodb_merged",
            }.items()
        },
        "one_existing_role": {
            'vpc_endpoints.data.aws_iam_policy_document.interface_merged["secrets_manager"]'
            ".source_policy_documents.1": '{"Id":"extra-secrets","Statement":[]}'
        },
        "without_endpoints": {
            SQS_ENDPOINT: NOTHING,
            **both('aws_vpc_security_group_egress_rule.this["AWS"].cidr_ipv4', "0.0.0.0/0"),
            **both('aws_vpc_security_group_egress_rule.this["SQS"]', NOTHING),
        },
        # null creates none in a network that others may use.
        "existing_network": {
            SQS_ENDPOINT: NOTHING,
            **both(f"{LAMBDA}.vpc_config.subnet_ids", ["subnet-3", "subnet-4"]),
            **both('aws_vpc_security_group_egress_rule.this["AWS"].cidr_ipv4', "0.0.0.0/0"),
        },
        "existing": {
            f"{SQS_ENDPOINT}.vpc_endpoint_type": "Interface",
            **both('aws_vpc_security_group_egress_rule.this["AWS"]', NOTHING),
        },
    },
    "paths": {
        "given": {
            **{
                f'{RULE}["{listener} {path}"].condition.path_pattern.values': [path, f"{path}/"]
                for listener in ("http", "https")
                for path in ("/orders", "/v2/orders")
            },
            f"ingest.{LAMBDA}.environment.variables.HTTP_PATHS": '["/orders","/v2/orders"]',
        }
    },
    "load_balancer_internal": {"given": {f"{BALANCER}.internal": False}},
    "load_balancer_ip_address_type": {
        "given": {
            f"{BALANCER}.ip_address_type": "dualstack",
            f"{VPC}.assign_generated_ipv6_cidr_block": True,
        },
        "without_endpoints": {
            f'{INGRESS_RULE}["the VPC 80"].cidr_ipv4': "10.0.0.0/16",
            f'{INGRESS_RULE}["the VPC by IPv6 80"].cidr_ipv6': Of(f"{VPC}.ipv6_cidr_block"),
        },
    },
    "load_balancer_ingress_cidr_blocks": {
        "given": {
            f'{INGRESS_RULE}["198.51.100.0/24 443"].cidr_ipv4': "198.51.100.0/24",
            f'{INGRESS_RULE}["2001:db8::/32 80"].cidr_ipv6': "2001:db8::/32",
            f'{INGRESS_RULE}["the VPC 80"]': NOTHING,
        }
    },
    "certificate": {
        "given": {
            "load_balancer.aws_lb_listener.https.certificate_arn": CERTIFICATE,
            "load_balancer.aws_lb_listener.https.ssl_policy": "ELBSecurityPolicy-TLS13-1-3-2021-06",
            "load_balancer.aws_lb_listener.http.default_action.type": "fixed-response",
        }
    },
    "load_balancer_idle_timeout_seconds": {"given": {f"{BALANCER}.idle_timeout": 61}},
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
            f'{RULE}["existing /orders"].listener_arn': LISTENER,
            **{
                f'{RULE}["existing {path}"].priority': priority
                for path, priority in (("/orders", 100), ("/v2/orders", 7), ("/v3/orders", 102))
            },
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
    "ingest_layers": {"given": {f"ingest.{LAMBDA}.layers": [f"{LAYER}:ingest:1"]}},
    "ingest_policy_documents": {
        "given": {
            "ingest.data.aws_iam_policy_document.this.source_policy_documents.3": (
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
        },
        # null derives it, here from an outage of half of the retention.
        "without_endpoints": {
            f"{QUEUE}.redrive_policy": {
                "deadLetterTargetArn": Of(f"{DEAD_LETTER}.arn"),
                "maxReceiveCount": 405,
            },
            f"process.{LAMBDA}.environment.variables.MAX_RECEIVE_COUNT": "405",
        },
    },
    "queue_policy_documents": {
        "given": {
            "queue.data.aws_iam_policy_document.queue.source_policy_documents.1": (
                '{"Version":"2012-10-17","Id":"extra-queue","Statement":[]}'
            )
        }
    },
    "process_enabled": {"given": {f"{MAPPING}.enabled": False}},
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
    "process_environment": {"given": {f"process.{LAMBDA}.environment.variables.EXTRA": "process"}},
    "process_layers": {"given": {f"process.{LAMBDA}.layers": [f"{LAYER}:process:1"]}},
    "process_policy_documents": {
        "given": {
            "process.data.aws_iam_policy_document.this.source_policy_documents.4": (
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
    "table_ttl": {
        "given": {
            f"{TABLE}.ttl": [{"attribute_name": "expires_at", "enabled": True}],
            f"ingest.{LAMBDA}.environment.variables.TTL_ATTRIBUTE": "expires_at",
        },
        "without_endpoints": {
            f"{TABLE}.ttl": [{"attribute_name": "expires_at", "enabled": False}],
            f"ingest.{LAMBDA}.environment.variables.TTL_ATTRIBUTE": None,
        },
    },
    "existing_table": {
        "existing": {
            f"process.{LAMBDA}.environment.variables.TABLE_NAME": "theirs",
            "vpc_endpoints.data.aws_iam_policy_document.dynamodb.statement.0.resources": [
                "arn:aws:dynamodb:eu-central-1:123456789012:table/theirs"
            ],
            TABLE: NOTHING,
        }
    },
    "deletion_protection_enabled": {
        "given": {
            f"{BALANCER}.enable_deletion_protection": False,
            f"{TABLE}.deletion_protection_enabled": False,
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
    "existing_roles": {
        "existing": {
            f"ingest.{LAMBDA}.role": "arn:aws:iam::123456789012:role/theirs-ingest",
            f"process.{LAMBDA}.role": "arn:aws:iam::123456789012:role/theirs-process",
            ROLES[0]: NOTHING,
            ROLES[1]: NOTHING,
        },
        "one_existing_role": {
            f"ingest.{LAMBDA}.role": Of(f"{ROLES[0]}.arn"),
            f"process.{LAMBDA}.role": "arn:aws:iam::123456789012:role/theirs",
            f"{ROLES[0]}.path": "/service/",
            ROLES[1]: NOTHING,
        },
    },
    "permissions_boundary": {"given": each(ROLES, "permissions_boundary", BOUNDARY)},
    "role_path": {
        "given": each(ROLES, "path", "/service/"),
        "roles": {f"{ROLES[2]}.path": "/service/"},
    },
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
