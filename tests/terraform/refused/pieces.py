"""What each submodule refuses."""

from tests.terraform.refused.network import LOAD_BALANCER, NETWORK, VPC_ENDPOINTS
from tests.terraform.refused.observability import BASE, OBSERVABILITY
from tests.terraform.refused.rows import (
    BOUNDARY,
    BOUNDED,
    KMS_KEY,
    RETENTION,
    ROLE_PATH,
    TABLE,
    WHOLE,
    Row,
    each,
    everyone,
    other_arn,
    text,
)

BASES = {
    "function": {
        "name": '"orders-ingest"',
        "source_dir": 'abspath("${path.root}/lambda_src")',
        "source_packages": '["ingest"]',
        "handler": '"ingest.handler.handle"',
        "timeout_seconds": "10",
    },
    "load_balancer": {
        "name": '"orders"',
        "vpc_id": '"vpc-1"',
        "subnet_ids": '["subnet-1", "subnet-2"]',
        "function_alias_arn": '"arn:aws:lambda:eu-central-1:123456789012:function:orders:live"',
        "function_timeout_seconds": "10",
    },
    "network": {"name": '"orders"'},
    "observability": BASE,
    "queue": {"name": '"orders"', "consumer_timeout_seconds": "30"},
    "table": {"name": '"orders"', "partition_key": '{ name = "order_id", type = "S" }'},
    "vpc_endpoints": {
        "name": '"orders"',
        "vpc_id": '"vpc-1"',
        "subnet_ids": '["subnet-1", "subnet-2"]',
        "route_table_ids": '["rtb-1"]',
        "queue_arns": "[]",
        "table_arns": "[]",
    },
}


CAPACITY = "each minimum must be at least 1 and not above its maximum"
UTILIZATION = "but must be 20 to 90 percent"
PACKAGE = "package must have either filename, or s3_bucket and s3_key"


def capacity(*numbers: str, target: str = "70") -> str:
    names = ("read_min", "read_max", "write_min", "write_max")
    items = ", ".join(f"{name} = {number}" for name, number in zip(names, numbers, strict=True))
    return f"{{ {items}, target_utilization = {target} }}"


FUNCTION = (
    *each("name", "but must be 1 to 64 letters", '"no spaces"', text(65), '""'),
    *each("description", "description has 257 characters", text(257)),
    *each("runtime", "but must be python3.12 or newer", '"python3.9"'),
    *each("architecture", 'architecture is "riscv"', '"riscv"'),
    *each("layers", "layers has 6 layer versions", '["1", "2", "3", "4", "5", "6"]'),
    *each(
        "layers", "must be ARNs of layer versions", '["arn:aws:lambda:x:1:layer:agent"]', "[null]"
    ),
    *each("policy_documents", "must be JSON with a Statement", '["{}"]', '["not JSON"]', "[null]"),
    *each("memory_size", f"{WHOLE} of MB", "127", "10241", "128.5"),
    *each("timeout_seconds", f"{WHOLE} of seconds", "0", "901", "1.5"),
    *each("reserved_concurrency", "reserved_concurrency is 0", "0"),
    *each("provisioned_concurrency", "provisioned_concurrency is 0", "0"),
    *each("log_level", 'log_level is "LOUD", but must be TRACE', '"LOUD"'),
    *each("log_retention_days", RETENTION, "31", "-1"),
    *each(*ROLE_PATH),
    *other_arn(*KMS_KEY),
    *other_arn(*BOUNDED),
    *other_arn("existing_role", "an IAM role", BOUNDARY),
    Row("package", '{ filename = "x.zip" }', "package.filename needs package.source_code_hash"),
    Row(
        "package",
        '{ s3_bucket = "x", s3_key = "x" }',
        "package.s3_key needs package.s3_object_version",
    ),
    *each(
        "package",
        PACKAGE,
        *("{}", '{ s3_bucket = "x", source_code_hash = "x" }'),
        '{ filename = "x", source_code_hash = "x", s3_bucket = "x", s3_key = "x" }',
    ),
    Row("environment", '{ "1A" = "x" }', "each must start with a letter"),
    Row("environment", '{ A = "x" }', "each must start with a letter"),
    Row("environment", '{ AWS_REGION = "x" }', "environment sets a variable that Lambda reserves"),
    Row("environment", f"{{ BIG = {text(4081)} }}", "environment takes 4097 bytes", {}),
    Row("environment", f'{{ BIG = "{"ä" * 2041}" }}', "environment takes 4098 bytes", {}),
    Row("in_vpc", "true", "in_vpc is true, but there are 0 subnet_ids", {}),
    Row("subnet_ids", '["subnet-1"]', "in_vpc is false, but there are 1 subnet_ids", {}),
    Row(
        "provisioned_concurrency",
        "7",
        "snap_start_enabled is true and provisioned_concurrency is 7",
        {"snap_start_enabled": "true"},
    ),
    Row(
        "provisioned_concurrency",
        "3",
        "provisioned_concurrency 3 is above reserved_concurrency 2",
        {"reserved_concurrency": "2"},
    ),
    Row("source_packages", '["ingets"]', "source_packages ingets contain no *.py file", {}),
    *(
        Row("additional_source_dir", f'abspath("${{path.root}}/{name}")', says, {})
        for name, says in (
            ("nowhere", "but there is no *.py file below such a directory"),
            ("lambda_src", "has ingest at its top, but a module of the function"),
            ("checkout/modules", "has queue at its top, but a module of the function"),
            ("checkout/docs", "has faults.png, which is not text in UTF-8"),
        )
    ),
)

