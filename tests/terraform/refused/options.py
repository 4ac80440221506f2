"""What the root refuses of the optional features: what an order is, and who sends it."""

from tests.terraform.refused.rows import (
    CERTIFICATE,
    SECRET,
    TRUST_STORE,
    Row,
    text,
)

HOOKS = 'abspath("${path.root}/checkout/examples/hooks/hooks")'
WITH_HOOKS = {"order_hooks": f"{{ source_dir = {HOOKS} }}"}
SIGNATURE = f'{{ secret_arn = "{SECRET}" }}'
VERSION = 'order_version_attribute.name is "{}", which is a key of the table'

OPTIONS = (
    # Who may send
    *(
        Row("request_signature", f"{{ secret_arn = {value} }}", "but must be the complete ARN of")
        for value in ("null", '"orders/keys"', f'"{SECRET[:-7]}"', f'"{SECRET}-"')
    ),
    Row(
        "request_signature",
        SIGNATURE.replace("eu-central-1", "eu-west-1"),
        "request_signature.secret_arn is in eu-west-1, but the system in eu-central-1",
    ),
    *(
        Row(
            "request_signature",
            SIGNATURE.replace(" }", f", header = {value} }}"),
            "but must be a name of 1 to 40 letters",
        )
        for value in ('""', '"X Signature"', '"X_Signature"', '"Content-Type"', text(41))
    ),
    *(
        Row(
            "request_signature",
            SIGNATURE.replace(" }", f", tolerance_seconds = {value} }}"),
            "but must be a whole number of seconds, 1 to 3600",
        )
        for value in ("0", "3601", "1.5")
    ),
    Row(
        "request_signature",
        SIGNATURE,
        "request_signature is checked by the module's own ingest handler",
        {"ingest_package": '{ filename = "x.zip", source_code_hash = "x" }'},
    ),
    Row(
        "client_certificates",
        TRUST_STORE.replace(" }", ", log_subject = true }"),
        "client_certificates.log_subject is true, but the handler in ingest_package",
        {
            "certificate": CERTIFICATE,
            "ingest_package": '{ filename = "x.zip", source_code_hash = "x" }',
        },
    ),
    Row("client_certificates", TRUST_STORE, "client_certificates is set, but certificate is not"),
    # Hooks
    *(
        Row("order_hooks", f"{{ {members} }}", says)
        for members, says in (
            ("source_dir = null", "order_hooks.source_dir is null"),
            ('source_dir = "nowhere"', 'order_hooks.source_dir "nowhere" has neither'),
            (f'source_dir = {HOOKS}, package = "elsewhere"', "has neither elsewhere/__init__.py"),
            (f'source_dir = {HOOKS}, package = "order_hooks.invalid"', "and no dots"),
            (f'source_dir = {HOOKS}, package = "1"', "but must be a name that Python can"),
            (f"source_dir = {HOOKS}, timeout_seconds = 0", "timeout_seconds is 0, but must be"),
            (f"source_dir = {HOOKS}, timeout_seconds = 4.5", "ingest_timeout_seconds 10 leaves 4"),
        )
    ),
    Row(
        "order_hooks",
        f"{{ source_dir = {HOOKS}, timeout_seconds = 3.5 }}",
        "process_timeout_seconds 12 allows 3:",
        {"process_timeout_seconds": "12"},
    ),
    # Copies for the hook take as long again as reading a message.
    *(
        Row(
            "queue_max_message_bytes",
            "1048576",
            f"which takes {says}, not {value}",
            WITH_HOOKS | {name: value},
        )
        for name, value, says in (
            ("ingest_timeout_seconds", "13", "an ingest_timeout_seconds of at least 14"),
            ("process_timeout_seconds", "26", "a process_timeout_seconds of at least 27"),
        )
    ),
    Row(
        "process_batch_size",
        "100",
        "process_timeout_seconds 17 there is time to read only 20.",
        {
            **WITH_HOOKS,
            "process_batching_window_seconds": "1",
            "process_timeout_seconds": "17",
            "queue_max_receive_count": "5",
        },
    ),
    *(
        Row(
            "order_hooks",
            WITH_HOOKS["order_hooks"],
            f"order_hooks has no effect with {function}_package",
            {f"{function}_package": '{ filename = "own.zip", source_code_hash = "own=" }'},
        )
        for function in ("ingest", "process")
    ),
    *(
        Row(
            "ingest_environment",
            f'{{ {name} = "x" }}',
            f"ingest_environment sets {name}",
            WITH_HOOKS,
        )
        for name in ("ORDER_HOOKS", "ORDER_HOOKS_TIMEOUT_SECONDS")
    ),
    # Operation
    Row("observability", '{ alarm_actions = ["on-call"] }', "(observability.alarm_actions)"),
    Row(
        "observability",
        "{ account_concurrency_quota = 9 }",
        "account_concurrency_quota (observability.account_concurrency_quota) is 9",
    ),
    *(
        Row(
            "observability",
            f"{{ freshness_target_seconds = {seconds} }}",
            f"observability.freshness_target_seconds is {seconds}, but must be above",
            {"process_batching_window_seconds": "20"},
        )
        for seconds in ("20", "345600")
    ),
    Row(
        "process_environment",
        '{ FRESHNESS_TARGET_SECONDS = "60" }',
        "process_environment sets FRESHNESS_TARGET_SECONDS",
    ),
    # Orders
    *(
        Row("order_version_attribute", value, says)
        for value, says in (
            (
                '{ name = "revision", type = "B" }',
                'order_version_attribute.type is "B", but must be',
            ),
            ('{ name = "revision", type = null }', "order_version_attribute.type is null"),
            ('{ name = "", type = "N" }', "order_version_attribute.name has 0 characters"),
            ('{ name = null, type = "N" }', "order_version_attribute.name has 0 characters"),
            (f'{{ name = {text(256)}, type = "S" }}', "order_version_attribute.name has 256"),
            ('{ name = "order_id", type = "S" }', VERSION.format("order_id")),
            ('{ name = "item", type = "S" }', VERSION.format("item")),
            ('{ name = "accepted_at", type = "N" }', VERSION.format("accepted_at")),
        )
    ),
    Row(
        "order_version_attribute",
        '{ name = "expires_at", type = "N" }',
        VERSION.format("expires_at"),
        {"table_ttl": '{ attribute = "expires_at" }'},
    ),
    *(
        Row(
            "order_version_attribute",
            '{ name = "revision", type = "N" }',
            '"order_version_N_revision" is a key of the table or table_ttl.attribute',
            {name: value},
        )
        for name, value in (
            ("table_partition_key", '{ name = "order_version_N_revision", type = "S" }'),
            ("table_sort_key", '{ name = "order_version_N_revision", type = "S" }'),
            ("table_ttl", '{ attribute = "order_version_N_revision" }'),
        )
    ),
    *(
        Row(
            f"{function}_environment",
            '{ ORDER_VERSION = "x" }',
            f"{function}_environment sets ORDER_VERSION",
            {"order_version_attribute": '{ name = "revision", type = "N" }'},
        )
        for function in ("ingest", "process")
    ),
)
