"""Defaults of the root, the wiring between its pieces, and its outputs."""

from typing import Any

from tests.terraform.wiring.names import (
    ALARM,
    BALANCER,
    DASHBOARD,
    DEAD_LETTER,
    FUNCTIONS,
    INGRESS_RULE,
    LAMBDA,
    LOG_GROUPS,
    MAPPING,
    NOTHING,
    OBJECTIVE,
    QUERY,
    QUEUE,
    ROLES,
    RULE,
    SECRETS_ENDPOINT,
    SQS_ENDPOINT,
    TABLE,
    TARGET_GROUP,
    VPC,
    Of,
    both,
    each,
    numbered,
)

# Without any input.
DEFAULTS: dict[str, Any] = {
    f"{BALANCER}.internal": True,
    f"{BALANCER}.enable_deletion_protection": True,
    f"{BALANCER}.idle_timeout": 60,
    f"{BALANCER}.ip_address_type": "ipv4",
    f"{BALANCER}.access_logs": [],
    f"{VPC}.cidr_block": "10.0.0.0/16",
    f"{VPC}.assign_generated_ipv6_cidr_block": False,
    f'{INGRESS_RULE}["the VPC 80"].cidr_ipv4': "10.0.0.0/16",
    "load_balancer.aws_lb_listener.https": NOTHING,
    f'{RULE}["http /lambda/api"].condition.path_pattern.values': [
        "/lambda/api",
        "/lambda/api/",
    ],
    "load_balancer.aws_wafv2_web_acl_association.this": NOTHING,
    f"{TARGET_GROUP}.lambda_multi_value_headers_enabled": False,
    f"{TARGET_GROUP}.health_check": [],
    "network.aws_nat_gateway.this": NOTHING,
    **both('aws_vpc_security_group_egress_rule.this["AWS"]', NOTHING),
    "network.aws_flow_log.this.traffic_type": "ALL",
    f"{QUEUE}.sqs_managed_sse_enabled": True,
    f"{DEAD_LETTER}.sqs_managed_sse_enabled": True,
    **each((QUEUE, DEAD_LETTER), "max_message_size", 262144),
    f"{QUEUE}.message_retention_seconds": 4 * 86400,
    f"{DEAD_LETTER}.message_retention_seconds": 14 * 86400,
    f"{TABLE}.hash_key": "order_id",
    f"{TABLE}.range_key": "item",
    f"{TABLE}.ttl": [],
    f"{TABLE}.stream_enabled": False,
    f"{TABLE}.deletion_protection_enabled": True,
    f"{TABLE}.point_in_time_recovery.enabled": True,
    f"{MAPPING}.enabled": True,
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
    **both(f"{LAMBDA}.layers", []),
    **{
        f"ingest.{LAMBDA}.environment.variables.{name}": None
        for name in (
            *("TTL_ATTRIBUTE", "FAIR_QUEUE_ATTRIBUTE", "CLIENT_CERTIFICATES", "LOG_CLIENT_SUBJECT"),
            *("SIGNATURE_SECRET_ARN", "SIGNATURE_HEADER", "SIGNATURE_TOLERANCE_SECONDS"),
        )
    },
    "data.aws_iam_policy_document.secret": NOTHING,
    SECRETS_ENDPOINT: NOTHING,
    'vpc_endpoints.aws_security_group.interface["secrets_manager"]': NOTHING,
    **both(f"{LAMBDA}.environment.variables.ORDER_VERSION", None),
    f"process.{LAMBDA}.environment.variables.FRESHNESS_TARGET_SECONDS": "60",
    f"ingest.{LAMBDA}.environment.variables.FRESHNESS_TARGET_SECONDS": None,
    **each((f'{ALARM}["orders-failing"]', f'{OBJECTIVE}["availability"]'), "alarm_actions", []),
    f"{DASHBOARD}.dashboard_name": "async-ingest-eu-central-1",
    **both("aws_lambda_provisioned_concurrency_config.this", NOTHING),
    **each(LOG_GROUPS, "retention_in_days", 365),
    **each(ROLES, "path", "/"),
    **each(ROLES, "permissions_boundary", None),
}

