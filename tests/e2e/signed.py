"""A system whose orders are signed, have versions and pass hooks: all these options at once."""

import json
import os
import time
from pathlib import Path
from typing import Any

from local.emulator import HOST, ROOT, Emulator
from local.http_client import Answer, send
from local.stack import Stack
from local.terraform import Terraform
from shared.version import Version
from tests.support.signatures import SHOP, signature
from tests.support.stack import new_order

NAME = "signed"
VERSION = Version("updated_at", "S", "order_version_S_updated_at")
NOW = "2026-11-26T10:00:00Z"  # the version of an order for which any will do


def apply_signed(emulator: Emulator, work: Path) -> Stack:
    """Applies the system with its secret, which is under a customer's key."""
    key = {"deletion_window_in_days": 7}
    secret = {
        "name": "orders/clients",
        "kms_key_id": "${aws_kms_key.secret.arn}",
        "recovery_window_in_days": 0,
    }
    system = {
        "source": os.path.relpath(ROOT, work.resolve()),
        "name": NAME,
        "vpc": {"flow_logs_enabled": False},
        "deletion_protection_enabled": False,
        "request_signature": {"secret_arn": "${aws_secretsmanager_secret.clients.arn}"},
        "order_version_attribute": {"name": VERSION.name, "type": VERSION.type},
        "order_hooks": {"source_dir": str(ROOT / "examples" / "hooks" / "hooks")},
    }
    configuration = {
        "provider": {"aws": {}},
        "resource": {
            "aws_kms_key": {"secret": key},
            "aws_secretsmanager_secret": {"clients": secret},
            "aws_secretsmanager_secret_version": {
                "clients": {
                    "secret_id": "${aws_secretsmanager_secret.clients.id}",
                    "secret_string": json.dumps({"shop": SHOP}),
                }
            },
        },
        "module": {"signed": system},
        "output": {"signed": {"value": "${module.signed}"}},
    }
    (work / "main.tf.json").write_text(json.dumps(configuration))
    terraform = Terraform(work, work, emulator.environment())
    terraform.init()
    terraform.apply()
    return Stack(emulator, terraform, module="signed")


def new_version(**attributes: Any) -> dict[str, Any]:
    """Returns an order with a key that no other has, and a version."""
    return new_order(**{VERSION.name: NOW} | attributes)


def post(stack: Stack, body: str, value: str | None) -> Answer:
    """Posts a body with a signature, or without one."""
    headers = {"Content-Type": "application/json", "Host": f"{HOST}:80"}
    if value is not None:
        headers["X-Signature"] = value
    return send(stack.url, body.encode(), headers=headers, tls=stack.emulator.tls_context)


def post_signed(
    stack: Stack,
    order: dict[str, Any] | list[dict[str, Any]] | None = None,
    *,
    key_id: str = "shop",
    secret: str = SHOP,
) -> Answer:
    """Posts an order, by default a new one, or an array of orders with the client's signature."""
    body = json.dumps(order or new_version())
    return post(stack, body, signature(body, key_id=key_id, secret=secret, at=int(time.time())))