QUEUE = (
    *each("name", "but must be 1 to 68 letters", '"no spaces"', text(69)),
    *each(
        "consumer_timeout_seconds", "but must be 1 to 900, a Lambda function's limits", "0", "901"
    ),
    *each("consumer_batching_window_seconds", "but must be 0 to 300", "-1", "301"),
    *each("visibility_timeout_seconds", "but must be 0 to 43200", "-1", "43201"),
    *each("retention_seconds", "but must be 60 (a minute)", "59", "1209601"),
    *each("dead_letter_retention_seconds", "but must be 60 (a minute)", "59", "1209601"),
    *each("survived_outage_seconds", "but must be 0 to 1209600", "-1", "1209601"),
    *each("max_receive_count", "but must be 1 to 1000", "0", "1001"),
    *each("delay_seconds", "but must be 0 to 900", "-1", "901"),
    *other_arn(*KMS_KEY),
    *each("max_message_bytes", "but must be 4096", "4095", "1048577"),
    *each(
        "policy_documents",
        "none of which allows something to everyone",
        *(f"[{everyone()}]", '["not JSON"]', "[null]", '["{}"]'),
        *(
            f"[{everyone(who)}]"
            for who in ('{ AWS = "*" }', '{ AWS = ["arn:aws:iam::1:root", "*"] }')
        ),
    ),
    *each(
        "policy_documents",
        "a statement with the Sid DenyWithoutTLS",
        '[jsonencode({ Statement = { Sid = "DenyWithoutTLS", Effect = "Deny" } })]',
    ),
    Row(
        "max_receive_count",
        "500",
        "survived_outage_seconds and max_receive_count are both set",
        {"survived_outage_seconds": "86400"},
    ),
    Row(
        "visibility_timeout_seconds",
        "179",
        "is 179, but must be at least 6 \N{MULTIPLICATION SIGN} the consumer's timeout 30 s",
        {},
    ),
    Row("retention_seconds", "60", "(queue_retention_seconds) 60, so", {}),
    Row(
        "max_receive_count",
        "1000",
        "1000 deliveries, 5400 s apart, take 5400000 s",
        {"consumer_timeout_seconds": "900"},
    ),
    Row(
        "max_receive_count",
        "481",
        "481 deliveries, 180 s apart, take 86580 s",
        {"retention_seconds": "115439"},
    ),
    Row(
        "survived_outage_seconds",
        "200000",
        "is 200000, which takes more than SQS's 1000 deliveries",
        {"visibility_timeout_seconds": "180", "retention_seconds": "1036800"},
    ),
    Row(
        "dead_letter_retention_seconds",
        "518399",
        "is 518399, but must be at least two days (172800) above",
        {},
    ),
)

TABLES = (
    *each("name", "but must be 3 to 255 letters", '"no"', text(256)),
    *each(
        "partition_key",
        "(table_partition_key.name) has",
        *('{ name = "", type = "S" }', '{ name = null, type = "S" }'),
        f'{{ name = {text(256)}, type = "S" }}',
    ),
    *each(
        "partition_key",
        "(table_partition_key.type) is",
        *('{ name = "p", type = "B" }', '{ name = "p", type = null }'),
    ),
    *each(
        "sort_key",
        "(table_sort_key.name) has",
        *('{ name = "", type = "S" }', '{ name = null, type = "S" }'),
        f'{{ name = {text(256)}, type = "S" }}',
    ),
    *each(
        "sort_key",
        "(table_sort_key.type) is",
        *('{ name = "s", type = "B" }', '{ name = "s", type = null }'),
    ),
    *each(
        "ttl",
        "ttl.attribute (table_ttl.attribute) has",
        *('{ attribute = "" }', f"{{ attribute = {text(256)} }}"),
    ),
    *each("table_class", 'but must be "STANDARD"', '"CHEAP"'),
    *other_arn(*KMS_KEY),
    *each("stream_view_type", 'but must be "KEYS_ONLY"', '"ALL"'),
    *each(
        "provisioned_capacity",
        CAPACITY,
        *(capacity("0", "1", "1", "1"), capacity("1", "1", "0", "1")),
        *(capacity("2", "1", "1", "1"), capacity("1", "1", "2", "1")),
        *(capacity("null", "1", "1", "1"), capacity("1", "1", "1", "null")),
    ),
    *each(
        "provisioned_capacity",
        UTILIZATION,
        *(capacity("1", "1", "1", "1", target="19"), capacity("1", "1", "1", "1", target="91")),
    ),
    Row("sort_key", '{ name = "order_id", type = "S" }', 'are both "order_id"', {}),
    Row("ttl", '{ attribute = "order_id" }', 'is "order_id", which is a key of the table', {}),
    Row(
        "existing_table",
        TABLE.replace("table/theirs", "table/ours"),
        "must be the name and the ARN of the same table",
    ),
    *(
        Row("existing_table", TABLE, "have no effect with existing_table", {name: value})
        for name, value in (
            ("ttl", '{ attribute = "expires_at" }'),
            ("stream_view_type", '"KEYS_ONLY"'),
            ("provisioned_capacity", capacity("1", "1", "1", "1")),
        )
    ),
)

PIECES = {
    "function": FUNCTION,
    "load_balancer": LOAD_BALANCER,
    "network": NETWORK,
    "observability": OBSERVABILITY,
    "queue": QUEUE,
    "table": TABLES,
    "vpc_endpoints": VPC_ENDPOINTS,
}
