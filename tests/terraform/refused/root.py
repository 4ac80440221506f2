"""What the root refuses, and a sample of what its submodules refuse in its name."""

from tests.terraform.refused.options import OPTIONS
from tests.terraform.refused.rows import (
    BOUNDARY,
    LISTENER,
    ROLE,
    TABLE,
    WEB_ACL,
    Row,
    everyone,
    text,
)


def network(**members: str) -> str:
    """An existing network, with what the case has of its own."""
    usual = {
        "vpc_id": '"vpc-1"',
        "vpc_cidr_block": '"10.0.0.0/16"',
        "load_balancer_subnet_ids": '["subnet-1", "subnet-2"]',
        "function_subnet_ids": '["subnet-3"]',
    }
    return "{ " + ", ".join(f"{name} = {value}" for name, value in (usual | members).items()) + " }"


NETWORK = {"existing_network": network()}
ROLES = {"existing_roles": f"{{ ingest = {ROLE}, process = {ROLE} }}"}
NO_ROLE = {**ROLES, "vpc": "{ flow_logs_enabled = false }"}
NAME = "but must be 3 to 24 lower-case letters"
RANGES = "load_balancer_ingress_cidr_blocks"
POLLERS = "but the minimum must be 2 to 200, and the maximum at least that"

ROOT = (
    *OPTIONS,
    *(
        Row(
            name,
            "{ arn = null }",
            f"{name.removeprefix('load_balancer_')}.arn is null, but must be",
        )
        for name in ("certificate", "kms_key", "load_balancer_web_acl", "permissions_boundary")
    ),
    *(
        Row(
            "existing_roles",
            f"{{ {name} = {{ arn = null }} }}",
            "existing_role.arn is null, but must",
        )
        for name in ("ingest", "process")
    ),
    *(
        Row("name", f'"{value}"', NAME)
        for value in (
            *("ab", "a23456789-123456789-12345", "Orders"),
            *("internal-orders", "orders-", "1orders"),
        )
    ),
    # Network
    *(
        Row("vpc", f"{{ {attribute} = {value} }}", "describe a VPC that is created here", NETWORK)
        for attribute, value in (
            ("cidr_block", '"10.1.0.0/16"'),
            ("availability_zones", '["eu-central-1a", "eu-central-1b"]'),
            ("nat_gateway", '"single"'),
        )
    ),
    Row(
        "vpc",
        '{ nat_gateway = "none" }',
        'vpc_endpoints.enabled is false and vpc.nat_gateway is "none"',
        {"vpc_endpoints": "{ enabled = false }"},
    ),
    Row("vpc", '{ nat_gateway = "two" }', 'nat_gateway (vpc.nat_gateway) is "two"'),
    *(
        Row("existing_network", network(**{member: value}), f"existing_network.{member} {says}")
        for member, value, says in (
            ("function_subnet_ids", "[]", "is empty, but the functions need"),
            ("function_subnet_ids", "null", "is empty, but the functions need"),
            ("vpc_cidr_block", "null", "is not set, but the load balancer admits"),
            ("vpc_id", "null", "is null, or one of its lists has an element"),
        )
    ),
    *(
        Row(
            "existing_network",
            network(load_balancer_subnet_ids=value),
            f"(existing_network.load_balancer_subnet_ids) has {count} subnets",
        )
        for value, count in (('["subnet-1"]', 1), ("null", 0))
    ),
    *(
        Row(
            "vpc_endpoints",
            "{ enabled = true }",
            "existing_network.function_route_table_ids is empty",
            {"existing_network": one},
        )
        for one in (network(), network(function_route_table_ids="null"))
    ),
    *(
        Row(
            "vpc_endpoints",
            f'{{ {service}_policy_documents = ["{{}}"] }}',
            "have no effect because no endpoints are created here",
            NETWORK,
        )
        for service in ("sqs", "dynamodb", "secrets_manager")
    ),
    Row(
        "vpc_endpoints",
        """{ secrets_manager_policy_documents = ["{\\"Statement\\":[]}"] }""",
        "has no effect because there are no secret_arns",
    ),
    *(
        Row("existing_network", network(**{member: '["a", null]'}), "has an element that is null")
        for member in (
            *("load_balancer_subnet_ids", "function_subnet_ids", "function_route_table_ids"),
        )
    ),
    # Load balancer
    Row("paths", '["/orders", "/orders"]', "paths lists a path twice"),
    Row("load_balancer_internal", "false", "load_balancer_internal is false, but"),
    Row(RANGES, "[]", f"{RANGES} is empty"),
    Row(RANGES, '[for number in range(26) : "10.${number}.0.0/16"]', f"({RANGES}) has 26 ranges"),
    *(
        Row(RANGES, f"[{value}]", "but each must be a range")
        for value in ('"example.com"', '"10.0.0.1/16"', "null")
    ),
    Row(RANGES, '["10.0.0.0/8", "10.0.0.0/8"]', f"{RANGES} lists a range twice: "),
    Row(
        "load_balancer_idle_timeout_seconds",
        "11",
        "(load_balancer_idle_timeout_seconds) is 11, but must be above",
        {"ingest_timeout_seconds": "11"},
    ),
    *(
        Row("existing_listener", LISTENER, "have no effect with existing_listener", also)
        for also in (
            {"load_balancer_web_acl": WEB_ACL},
            {RANGES: '["10.0.0.0/16"]'},
            {"load_balancer_ip_address_type": '"dualstack"'},
            {"load_balancer_internal": "false", RANGES: '["10.0.0.0/16"]'},
        )
    ),
    Row(
        "existing_listener",
        LISTENER.replace("= 1 ", "= 50000 "),
        "must give each of the 2 paths a priority from 1 to 50000",
        {"paths": '["/a", "/b"]'},
    ),
    Row(
        "existing_listener",
        LISTENER,
        "have no effect because listener_rules_enabled is false",
        {"listener_rules_enabled": "false"},
    ),
    # Functions
    Row("ingest_timeout_seconds", "5", "ingest_timeout_seconds is 5, but must be at least 6"),
    Row("process_timeout_seconds", "5", "process_timeout_seconds is 5, but must be at least 6"),
    Row(
        "process_timeout_seconds",
        "901",
        "consumer_timeout_seconds (process_timeout_seconds) is 901",
    ),
    *(
        Row(
            f"{function}_environment",
            f'{{ {name} = "x" }}',
            f"{function}_environment sets {name}, which the module sets itself",
            {},
        )
        for function, name in (
            *(("ingest", "QUEUE_URL"), ("ingest", "HTTP_PATHS"), ("ingest", "TABLE_KEYS")),
            *(("process", "TABLE_NAME"), ("process", "MAX_RECEIVE_COUNT")),
        )
    ),
    Row(
        "ingest_environment",
        '{ TTL_ATTRIBUTE = "x" }',
        "ingest_environment sets TTL_ATTRIBUTE",
        {"table_ttl": '{ attribute = "expires_at" }'},
    ),
    *(
        Row(
            f"{function}_environment", f"{{ BIG = {text(4094)} }}", f"{function}_environment is", {}
        )
        for function in ("ingest", "process")
    ),
    Row(
        "ingest_environment",
        '{ FAIR_QUEUE_ATTRIBUTE = "x" }',
        "ingest_environment sets FAIR_QUEUE_ATTRIBUTE",
        {"fair_queue_attribute": '"tenant"'},
    ),
    # Queue and its consumer
    Row("queue_max_message_bytes", "4095", "(queue_max_message_bytes) is 4095, but must be 4096"),
    *(
        Row("queue_max_message_bytes", size, f"which takes {says}, not {value}", {name: value})
        for size, name, value, says in (
            ("262145", "ingest_timeout_seconds", "6", "an ingest_timeout_seconds of at least 7"),
            ("1048576", "ingest_timeout_seconds", "8", "an ingest_timeout_seconds of at least 9"),
            ("262145", "process_timeout_seconds", "6", "a process_timeout_seconds of at least 7"),
            (
                "1048576",
                "process_timeout_seconds",
                "14",
                "a process_timeout_seconds of at least 15",
            ),
        )
    ),
    *(
        Row(
            "queue_max_message_bytes",
            "1048576",
            "which takes ingest_memory_size and process_memory_size of at least 512 MB",
            {f"{function}_memory_size": "511"},
        )
        for function in ("ingest", "process")
    ),
    Row(
        "process_batch_size",
        "100",
        "a batch can have 24 messages of queue_max_message_bytes 262144, but in 5 deliveries of "
        "process_timeout_seconds 10 there is time to read only 20.",
        {
            "process_batching_window_seconds": "1",
            "process_timeout_seconds": "10",
            "queue_max_receive_count": "5",
        },
    ),
    Row("fair_queue_attribute", '""', "fair_queue_attribute has 0 characters"),
    Row("fair_queue_attribute", text(256), "fair_queue_attribute has 256 characters"),
    Row("fair_queue_attribute", '"accepted_at"', 'fair_queue_attribute is "accepted_at"'),
    Row("queue_max_receive_count", "4", "queue_max_receive_count is 4, but must be at least 5"),
    Row("queue_max_receive_count", "1001", "(queue_max_receive_count) is 1001"),
    Row("process_batch_size", "0", "but must be 1 to 10000"),
    Row("process_batch_size", "10001", "but must be 1 to 10000"),
    Row("process_batching_window_seconds", "301", "(process_batching_window_seconds) is 301"),
    Row(
        "process_batching_window_seconds",
        "0",
        "process_batch_size is 11, and above 10 Lambda needs",
        {"process_batch_size": "11"},
    ),
    Row("process_maximum_concurrency", "1", "but must be 2 to 1000"),
    Row("process_maximum_concurrency", "1001", "but must be 2 to 1000"),
    Row(
        "process_maximum_concurrency",
        "5",
        "process_maximum_concurrency has no effect with process_provisioned_pollers",
        {"process_provisioned_pollers": "{ minimum = 2, maximum = 3 }"},
    ),
    *(
        Row("process_provisioned_pollers", f"{{ minimum = {least}, maximum = {most} }}", POLLERS)
        for least, most in (
            *(("1", "20"), ("201", "2000"), ("2", "2001")),
            *(("3", "2"), ("null", "3"), ("2", "null")),
        )
    ),
    Row("process_memory_size", "255", "process_memory_size is 255, but must be at least 256"),
    Row(
        "process_reserved_concurrency",
        "4",
        "process_reserved_concurrency 4 is below process_maximum_concurrency 5",
    ),
    Row(
        "process_reserved_concurrency",
        "7",
        "process_reserved_concurrency 7 is below process_maximum_concurrency 8",
        {"process_maximum_concurrency": "8"},
    ),
    Row(
        "process_reserved_concurrency",
        "29",
        "process_reserved_concurrency 29 is below 10 invocations",
        {"process_provisioned_pollers": "{ minimum = 2, maximum = 3 }"},
    ),
    Row("queue_policy_documents", f"[{everyone()}]", "allows something to everyone"),
    Row(
        "queue_retention_seconds",
        "60",
        "more than three quarters of retention_seconds (queue_retention_seconds) 60",
    ),
    # Table
    *(
        Row(f"table_{name}", value, f'table_{name}.{attribute} is "accepted_at"')
        for name, attribute, value in (
            ("partition_key", "name", '{ name = "accepted_at", type = "N" }'),
            ("sort_key", "name", '{ name = "accepted_at", type = "N" }'),
            ("ttl", "attribute", '{ attribute = "accepted_at" }'),
        )
    ),
    Row(
        "table_ttl",
        '{ attribute = "expires_at" }',
        "(table_ttl.attribute), provisioned_capacity and stream_view_type (table_stream_view_type)",
        {"existing_table": TABLE},
    ),
    Row(
        "table_stream_view_type",
        '"KEYS_ONLY"',
        "stream_view_type (table_stream_view_type) configure a table that is created here",
        {"existing_table": TABLE},
    ),
    Row("table_stream_view_type", '"ALL"', '(table_stream_view_type) is "ALL", but must be'),
    Row("table_partition_key", '{ name = null, type = "S" }', "(table_partition_key.name) has"),
    Row("table_partition_key", '{ name = "a", type = null }', "(table_partition_key.type) is"),
    Row("table_sort_key", '{ name = null, type = "S" }', "(table_sort_key.name) has"),
    Row("table_sort_key", '{ name = "a", type = null }', "(table_sort_key.type) is"),
    Row("existing_table", '{ name = null, arn = "arn" }', "the name and the ARN of the same table"),
    # Across the system
    Row("permissions_boundary", BOUNDARY, "permissions_boundary has no effect", NO_ROLE),
    Row("role_path", '"/service/"', "role_path has no effect", NO_ROLE),
    *(
        Row("role_path", value, "but must start and end with a slash")
        for value in ('"service"', '"/service"', f'"/{"r" * 511}/"')
    ),
    *(
        Row(
            name,
            '"/service/"' if name == "role_path" else BOUNDARY,
            f"{name} has no effect",
            {**ROLES, **NETWORK},
        )
        for name in ("role_path", "permissions_boundary")
    ),
)
