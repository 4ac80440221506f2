"""Signed requests on the applied system: IAM enforced, a customer's key, an endpoint of its own."""

import contextlib
import json
import os
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest import keyring
from local.emulator import HOST, ROOT
from local.stack import Stack
from local.terraform import by_short_address
from local.waiting import eventually
from tests.e2e.policies import role_without
from tests.e2e.signed import NAME, NOW, VERSION, new_version, post, post_signed
from tests.support import ops
from tests.support.signatures import OLD_TILL, SHOP, TILL, signature
from tools import markup

pytestmark = pytest.mark.stack

INGEST = f"{NAME}-ingest"
TIMEOUT_SECONDS = 10  # the default of ingest_timeout_seconds
SNIPPETS = {
    language: markup.blocks((ROOT / "docs/clients.md").read_text(), language)[-1]
    for language in ("bash", "python")
}


@contextlib.contextmanager
def new_environments(stack: Stack) -> Iterator[None]:
    """Environments without secrets: those of the alias keep what they have fetched."""
    alias = {"FunctionName": INGEST, "Name": "live"}
    version = stack.lambda_.get_alias(**alias)["FunctionVersion"]
    # Ends the environments of $LATEST.
    stack.lambda_.update_function_configuration(FunctionName=INGEST, Timeout=TIMEOUT_SECONDS)
    stack.lambda_.get_waiter("function_updated_v2").wait(FunctionName=INGEST)
    stack.lambda_.update_alias(**alias, FunctionVersion="$LATEST")
    try:
        yield
    finally:
        stack.lambda_.update_alias(**alias, FunctionVersion=version)


def test_doctor_signs_its_order(signing: Stack, tmp_path: Path) -> None:
    address = ("--url", signing.url, "--header", f"Host: {HOST}:80")
    ours = ("doctor", "--name", NAME, *address, "--attribute", "qty=1")  # the hook demands it
    environment = ops.environment_of(signing.emulator, tmp_path)

    def found(*arguments: str) -> set[tuple[str, str]]:
        result = ops.run(
            signing.emulator,
            tmp_path,
            *(*ours, *arguments, "--json"),
            environment=environment | {"ASYNC_INGEST_SECRET": SHOP},
        )
        return {(one["hop"], one["state"]) for one in json.loads(result.stdout)["findings"]}

    assert ("the whole path", "ok") in found("--sign", "shop")
    assert ("ingest function", "unknown") in found("--sign", "till")


def test_only_signed_orders_reach_the_table(signing: Stack) -> None:
    order = new_version()
    body = json.dumps(order)
    good = signature(body, key_id="shop", secret=SHOP, at=int(time.time()))

    refused = [
        post(signing, body, None),
        post(signing, body, good[:-1]),
        post(signing, body + " ", good),
        post(signing, body, signature(body, key_id="shop", secret=TILL, at=int(time.time()))),
        post(signing, body, signature(body, key_id="shop", secret=SHOP, at=int(time.time()) - 301)),
    ]

    assert {one.status for one in refused} == {401}
    assert {one.headers["WWW-Authenticate"] for one in refused} == {
        'HMAC-SHA256 header="X-Signature"'
    }
    assert len({one.body for one in refused}) == 1
    assert signing.queued() == 0
    assert signing.row(order) is None

    assert post(signing, body, good).status == 202
    signing.wait_for_row(order)


HOSTILE = [
    "",
    "t=1,kid=shop",
    "t=1,kid=" + "k" * 10_000 + ",v1=" + "0" * 64,
    "t=" + "9" * 5_000 + ",kid=shop,v1=" + "0" * 64,
    "t=1,kid=shop,v1=" + "\u00e9" * 64,
    ",".join(["t=1,kid=shop,v1=" + "0" * 64] * 100),
    "<script>alert(1)</script>",
]


@pytest.mark.parametrize("value", HOSTILE, ids=lambda one: one[:30])
def test_hostile_signatures_are_refused_alike(signing: Stack, value: str) -> None:
    start = time.time()
    answer = post(signing, json.dumps(new_version()), value)

    assert answer.status == 401
    assert answer.json["type"] == "urn:async-ingest:problem:unauthorized"
    log = "".join(signing.log_lines(INGEST, start - 1))
    assert "script" not in log
    assert "Unexpected" not in log


def test_the_snippets_of_the_documentation_work(signing: Stack) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "SECRET": SHOP,
        "KEY_ID": "shop",
        "ENDPOINT_URL": signing.url,
        "CURL_CA_BUNDLE": str(signing.emulator.ca_bundle),
    }
    script = SNIPPETS["bash"].replace('"qty":2', f'"qty":2,"{VERSION.name}":"{NOW}"')
    said = subprocess.check_output(
        ["bash", "-euo", "pipefail", "-c", script], env=environment, text=True
    )
    assert " 202" in said.splitlines()[0]

    namespace: dict[str, Any] = {}
    exec(SNIPPETS["python"], namespace)  # noqa: S102 - our own document
    order = new_version()
    request = namespace["signed"](signing.url, order, "shop", SHOP)
    context = ssl.create_default_context(cafile=signing.emulator.ca_bundle)
    with urllib.request.urlopen(request, context=context) as answer:
        assert answer.status == 202
    signing.wait_for_row(order)


# What the order's version is, and the number that is kept of it; None if ingest refuses it.
VERSIONS: dict[str, tuple[Any, str | None]] = {
    "year 1": ("0001-01-01T00:00:00Z", "-62135596800000000000"),
    "year 9999": ("9999-12-31T23:59:59.999999999Z", "253402300799999999999"),
    "epoch": ("1970-01-01T00:00Z", "0"),
    "year 0": ("0000-01-01T00:00:00Z", None),
    "year 10000": ("10000-01-01T00:00:00Z", None),
    "leap second": ("2016-12-31T23:59:60Z", None),
    "ten digits": ("2026-11-26T10:00:00.1234567890Z", None),
    "offset": ("2026-11-26T10:00:00+01:00", None),
    "number": (1, None),
    "huge number": (10**38 + 1, None),
    "object": ({"S": NOW}, None),
    "null": (None, None),
    "10 kB": ("2" * 10_000, None),
}


