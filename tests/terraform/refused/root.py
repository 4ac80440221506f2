"""What the root refuses."""

from tests.terraform.refused.rows import ARN, BOUNDARY, LISTENER, ROLE, TABLE, Row, everybody, text


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
NO_ROLE = {
    "existing_ingest_role": ROLE,
    "existing_process_role": ROLE,
    "flow_logs_enabled": "false",
}
NAME = "name must be 3 to 24 lower-case letters"
RANGES = "load_balancer_ingress_cidr_blocks"
POLLERS = "process_provisioned_pollers needs a minimum of 2 to 200 that is not above its maximum"
OF_A_LISTENER = "are settings of a load balancer that is made here"

ROOT = (
    *(
        Row("name", f'"{value}"', NAME)
        for value in (
            *("ab", "a23456789-123456789-12345", "Orders"),
            *("internal-orders", "orders-", "1orders"),
        )
    ),
    # Network
    Row("vpc_cidr_block", '"10.1.0.0/16"', "vpc_cidr_block is the range of a VPC", NETWORK),
    Row(
        "availability_zones",
        '["eu-central-1a", "eu-central-1b"]',
        "availability_zones are those of a VPC",
        NETWORK,
    ),
    Row("nat_gateway", '"single"', "nat_gateway is for a VPC that is built", NETWORK),
    Row(
        "nat_gateway",
        '"none"',
        'vpc_endpoints_enabled = false with nat_gateway = "none"',
        {"vpc_endpoints_enabled": "false"},
    ),
    *(
        Row("existing_network", network(**{member: value}), f"existing_network.{member} {says}")
        for member, value, says in (
            ("load_balancer_subnet_ids", '["subnet-1"]', "needs at least two subnets"),
            ("load_balancer_subnet_ids", "null", "needs at least two subnets"),
            ("function_subnet_ids", "[]", "needs at least one subnet"),
            ("function_subnet_ids", "null", "needs at least one subnet"),
            ("vpc_cidr_block", "null", "is missing, which the load balancer admits"),
        )
    ),
    Row(
        "existing_network",
        network(),
        "existing_network.function_route_table_ids is empty",
        {"vpc_endpoints_enabled": "true"},
    ),
    Row(
        "existing_network",
        network(function_route_table_ids="null"),
        "existing_network.function_route_table_ids is empty",
        {"vpc_endpoints_enabled": "true"},
    ),
    *(
        Row(
            "vpc_endpoint_policy_documents",
            f'{{ {service} = ["{{}}"] }}',
            "vpc_endpoint_policy_documents would have no effect",
            NETWORK,
        )
        for service in ("sqs", "dynamodb")
    ),
    # Load balancer
    Row("paths", "[]", "paths needs 1 to 20 paths. Got 0"),
    Row("paths", '[for number in range(21) : "/${number}"]', "paths needs 1 to 20 paths. Got 21"),
    *(
        Row("paths", value, "Each of paths must start with a slash")
        for value in (
            *('["/orders", "orders"]', '["/orders/"]', '["/orders/*"]', "[null]"),
            '["/${join("", [for _ in range(127) : "p"])}"]',
        )
    ),
    Row("paths", '["/orders", "/orders"]', "paths names a path twice"),
    Row("load_balancer_internal", "false", "load_balancer_internal = false, but the load balancer"),
    Row(RANGES, "[]", f"{RANGES} needs 1 to 25 ranges"),
    Row(RANGES, '[for number in range(26) : "10.${number}.0.0/16"]', f"{RANGES} needs 1 to 25"),
    *(
        Row(RANGES, f"[{value}]", f"Each of {RANGES} must be a range")
        for value in ('"example.com"', '"10.0.0.1/16"', "null")
    ),
    Row(RANGES, '["10.0.0.0/8", "10.0.0.0/8"]', f"{RANGES} names a range twice: "),
    Row(
        "load_balancer_idle_timeout_seconds",
        "11",
        "load_balancer_idle_timeout_seconds 11 must be above ingest_timeout_seconds 11",
        {"ingest_timeout_seconds": "11"},
    ),
    *(
        Row("existing_listener", LISTENER, OF_A_LISTENER, {name: value})
        for name, value in (
            ("certificate", ARN),
            ("load_balancer_web_acl", ARN),
            ("load_balancer_access_logs", '{ bucket = "logs" }'),
            (RANGES, '["10.0.0.0/16"]'),
            ("load_balancer_ip_address_type", '"dualstack"'),
        )
    ),
    Row(
        "existing_listener",
        LISTENER,
        OF_A_LISTENER,
        {"load_balancer_internal": "false", RANGES: '["10.0.0.0/16"]'},
    ),
    *(
        Row(
            "existing_listener",
            LISTENER.replace("= 1 ", f"= {priority} "),
            f"existing_listener must give each of the {paths} paths a priority from 1 to 50000",
            {"paths": f'[for number in range({paths}) : "/${{number}}"]'},
        )
        for priority, paths in (("0", 1), ("50000", 2), ("null", 3))
    ),
    Row(
        "existing_listener",
        LISTENER.replace("= 1 ", '= 1, priorities = { "/b" = 1 } '),
        "existing_listener gives two paths the same priority: /a 1, /b 1",
        {"paths": '["/a", "/b"]'},
    ),
    # Functions
    *(Row("ingest_timeout_seconds", value, "must be 6 (two attempts") for value in ("5", "901")),
    *(Row("process_timeout_seconds", value, "must be 6 (two attempts") for value in ("5", "901")),
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
        {"table_ttl_attribute": '"expires_at"'},
    ),
    *(
        Row(
            f"{function}_environment", f"{{ BIG = {text(4094)} }}", f"{function}_environment is", {}
        )
        for function in ("ingest", "process")
    ),
    # Queue and its consumer
    *(
        Row("queue_max_receive_count", value, "queue_max_receive_count must be 5 to 1000, or null")
        for value in ("4", "1001")
    ),
    Row("process_batch_size", "0", "process_batch_size must be 1 to 10000"),
    Row("process_batch_size", "10001", "process_batch_size must be 1 to 10000"),
    Row("process_batching_window_seconds", "-1", "must be 0 to 300. Got -1"),
    Row("process_batching_window_seconds", "301", "must be 0 to 300. Got 301"),
    Row(
        "process_batching_window_seconds",
        "0",
        "process_batch_size 11 is above 10",
        {"process_batch_size": "11"},
    ),
    Row("process_maximum_concurrency", "1", "process_maximum_concurrency must be 2 to 1000"),
    Row("process_maximum_concurrency", "1001", "process_maximum_concurrency must be 2 to 1000"),
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
    Row("process_memory_size", "255", "process_memory_size must be at least 256"),
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
        "process_reserved_concurrency 29 is below the 10 invocations",
        {"process_provisioned_pollers": "{ minimum = 2, maximum = 3 }"},
    ),
    Row("queue_policy_documents", f"[{everybody()}]", "allows something to everybody"),
    Row("queue_retention_seconds", "60", "which is more than three quarters of message_retention"),
    # Table
    *(
        Row(f"table_{name}", value, f"Name another table_{name}")
        for name, value in (
            ("partition_key", '{ name = "accepted_at", type = "N" }'),
            ("sort_key", '{ name = "accepted_at", type = "N" }'),
            ("ttl_attribute", '"accepted_at"'),
        )
    ),
    Row(
        "table_ttl_attribute",
        '"expires_at"',
        "table_ttl_attribute is a setting of a table that is made here",
        {"existing_table": TABLE},
    ),
    Row("table_partition_key", '{ name = null, type = "S" }', "partition_key.name must be"),
    Row("table_partition_key", '{ name = "a", type = null }', "partition_key.type must be"),
    Row("table_sort_key", '{ name = null, type = "S" }', "sort_key.name must be 1 to 255"),
    Row("table_sort_key", '{ name = "a", type = null }', 'sort_key.type must be "S"'),
    Row("existing_table", '{ name = null, arn = "arn" }', "existing_table needs the name"),
    # Across the system
    Row("permissions_boundary", BOUNDARY, "permissions_boundary would have no effect", NO_ROLE),
    Row("role_path", '"/service/"', "role_path would have no effect", NO_ROLE),
    *(
        Row("role_path", value, "role_path must start and end with a slash")
        for value in ('"service"', '"/service"', f'"/{"r" * 511}/"')
    ),
    *(
        Row(
            name,
            '"/service/"' if name == "role_path" else BOUNDARY,
            f"{name} would have no effect",
            {**NO_ROLE, **NETWORK, "flow_logs_enabled": "true"},
        )
        for name in ("role_path", "permissions_boundary")
    ),
)