# Values that one piece gets from another.
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
    "load_balancer.aws_lambda_permission.this.function_name": "ingest",  # of the alias's ARN
    "load_balancer.aws_lambda_permission.this.qualifier": Of("ingest.aws_lambda_alias.live.name"),
    "load_balancer.aws_security_group.this.vpc_id": Of(f"{VPC}.id"),
    f"{BALANCER}.subnets": numbered("network.aws_subnet.public", "id", 2),
    # The functions: code, network, environment, permissions.
    f"ingest.{LAMBDA}.handler": "ingest.handler.handle",
    f"process.{LAMBDA}.handler": "process.handler.handle",
    f"ingest.{LAMBDA}.description": "Accepts orders over HTTP and puts them on the queue",
    f"process.{LAMBDA}.description": "Writes orders from the queue to the table",
    **{f"{one}.{LAMBDA}.role": Of(f"{one}.aws_iam_role.this.arn") for one in FUNCTIONS},
    **both("aws_security_group.this.vpc_id", Of(f"{VPC}.id")),
    **both(f"{LAMBDA}.vpc_config.subnet_ids", numbered("network.aws_subnet.private", "id", 2)),
    f"ingest.{LAMBDA}.environment.variables.QUEUE_URL": Of(f"{QUEUE}.url"),
    f"ingest.{LAMBDA}.environment.variables.MAX_MESSAGE_BYTES": "262144",
    f"ingest.{LAMBDA}.environment.variables.HTTP_PATHS": '["/lambda/api"]',
    f"process.{LAMBDA}.environment.variables.TABLE_NAME": Of(f"{TABLE}.name"),
    f"process.{LAMBDA}.environment.variables.DEAD_LETTER_QUEUE_URL": Of(f"{DEAD_LETTER}.url"),
    **both(f"{LAMBDA}.environment.variables.ACCEPTED_AT_ATTRIBUTE", "accepted_at"),
    "ingest.data.aws_iam_policy_document.this.source_policy_documents.2": Of(
        "queue.data.aws_iam_policy_document.producer.json"
    ),
    "process.data.aws_iam_policy_document.this.source_policy_documents.2": Of(
        "queue.data.aws_iam_policy_document.consumer.json"
    ),
    "process.data.aws_iam_policy_document.this.source_policy_documents.3": Of(
        "table.data.aws_iam_policy_document.writer.json"
    ),
    # The functions' egress, and the endpoints.
    **both(
        'aws_vpc_security_group_egress_rule.this["SQS"].referenced_security_group_id',
        Of('vpc_endpoints.aws_security_group.interface["sqs"].id'),
    ),
    'process.aws_vpc_security_group_egress_rule.this["DynamoDB"].prefix_list_id': Of(
        "vpc_endpoints.aws_vpc_endpoint.dynamodb.prefix_list_id"
    ),
    'ingest.aws_vpc_security_group_egress_rule.this["DynamoDB"]': NOTHING,
    'vpc_endpoints.aws_security_group.interface["sqs"].vpc_id': Of(f"{VPC}.id"),
    f"{SQS_ENDPOINT}.vpc_id": Of(f"{VPC}.id"),
    f"{SQS_ENDPOINT}.subnet_ids": Of(f"ingest.{LAMBDA}.vpc_config.subnet_ids"),
    "vpc_endpoints.aws_vpc_endpoint.dynamodb.vpc_id": Of(f"{VPC}.id"),
    "vpc_endpoints.aws_vpc_endpoint.dynamodb.route_table_ids": numbered(
        "network.aws_route_table.private", "id", 2
    ),
    f"{QUEUE}.policy": Of("queue.data.aws_iam_policy_document.queue.json"),
    "queue.data.aws_iam_policy_document.queue.source_policy_documents": [
        Of('queue.data.aws_iam_policy_document.tls_only["source"].json')
    ],
    **{
        f'vpc_endpoints.aws_vpc_security_group_ingress_rule.interface["sqs {one}"]'
        ".referenced_security_group_id": Of(f"{one}.aws_security_group.this.id")
        for one in FUNCTIONS
    },
}

