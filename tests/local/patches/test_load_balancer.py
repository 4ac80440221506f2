"""local/patches/load_balancer.py: how a load balancer calls a function."""

import base64
import json
from typing import Any

from local.emulator import Emulator
from tests.local.patches.checks import Checks, code_of
from tests.local.support import REPLAY, balance, deploy, permit

check = Checks("load_balancer")

(
    test_every_patch_has_a_check,
    test_the_check_passes_with_the_patch,
    test_the_check_fails_without_the_patch,
) = check.tests()


@check()
def load_balancer_needs_the_lambda_permission(emulator: Emulator) -> None:
    functions, elb = emulator.client("lambda"), emulator.client("elbv2")
    function_arn = deploy(emulator, "ingest", REPLAY)
    alias = {"FunctionName": "ingest", "Name": "live", "FunctionVersion": "$LATEST"}
    alias_arn = functions.create_alias(**alias)["AliasArn"]
    unqualified: dict[str, str] = {}
    qualified = {"Qualifier": "live"}
    other = balance(emulator, "other").target_group_arn

    for name, target, right, wrong in (
        ("unqualified", function_arn, unqualified, qualified),
        ("qualified", alias_arn, qualified, unqualified),
    ):
        balancer = balance(emulator, name)
        register = {"TargetGroupArn": balancer.target_group_arn, "Targets": [{"Id": target}]}
        assert code_of(elb.register_targets, **register) == "AccessDenied"

        permit(emulator, f"other-target-group-{name}", other, **right)
        permit(emulator, f"other-qualifier-{name}", balancer.target_group_arn, **wrong)
        assert code_of(elb.register_targets, **register) == "AccessDenied"

        permit(emulator, "right", balancer.target_group_arn, **right)
        elb.register_targets(**register)
        assert balancer.send().status == 200

        functions.remove_permission(FunctionName="ingest", StatementId="right", **right)
        assert balancer.send().status == 502


@check()
def load_balancer_limits_bodies_to_1_mb(emulator: Emulator) -> None:
    balancer = balance(emulator, "orders", REPLAY)
    plain = {"content-type": "text/plain"}

    assert balancer.send(body=b"x" * 1_048_577, headers=plain).status == 413
    # The request is accepted, but not the reply that contains it.
    assert balancer.send(body=b"x" * 1_048_576, headers=plain).status == 502
    assert balancer.send(body=b"x" * 1_000_000, headers=plain).status == 200


@check()
def load_balancer_refuses_malformed_replies(emulator: Emulator) -> None:
    balancer = balance(emulator, "orders", REPLAY)

    def status_of(reply: Any) -> int:
        return balancer.send("/reply", json.dumps(reply).encode()).status

    malformed: list[Any] = [
        None,
        "accepted",
        [],
        {"body": "no status"},
        {"statusCode": "200"},
        {"statusCode": 99},
        {"statusCode": 200, "body": {"not": "a string"}},
        {"statusCode": 200, "headers": {"x-count": 1}},
        {"statusCode": 200, "headers": ["x"]},
        {"statusCode": 200, "body": "not base64!", "isBase64Encoded": True},
    ]
    for reply in malformed:
        assert status_of(reply) == 502, reply
    assert status_of({"statusCode": 204}) == 204
    assert status_of({"statusCode": 200, "body": None, "headers": None}) == 200
    # The reply to any other invocation may be anything.
    event = json.dumps({"path": "/reply", "body": "[]", "requestContext": {"elb": {}}})
    direct = emulator.client("lambda").invoke(FunctionName="orders", Payload=event)
    assert json.load(direct["Payload"]) == []


@check()
def load_balancer_hides_errors_of_functions(emulator: Emulator) -> None:
    balancer = balance(emulator, "orders", "def handle(event, context): raise ValueError('secret')")

    answer = balancer.send()

    assert answer.status == 502
    assert answer.headers["content-type"] == "text/html"
    assert b"secret" not in answer.body


@check()
def load_balancer_encodes_bodies_by_content_type(emulator: Emulator) -> None:
    balancer = balance(emulator, "orders", REPLAY)

    def is_base64(content_type: str, **headers: str) -> bool:
        headers |= {"content-type": content_type}
        event = balancer.send(body='{"item": "☕"}'.encode(), headers=headers).json
        encoded = bool(event["isBase64Encoded"])
        body = base64.b64decode(event["body"]).decode() if encoded else event["body"]
        assert body == '{"item": "☕"}'
        return encoded

    assert not is_base64("application/json")
    assert not is_base64("Application/JSON; charset=utf-8")
    assert not is_base64("application/javascript")
    assert not is_base64("application/xml")
    assert not is_base64("text/csv")
    assert is_base64("application/problem+json")
    assert is_base64("application/x-www-form-urlencoded")
    assert is_base64("application/json", **{"content-encoding": "gzip"})
    assert is_base64("")
    assert balancer.send(method="GET").json["isBase64Encoded"] is False


@check()
def load_balancer_separates_the_multi_value_mode(emulator: Emulator) -> None:
    single = balance(emulator, "single", REPLAY)
    multi = balance(emulator, "multi", REPLAY, multi_value=True)
    in_single = json.dumps({"statusCode": 200, "headers": {"x-form": "single"}}).encode()
    in_multi = json.dumps({"statusCode": 200, "multiValueHeaders": {"x-form": ["multi"]}}).encode()

    event = single.send("/?a=1&a=2").json
    assert not {"multiValueHeaders", "multiValueQueryStringParameters"} & event.keys()
    assert event["queryStringParameters"] == {"a": "2"}
    assert single.send("/reply", in_single).headers["x-form"] == "single"
    assert "x-form" not in single.send("/reply", in_multi).headers

    event = multi.send("/?a=1&a=2").json
    assert not {"headers", "queryStringParameters"} & event.keys()
    assert event["multiValueQueryStringParameters"] == {"a": ["1", "2"]}
    assert event["multiValueHeaders"]["content-type"] == ["application/json"]
    assert multi.send("/reply", in_multi).headers["x-form"] == "multi"
    assert "x-form" not in multi.send("/reply", in_single).headers


@check()
def load_balancer_leaves_queries_encoded(emulator: Emulator) -> None:
    path = "/?item%20name=Kopi+Susu%21"

    single = balance(emulator, "single", REPLAY).send(path).json
    multi = balance(emulator, "multi", REPLAY, multi_value=True).send(path).json

    assert single["queryStringParameters"] == {"item%20name": "Kopi+Susu%21"}
    assert multi["multiValueQueryStringParameters"] == {"item%20name": ["Kopi+Susu%21"]}
