"""What the submodules refuse that traffic passes: network, load balancer and VPC endpoints."""

from tests.terraform.refused.rows import (
    BOUNDARY,
    BOUNDED,
    CERTIFICATE,
    GLOBAL_WEB_ACL,
    KMS_KEY,
    LISTENER,
    RETENTION,
    ROLE,
    ROLE_PATH,
    TRUST_STORE,
    WEB_ACL,
    Row,
    each,
    other_arn,
    text,
)

LOAD_BALANCER = (
    *each(
        "client_certificates",
        "but must be the ARN of an Elastic Load Balancing trust store",
        "{ trust_store_arn = null }",
        f"{{ trust_store_arn = {BOUNDARY[8:-2]} }}",
    ),
    Row("client_certificates", TRUST_STORE, "without HTTPS, no client shows a certificate", {}),
    Row(
        "client_certificates",
        TRUST_STORE,
        "client_certificates has no effect on port 80",
        {"certificate": CERTIFICATE.replace(" }", ", plain_http_allowed = true }")},
    ),
    Row(
        "client_certificates",
        TRUST_STORE,
        "has no effect with existing_listener",
        {"existing_listener": LISTENER},
    ),
    *each(
        "name",
        "but must be 1 to 24 lower-case letters",
        '"internal-orders"',
        text(25),
        '"Orders"',
        '"orders-"',
    ),
    *each("paths", "paths, but needs 1 to 20", "[]", '[for number in range(21) : "/${number}"]'),
    *each(
        "paths",
        "but each must start with a slash",
        *('["orders"]', '["/orders/"]', '["/orders/*"]', "[null]"),
        f'["/{"p" * 127}"]',
    ),
    *each("paths", "paths lists a path twice", '["/orders", "/orders"]'),
    *each("ip_address_type", 'but must be "ipv4" or "dualstack"', '"ipv6"'),
    *each(
        "ingress_cidr_blocks",
        "has 26 ranges, but may have at most 25",
        '{ for number in range(26) : "office-${number}" => "10.${number}.0.0/16" }',
    ),
    *each("idle_timeout_seconds", "but must be 1 to 4000", "0", "4001"),
    *other_arn("certificate", "a certificate in ACM or IAM", ROLE),
    *each(
        "access_logs",
        "access_logs.bucket (load_balancer_access_logs.bucket) is null",
        "{ bucket = null }",
    ),
    *other_arn("web_acl", "a regional web ACL", GLOBAL_WEB_ACL),
    *each(
        "existing_listener",
        "but must be the ARN of a listener of an application load balancer",
        "{ arn = null, priority = 1 }",
        LISTENER.replace("/app/", "/net/"),
    ),
    Row("idle_timeout_seconds", "10", "is 10, but must be above function_timeout_seconds", {}),
    Row("subnet_ids", '["subnet-1"]', "has 1 subnets, but an Application Load Balancer needs", {}),
    *(
        Row("existing_listener", LISTENER, "have no effect with existing_listener", {name: value})
        for name, value in (
            ("certificate", CERTIFICATE),
            ("web_acl", WEB_ACL),
            ("access_logs", '{ bucket = "logs" }'),
            ("ingress_cidr_blocks", '{ office = "10.0.0.0/16" }'),
            ("internal", "false"),
            ("ip_address_type", '"dualstack"'),
        )
    ),
    *(
        Row(
            "existing_listener",
            LISTENER.replace("= 1 ", f"= {priority} "),
            "must give each of the 2 paths a priority",
            {"paths": '["/a", "/b"]'},
        )
        for priority in (
            *("0", "50000", "null"),
            *('1, priorities = { "/b" = 0 }', '1, priorities = { "/b" = 50001 }'),
        )
    ),
    *(
        Row(
            "existing_listener",
            listener,
            "have no effect because listener_rules_enabled is false",
            {"listener_rules_enabled": "false"},
        )
        for listener in (
            LISTENER,
            LISTENER.replace("priority = 1 ", 'priorities = { "/lambda/api" = 3 } '),
        )
    ),
    Row(
        "existing_listener",
        LISTENER.replace("= 1 ", '= 3, priorities = { "/b" = 3 } '),
        "existing_listener gives two paths the same priority: /a 3, /b 3",
        {"paths": '["/a", "/b"]'},
    ),
)

NETWORK = (
    *each("name", "but must be 1 to 24 lower-case letters", '"Not-Lower"', text(25)),
    *each("cidr_block", "but must be a /16", '"10.0.0.0/15"', '"10.0.0.0/25"'),
    *each("cidr_block", "but must be an IPv4 range", '"10.0.0.1/16"', '"2001:db8::/32"'),
    *each(
        "availability_zones",
        "zones, but needs 2, as a load balancer does, to 8",
        *('["a"]', '["a", "b", "c", "d", "e", "f", "g", "h", "i"]'),
    ),
    *each("availability_zones", "lists a zone twice: a, a", '["a", "a"]'),
    *each("nat_gateway", 'is "two", but must be "none"', '"two"'),
    *each("log_retention_days", RETENTION, "31"),
    *each(*ROLE_PATH),
    *other_arn(*KMS_KEY),
    *other_arn(*BOUNDED),
    Row(
        "cidr_block",
        '"10.0.0.0/24"',
        "10.0.0.0/24 has room for 4 zones, but there are 5",
        {"availability_zones": '[for letter in split("", "abcde") : "eu-central-1${letter}"]'},
    ),
    Row(
        "availability_zones",
        '["eu-west-1a", "eu-west-1b"]',
        "lists zones outside the provider's region eu-central-1",
        {},
    ),
)

VPC_ENDPOINTS = (
    Row(
        "client_cidr_blocks",
        '{ ingest = "10.9.0.0/16" }',
        "client_cidr_blocks and client_security_group_ids share the name ingest",
        {"client_security_group_ids": '{ ingest = "sg-1" }'},
    ),
    Row(
        "subnet_ids",
        '["subnet-1", "subnet-2"]',
        "an endpoint takes only one subnet per zone",
        {},
    ),
    Row("subnet_ids", '["subnet-1"]', "SQS offers endpoints only in eu-central-1b", {}),
    Row(
        "secret_arns",
        '["arn:aws:secretsmanager:eu-central-1:123456789012:secret:keys-AbCdEf"]',
        "Secrets Manager offers endpoints only in eu-central-1b",
        {},
    ),
    Row(
        "secrets_manager_policy_documents",
        '["{\\"Statement\\":[]}"]',
        "has no effect because there are no secret_arns",
        {},
    ),
    *(
        row
        for name in (
            *("sqs_policy_documents", "dynamodb_policy_documents"),
            "secrets_manager_policy_documents",
        )
        for row in each(name, f"{name} must be JSON with a Statement", '["{}"]', "[null]")
    ),
)