for alarm, dimension, attribute in (
    ("ingest-throttles", "FunctionName", f"ingest.{LAMBDA}.function_name"),
    ("process-errors", "FunctionName", f"process.{LAMBDA}.function_name"),
    ("table-throttles", "TableName", f"{TABLE}.name"),
):
    WIRES[f'{ALARM}["{alarm}"].dimensions.{dimension}'] = Of(attribute)
WIRES |= {
    # The ends of the mocked ARNs
    f'{ALARM}["oldest-message-age"].dimensions.QueueName': "source",
    f'{ALARM}["dead-letter-queue-not-empty"].dimensions.QueueName': "dead-letter",
    f'{ALARM}["load-balancer-errors"].dimensions.LoadBalancer': "app/mock/0123456789abcdef",
    f'{ALARM}["target-errors"].dimensions.TargetGroup': "targetgroup/mock/0123456789abcdef",
    f'{QUERY}["what is slow"].log_group_names': [
        Of(f"{one}.aws_cloudwatch_log_group.this.name") for one in FUNCTIONS
    ],
}

# The outputs of the run "given".
OUTPUTS: dict[str, Any] = {
    "endpoint_url": None,  # below
    "max_orders_per_request": 46,
    "survived_outage_seconds": 11 * 903,
    "load_balancer_name": Of(f"{BALANCER}.name"),
    "load_balancer_arn": Of(f"{BALANCER}.arn"),
    "load_balancer_dns_name": Of(f"{BALANCER}.dns_name"),
    "load_balancer_zone_id": Of(f"{BALANCER}.zone_id"),
    "load_balancer_security_group_id": Of("load_balancer.aws_security_group.this.id"),
    "listener_arn": Of("load_balancer.aws_lb_listener.https.arn"),
    "target_group_arn": Of(f"{TARGET_GROUP}.arn"),
    "path_patterns": {path: [path, f"{path}/"] for path in ("/orders", "/v2/orders")},
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
    "table_stream_arn": Of(f"{TABLE}.stream_arn"),
    "vpc_id": Of(f"{VPC}.id"),
    "load_balancer_subnet_ids": numbered("network.aws_subnet.public", "id", 3),
    "function_subnet_ids": numbered("network.aws_subnet.private", "id", 3),
    "function_route_table_ids": numbered("network.aws_route_table.private", "id", 3),
    "load_balancer_route_table_id": Of("network.aws_route_table.public.id"),
    "kms_key_policy_json": Of("data.aws_iam_policy_document.kms_key.json"),
}

# Dependencies that no attribute expresses.
AFTER = (
    *(
        (f"{one}.aws_lambda_function.this", f"{one}.{sooner}.this")
        for one in FUNCTIONS
        for sooner in ("aws_iam_role_policy", "aws_vpc_security_group_egress_rule")
    ),
    (f'{RULE}["http /orders"]', "load_balancer.aws_lb_target_group_attachment.this"),
    (
        "load_balancer.aws_lb_target_group_attachment.this",
        "load_balancer.aws_lambda_permission.this",
    ),
    ("network.aws_flow_log.this", "network.aws_iam_role_policy.flow_logs"),
    ("network.aws_nat_gateway.this", "network.aws_route.public_internet"),
    # Users of these resources must wait until traffic can flow.
    *((f"{one}.aws_security_group.this", f"{one}.aws_iam_role_policy.this") for one in FUNCTIONS),
    (SQS_ENDPOINT, "vpc_endpoints.aws_vpc_security_group_ingress_rule.interface"),
)

# Kinds of resources that the console lists by their Name tag.
NAMED = (
    *("default_security_group", "eip", "flow_log", "internet_gateway", "nat_gateway"),
    *("route_table", "security_group", "subnet", "vpc"),
    "vpc_endpoint",
)