@pytest.mark.parametrize(("version", "kept"), VERSIONS.values(), ids=VERSIONS)
def test_a_version_is_kept_as_a_number_or_refused(
    signing: Stack, version: Any, kept: str | None
) -> None:
    order = new_version(**{VERSION.name: version})
    answer = post_signed(signing, order)

    if kept is None:
        assert answer.status == 400
        assert {error["attribute"] for error in answer.json["errors"]} == {VERSION.name}
    else:
        assert answer.status == 202
        row = signing.wait_for_row(order)
        assert (row[VERSION.name], row[VERSION.kept_in]) == ({"S": version}, {"N": kept})


def test_nobody_sends_the_number_that_is_kept(signing: Stack) -> None:
    answer = post_signed(signing, new_version(**{VERSION.kept_in: 1}))

    assert answer.status == 400
    assert [error["attribute"] for error in answer.json["errors"]] == [VERSION.kept_in]


def test_a_replayed_request_changes_nothing(signing: Stack) -> None:
    """Whoever has seen it may send it again; a newer order stays, and so does the same one."""
    order = new_version()
    body = json.dumps(order)
    seen = signature(body, key_id="shop", secret=SHOP, at=int(time.time()))
    newer = order | {VERSION.name: "2026-11-26T10:00:00.000000001Z", "qty": 3}

    assert post(signing, body, seen).status == 202
    first = signing.wait_for_row(order)
    assert post(signing, body, seen).status == 202
    signing.wait_for_empty_queue()
    assert signing.row(order) == first
    assert post_signed(signing, newer).status == 202
    signing.wait_for_empty_queue()
    assert post(signing, body, seen).status == 202
    signing.wait_for_empty_queue()
    assert signing.wait_for_row(order)["qty"] == {"N": "3"}


@pytest.mark.parametrize("sid", ["ReadSecret", "DecryptSecret"])
def test_without_a_permission_for_the_secret_nobody_is_let_in(signing: Stack, sid: str) -> None:
    with new_environments(signing):
        with role_without(signing, INGEST, sid):
            start = time.time()
            answer = post_signed(signing)
            forged = post_signed(signing, secret=TILL)

            assert (answer.status, forged.status) == (503, 503)
            assert answer.headers["Retry-After"]
            log = "".join(signing.log_lines(INGEST, start - 1))
            assert "The secret cannot be fetched" in log
            assert SHOP not in log
        assert eventually(lambda: post_signed(signing).status == 202, "the permission")


def test_environments_with_secrets_outlive_an_outage(signing: Stack) -> None:
    assert post_signed(signing).status == 202
    with role_without(signing, INGEST, "ReadSecret"):
        assert post_signed(signing).status == 202
        assert post_signed(signing, secret=TILL).status == 401


def test_nothing_else_can_be_read_through_the_endpoint(signing: Stack) -> None:
    resources = by_short_address(signing.terraform.resources())
    policy = json.loads(
        resources['signed.vpc_endpoints.aws_vpc_endpoint_policy.interface["secrets_manager"]'][
            "policy"
        ]
    )
    [statement] = policy["Statement"]

    secret = resources["aws_secretsmanager_secret.clients"]["arn"]
    assert statement["Resource"] == secret
    assert statement["Action"] == "secretsmanager:GetSecretValue"
    role = resources["signed.ingest.aws_iam_role_policy.this"]["policy"]
    assert [
        one["Resource"] for one in json.loads(role)["Statement"] if one["Sid"] == "ReadSecret"
    ] == [secret]


def test_no_secret_is_in_the_environment(signing: Stack) -> None:
    configuration = signing.lambda_.get_function_configuration(FunctionName=INGEST)

    assert "SIGNATURE_SECRET_ARN" in configuration["Environment"]["Variables"]
    assert SHOP not in json.dumps(configuration, default=str)


def test_clients_notice_no_rotation(signing: Stack) -> None:
    """In the middle of traffic: the former secret holds, the new one after a minute at the most."""
    manager = signing.emulator.client("secretsmanager")
    assert post_signed(signing).status == 202
    new = {"shop": TILL, "till": OLD_TILL}
    manager.put_secret_value(SecretId="orders/clients", SecretString=json.dumps(new))

    statuses = set()

    def is_known() -> bool:
        statuses.add(post_signed(signing).status)
        return post_signed(signing, secret=TILL).status == 202

    eventually(is_known, "the new secret", keyring.EARLY_SECONDS + 30)
    assert statuses == {202}
    assert post_signed(signing, key_id="till", secret=OLD_TILL).status == 202
    assert post_signed(signing).status == 202

    manager.put_secret_value(SecretId="orders/clients", SecretString="oops")
    assert post_signed(signing, key_id="till", secret=OLD_TILL).status == 202
    with new_environments(signing):
        assert post_signed(signing, key_id="till", secret=OLD_TILL).status == 503


def test_the_second_plan_is_empty(signing: Stack) -> None:
    manager = signing.emulator.client("secretsmanager")
    manager.put_secret_value(SecretId="orders/clients", SecretString=json.dumps({"shop": SHOP}))

    changed = signing.terraform.planned_actions()

    assert [address for address in changed if address.startswith("module.signed")] == []


def test_it_can_be_destroyed(signing: Stack) -> None:
    signing.terraform.destroy()

    assert signing.terraform.addresses() == []
