"""How an Application Load Balancer calls a Lambda function.

Where a docstring names no other document, AWS describes it in "Use Lambda functions as targets of
an Application Load Balancer", User Guide for Application Load Balancers.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

from local.patches import around, internal, patch

MAX_BODY_BYTES = 1024 * 1024
PLAIN_TYPES = ("application/json", "application/javascript", "application/xml")

JsonObject = dict[str, Any]
Response = tuple[int, dict[str, Any], bytes]


@dataclass(frozen=True)
class Request:
    """The request that a load balancer is about to pass to the function of a target group."""

    function_arn: str
    target_group_arn: str
    body: bytes
    query: dict[str, list[str]]
    raw_query: str | None


@patch
def load_balancer_needs_the_lambda_permission() -> None:
    """AWS: the policy of the function must let the load balancer invoke it for this target group.

    If the target is an alias, the policy of the alias. Without it the target cannot be registered
    (AccessDenied), and once it is revoked every request is answered 502; the latter from
    "Troubleshoot your Application Load Balancers". The emulator invokes whatever is registered.
    """
    evaluate = internal("core.iam_evaluator", "evaluate_resource_policy")
    context = internal("core.iam_evaluator", "EvalContext")
    functions = internal("services.lambda_svc", "_functions")
    name_of = internal("services.lambda_svc", "_lambda_function_name_and_qualifier_from_arn")
    parameter = internal("services.alb", "_p")
    parse_targets = internal("services.alb", "_parse_targets_param")
    target_groups = internal("services.alb", "_tgs")
    error = internal("services.alb", "_error")

    def may_invoke(target_group_arn: str, function_arn: str) -> bool:
        _, _, _, region, account, _ = target_group_arn.split(":", 5)
        function = functions.get_scoped(account, region, name_of(function_arn)[0]) or {}
        invocation = context(
            principal_arn="",
            principal_type="Service",
            principal_account=account,
            action="lambda:InvokeFunction",
            resource_arn=function_arn,
            region=region,
            service_context={"aws:sourcearn": target_group_arn, "aws:sourceaccount": account},
        )
        load_balancer = "elasticloadbalancing.amazonaws.com"
        decision = evaluate(function.get("policy"), invocation, load_balancer).decision
        return bool(decision == "Allow")

    @around("services.alb", "_ACTION_MAP[RegisterTargets]")
    def register_targets(original: Any, params: Any) -> Any:
        target_group_arn = parameter(params, "TargetGroupArn")
        if target_groups.get(target_group_arn, {}).get("TargetType") == "lambda":
            for target in parse_targets(params):
                if not may_invoke(target_group_arn, target["Id"]):
                    message = (
                        "elasticloadbalancing principal does not have permission to invoke "
                        f"{target['Id']} from target group {target_group_arn}"
                    )
                    return error("AccessDenied", message, 403)
        return original(params)

    def check(request: Request) -> Request | Response:
        if may_invoke(request.target_group_arn, request.function_arn):
            return request
        return _error_page(502, "Bad Gateway")

    _around_request(check)


@patch
def load_balancer_limits_bodies_to_1_mb() -> None:
    """AWS: a request body above 1 MB is answered 413; a reply whose JSON is above 1 MB, 502.

    The function is not invoked for such a request. The emulator accepts any size in both
    directions.
    """

    def check_request(request: Request) -> Request | Response:
        if len(request.body) <= MAX_BODY_BYTES:
            return request
        return _error_page(413, "Request Entity Too Large")

    def check_reply(_target_group_arn: str, reply: Any) -> Any:
        if len(json.dumps(reply)) > MAX_BODY_BYTES:
            raise MalformedReplyError("the reply is above 1 MB")
        return reply

    _around_request(check_request)
    _around_invocation(change_reply=check_reply)


@patch
def load_balancer_refuses_malformed_replies() -> None:
    """AWS: a malformed reply of a function is answered 502.

    A reply is an object with a number as statusCode, headers of strings, and a string as body, in
    base64 if it says so. Also in "Troubleshoot your Application Load Balancers". The emulator turns
    whatever it does not understand into 200.
    """
    _around_invocation(change_reply=_check_form)


def _check_form(_target_group_arn: str, reply: Any) -> Any:
    def is_object(value: Any, is_right: Callable[[Any], bool]) -> bool:
        return value is None or (isinstance(value, dict) and all(map(is_right, value.values())))

    def is_string(value: Any) -> bool:
        return isinstance(value, str)

    def are_strings(values: Any) -> bool:
        return isinstance(values, list) and all(map(is_string, values))

    if not isinstance(reply, dict):
        raise MalformedReplyError("the reply is not an object")
    status, body = reply.get("statusCode"), reply.get("body")
    if not isinstance(status, int) or not 100 <= status <= 599:
        raise MalformedReplyError("statusCode is not a number from 100 to 599")
    if not is_object(reply.get("headers"), is_string):
        raise MalformedReplyError("headers is not an object of strings")
    if not is_object(reply.get("multiValueHeaders"), are_strings):
        raise MalformedReplyError("multiValueHeaders is not an object of lists of strings")
    if not isinstance(body, str | None):
        raise MalformedReplyError("body is not a string")
    if reply.get("isBase64Encoded"):
        try:
            base64.b64decode(body or "", validate=True)
        except (binascii.Error, ValueError):
            raise MalformedReplyError("body is not in base64") from None
    return reply


@patch
def load_balancer_hides_errors_of_functions() -> None:
    """AWS: when a function fails, the client gets 502 with the load balancer's own page.

    "Troubleshoot your Application Load Balancers", User Guide for Application Load Balancers. The
    emulator puts the function's error message into the answer.
    """

    def own_page(serving: Serving, answer: Response) -> Response:
        return _error_page(502, "Bad Gateway") if serving.has_failed else answer

    _around_request(change_answer=own_page)
    _around_invocation()


@patch
def load_balancer_encodes_bodies_by_content_type() -> None:
    """AWS: the body is in base64, except for text/* and JSON, JavaScript and XML.

    Those are application/json, application/javascript and application/xml. It is also in base64 if
    there is no content type, or if there is a Content-Encoding. The emulator uses base64 only for
    bodies that are not UTF-8.
    """

    def encode(_target_group_arn: str, event: JsonObject) -> JsonObject:
        body = event["body"]
        if not body:
            return event
        content = base64.b64decode(body) if event["isBase64Encoded"] else body.encode()
        content_type = _header(event, "content-type").partition(";")[0].strip().lower()
        is_plain = content_type.startswith("text/") or content_type in PLAIN_TYPES
        if is_plain and not _header(event, "content-encoding"):
            return event | {"body": content.decode(errors="replace"), "isBase64Encoded": False}
        return event | {"body": base64.b64encode(content).decode(), "isBase64Encoded": True}

    _around_invocation(change_event=encode)


@patch
def load_balancer_separates_the_multi_value_mode() -> None:
    """AWS: events and replies have either single-value or multi-value members, never both.

    With lambda.multi_value_headers.enabled, the event has multiValueHeaders and
    multiValueQueryStringParameters instead of their single-value forms, and only multiValueHeaders
    of the reply count; without it, vice versa. The emulator sends both forms in the multi-value
    mode, and always accepts both.
    """
    attributes = internal("services.alb", "_tg_attrs")

    def is_multi_value(target_group_arn: str) -> bool:
        on = {"Key": "lambda.multi_value_headers.enabled", "Value": "true"}
        return any(on.items() <= one.items() for one in attributes.get(target_group_arn, []))

    def keep_one_form(target_group_arn: str, event: JsonObject) -> JsonObject:
        if not is_multi_value(target_group_arn):
            return event
        single_value = ("headers", "queryStringParameters")
        return {key: value for key, value in event.items() if key not in single_value}

    def take_one_form(target_group_arn: str, reply: Any) -> Any:
        if not isinstance(reply, dict):
            return reply
        ignored = "headers" if is_multi_value(target_group_arn) else "multiValueHeaders"
        return {key: value for key, value in reply.items() if key != ignored}

    _around_invocation(change_event=keep_one_form, change_reply=take_one_form)


@patch
def load_balancer_leaves_queries_encoded() -> None:
    """AWS: the load balancer does not decode the query; it arrives as the client has sent it.

    The emulator decodes names and values in the multi-value mode.
    """

    def leave_encoded(request: Request) -> Request:
        if request.raw_query is None:
            return request
        query: dict[str, list[str]] = {}
        for pair in filter(None, request.raw_query.split("&")):
            name, _, value = pair.partition("=")
            query.setdefault(name, []).append(value)
        return replace(request, query=query)

    _around_request(leave_encoded)


class MalformedReplyError(ValueError):
    """The load balancer cannot turn the function's reply into an answer."""


@dataclass
class Serving:
    """The request of a load balancer for which a function is being invoked."""

    target_group_arn: str
    has_failed: bool = False


_serving: ContextVar[Serving | None] = ContextVar("serving", default=None)


def _around_request(
    change_request: Callable[[Request], Request | Response] = lambda request: request,
    change_answer: Callable[[Serving, Response], Response] = lambda _, answer: answer,
) -> None:
    """Changes what is passed to a function, answers in its place, or changes the answer."""

    @around("services.alb", "_invoke_lambda_target")
    async def invoke(  # noqa: PLR0917 - as the emulator has it
        original: Any,
        function_ref: str,
        tg_arn: str,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes | None,
        query_params: dict[str, list[str]],
        raw_query_string: str | None = None,
    ) -> Response:
        request = change_request(
            Request(function_ref, tg_arn, body or b"", query_params, raw_query_string)
        )
        if not isinstance(request, Request):
            return request
        serving = _serving.get() or Serving(tg_arn)
        token = _serving.set(serving)
        try:
            answer = await original(
                request.function_arn,
                request.target_group_arn,
                method,
                path,
                headers,
                request.body,
                request.query,
                request.raw_query,
            )
        finally:
            _serving.reset(token)
        return change_answer(serving, answer)


def _around_invocation(
    change_event: Callable[[str, JsonObject], JsonObject] = lambda _, event: event,
    change_reply: Callable[[str, Any], Any] = lambda _, reply: reply,
) -> None:
    """Changes the event that a load balancer sends, or the function's reply.

    Both get the ARN of the target group first. MalformedReplyError turns the reply into 502.
    """
    _around_request()  # so that _serving is set

    @around("services.lambda_svc", "_execute_function_with_config_scope")
    def execute(original: Any, func: JsonObject, event: Any) -> JsonObject:
        serving = _serving.get()
        if serving is None:
            untouched: JsonObject = original(func, event)
            return untouched
        result: JsonObject = original(func, change_event(serving.target_group_arn, event))
        if result.get("error"):
            serving.has_failed = True
            return result
        try:
            return result | {"body": change_reply(serving.target_group_arn, result.get("body"))}
        except MalformedReplyError as fault:
            serving.has_failed = True
            body = {"errorType": "MalformedReply", "errorMessage": str(fault)}
            return result | {"error": True, "body": body}


def _header(event: JsonObject, name: str) -> str:
    """Returns a header of the event in whichever form it has, or an empty string."""
    if "headers" in event:
        return str(event["headers"].get(name, ""))
    return str(event["multiValueHeaders"].get(name, [""])[-1])


def _error_page(status: int, reason: str) -> Response:
    """Returns the load balancer's own answer."""
    title = f"{status} {reason}"
    page = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
    return status, {"Content-Type": "text/html"}, page.encode()
