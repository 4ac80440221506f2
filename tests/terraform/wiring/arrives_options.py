"""Where the optional features of the root module show up: what an order is, and who sends it."""

from typing import Any

from tests.terraform.wiring.names import (
    ALARM,
    DASHBOARD,
    DEAD_LETTER,
    LAMBDA,
    NOTHING,
    OBJECTIVE,
    QUEUE,
    RULE,
    SECRET,
    SECRETS_ENDPOINT,
    TABLE,
    TOPIC,
    TRUST_STORE,
    Of,
    both,
    each,
)

OPTIONS: dict[str, dict[str, dict[str, Any]]] = {
    "observability": {
        "given": {
            f'{ALARM}["orders-failing"].alarm_actions': [TOPIC],
            f'{ALARM}["orders-failing"].ok_actions': [TOPIC.replace("on-call", "all-clear")],
            f'{OBJECTIVE}["freshness"].alarm_actions': [TOPIC],
            f'{ALARM}["freshness-1h"].alarm_actions': [],
            f'{ALARM}["oldest-message-age"].threshold': 1800,
            f'{ALARM}["account-concurrency"].threshold': 900,
            # of the pieces: timeouts of 7 s, a visibility timeout of 903 s, retentions
            f'{ALARM}["ingest-duration"].threshold': 5600,
            f'{ALARM}["process-duration"].threshold': 5600,
            f'{ALARM}["ingest-concurrency"].threshold': 18.9,
            f'{ALARM}["process-concurrency"].threshold': 7.2,
            f'{ALARM}["orders-failing"].period': 1140,
            f'{ALARM}["dead-letter-queue-last-call"].threshold': 604801 - 86401 - 86400,
            f'{ALARM}["target-errors"]': NOTHING,
            DASHBOARD: NOTHING,
            f"process.{LAMBDA}.environment.variables.FRESHNESS_TARGET_SECONDS": "45.5",
        },
        "existing": {
            f'{ALARM}["orders-failing"].ok_actions': [TOPIC],
            f'{ALARM}["account-concurrency"]': NOTHING,
            f'{ALARM}["load-balancer-errors"].dimensions.LoadBalancer': (
                "app/theirs/0123456789abcdef"
            ),
            f'{ALARM}["table-throttles"].dimensions.TableName': "theirs",
            # 30 pollers with 10 invocations each
            f'{ALARM}["process-concurrency"].threshold': 270,
        },
        "without_endpoints": {
            f"process.{LAMBDA}.environment.variables.FRESHNESS_TARGET_SECONDS": "60",
            f'{ALARM}["oldest-message-age"].threshold': 900,
        },
        # Twice a batching window of 40 s
        "existing_network": {
            f"process.{LAMBDA}.environment.variables.FRESHNESS_TARGET_SECONDS": "80"
        },
        "roles": {
            f"process.{LAMBDA}.environment.variables.FRESHNESS_TARGET_SECONDS": None,
            DASHBOARD: NOTHING,
        },
    },
    "client_certificates": {
        "one_existing_role": {
            **{
                f"load_balancer.aws_lb_listener.https.mutual_authentication.{name}": value
                for name, value in {
                    "mode": "verify",
                    "trust_store_arn": TRUST_STORE,
                    "ignore_client_certificate_expiry": True,
                }.items()
            },
            f"ingest.{LAMBDA}.environment.variables.CLIENT_CERTIFICATES": "true",
            f"ingest.{LAMBDA}.environment.variables.LOG_CLIENT_SUBJECT": "true",
        }
    },
    "request_signature": {
        "one_existing_role": {
            f"ingest.{LAMBDA}.environment.variables.SIGNATURE_SECRET_ARN": SECRET,
            f"ingest.{LAMBDA}.environment.variables.SIGNATURE_HEADER": "X-Orders-Signature",
            f"ingest.{LAMBDA}.environment.variables.SIGNATURE_TOLERANCE_SECONDS": "60",
            f"process.{LAMBDA}.environment.variables.SIGNATURE_SECRET_ARN": None,
            "ingest.data.aws_iam_policy_document.this.source_policy_documents.3": Of(
                "data.aws_iam_policy_document.secret.json"
            ),
            'ingest.aws_vpc_security_group_egress_rule.this["Secrets Manager"]'
            ".referenced_security_group_id": Of(
                'vpc_endpoints.aws_security_group.interface["secrets_manager"].id'
            ),
            'process.aws_vpc_security_group_egress_rule.this["Secrets Manager"]': NOTHING,
            f"{SECRETS_ENDPOINT}.vpc_endpoint_type": "Interface",
        },
        # Without endpoints the functions call the public address.
        "existing_network": {
            f"ingest.{LAMBDA}.environment.variables.SIGNATURE_HEADER": "X-Signature",
            f"ingest.{LAMBDA}.environment.variables.SIGNATURE_TOLERANCE_SECONDS": "300",
            'ingest.aws_vpc_security_group_egress_rule.this["Secrets Manager"]': NOTHING,
        },
    },
    "listener_rules_enabled": {
        "given": {f'{RULE}["https /orders"].action.type': "forward"},
        "without_endpoints": {RULE: NOTHING, f'{RULE}["http /lambda/api"]': NOTHING},
        "existing_network": {f'{RULE}["http /lambda/api"].action.type': "forward"},
    },
    "queue_max_message_bytes": {
        "given": {
            **each((QUEUE, DEAD_LETTER), "max_message_size", 131072),
            f"ingest.{LAMBDA}.environment.variables.MAX_MESSAGE_BYTES": "131072",
        }
    },
    "fair_queue_attribute": {
        "given": {f"ingest.{LAMBDA}.environment.variables.FAIR_QUEUE_ATTRIBUTE": "tenant"}
    },
    "order_version_attribute": {
        "given": both(
            f"{LAMBDA}.environment.variables.ORDER_VERSION",
            {"name": "revision", "type": "N", "kept_in": "order_version_N_revision"},
        ),
        "without_endpoints": both(
            f"{LAMBDA}.environment.variables.ORDER_VERSION",
            {"name": "updated_at", "type": "S", "kept_in": "order_version_S_updated_at"},
        ),
    },
    "order_hooks": {
        "hooks": {
            **both(f"{LAMBDA}.environment.variables.ORDER_HOOKS", "invalid"),
            **both(f"{LAMBDA}.environment.variables.ORDER_HOOKS_TIMEOUT_SECONDS", "2.5"),
            f"ingest.{LAMBDA}.environment.variables.READ_TIMEOUT_SECONDS": "1.75",
            f"process.{LAMBDA}.environment.variables.READ_TIMEOUT_SECONDS": "1.75",
            # (11 - 4.5 - 2.5) s for half of an invocation.
            f"ingest.{LAMBDA}.environment.variables.MAX_ORDERS": "414",
        },
        "defaults": {
            **both(f"{LAMBDA}.environment.variables.ORDER_HOOKS", None),
            **both(f"{LAMBDA}.environment.variables.ORDER_HOOKS_TIMEOUT_SECONDS", None),
        },
    },
    "table_stream_view_type": {
        "given": {f"{TABLE}.stream_enabled": True, f"{TABLE}.stream_view_type": "OLD_IMAGE"}
    },
}
