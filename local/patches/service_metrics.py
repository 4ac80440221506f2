"""The metrics that AWS's services publish, as far as this system can be watched by them.

Their names and dimensions are AWS's. As there, a metric without traffic has no data rather than
zeros, except for queues.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from local.cloudwatch.series import Metric
from local.patches import around, internal, patch
from local.patches.metrics import clock, each_minute, store

JsonObject = dict[str, Any]
Response = tuple[int, dict[str, str], bytes]

QUEUE_IS_ACTIVE_SECONDS = 6 * 3600
RECEIVES_LEFT_OUT_OF_AGE = 3

_resource: ContextVar[str] = ContextVar("resource", default="")


def publish(
    namespace: str,
    dimensions: Sequence[Mapping[str, str]],
    values: Mapping[str, float],
    unit: str = "Count",
) -> None:
    """Publishes values by the names of their metrics, now, under each set of dimensions."""
    now = clock.now()
    for names in dimensions:
        for name, value in values.items():
            store.add(Metric.of(namespace, name, names), value, now, unit)


@patch
def functions_have_their_metrics() -> None:
    """AWS: each invocation, however it is made, counts by function, by alias and in all.

    "Types of metrics for Lambda functions" and "Viewing metrics for Lambda functions", AWS Lambda
    Developer Guide: Invocations, Errors, Throttles, Duration and ConcurrentExecutions, with the
    dimensions FunctionName, FunctionName and Resource, or none. The emulator leaves out those by a
    queue, concurrency, and the other dimensions.
    """
    in_flight = internal("services.lambda_svc", "_inflight")

    def sets(config: JsonObject) -> list[dict[str, str]]:
        name = config.get("FunctionName", "unknown")
        return [
            {"FunctionName": name},
            {"FunctionName": name, "Resource": _resource.get() or name},
            {},
        ]

    @around("services.lambda_svc", "_emit_lambda_metrics")
    def emit(_: Any, function_name: str, duration_ms: float, error: bool, throttle: bool) -> None:
        del function_name, duration_ms, error, throttle  # counted below, of every invocation

    @around("services.lambda_svc", "_acquire_execution_slot")
    def acquire(original: Any, func: JsonObject, config: JsonObject) -> tuple[Any, Any]:
        slot, limit = original(func, config)
        if slot is None:
            publish("AWS/Lambda", sets(config), {"Throttles": 1})
        else:
            of_function = [{"FunctionName": config.get("FunctionName", "unknown")}]
            now = {"ConcurrentExecutions": in_flight.get(slot, 0)}
            publish("AWS/Lambda", of_function, now)
            in_all = {"ConcurrentExecutions": sum(list(in_flight.values()))}
            publish("AWS/Lambda", [{}], in_all)
        return slot, limit

    @around("services.lambda_svc", "_execute_function_dispatch")
    def execute(  # noqa: PLR0917 - as the emulator has it
        original: Any,
        func: JsonObject,
        config: JsonObject,
        event: Any,
        request_id: str,
        started: float,
    ) -> JsonObject:
        result: JsonObject = original(func, config, event, request_id, started)
        failed = int(bool(result.get("error")))
        counts = {"Invocations": 1, "Errors": failed, "Throttles": 0}
        publish("AWS/Lambda", sets(config), counts)
        milliseconds = 1000 * (time.time() - started)
        publish("AWS/Lambda", sets(config), {"Duration": milliseconds}, "Milliseconds")
        return result

    @contextmanager
    def invoked_as(arn: str) -> Iterator[None]:
        token = _resource.set(arn.partition(":function:")[2])
        try:
            yield
        finally:
            _resource.reset(token)

    @around("services.lambda_svc", "_run_sqs_batch")
    def run(  # noqa: PLR0917 - as the emulator has it
        original: Any,
        esm: JsonObject,
        func_rec: JsonObject,
        event: JsonObject,
        batch: list[JsonObject],
        queue_url: str,
        queue_name: str,
    ) -> None:
        with invoked_as(esm["FunctionArn"]):
            original(esm, func_rec, event, batch, queue_url, queue_name)

    @around("services.alb", "_invoke_lambda_target")
    async def invoke(  # noqa: PLR0917 - as the emulator has it
        original: Any,
        function_ref: str,
        tg_arn: str,
        method: str,
        path: str,
        headers: Any,
        body: Any,
        query_params: Any,
        raw_query_string: Any = None,
    ) -> Response:
        with invoked_as(function_ref):
            rest = (method, path, headers, body, query_params, raw_query_string)
            return await original(function_ref, tg_arn, *rest)  # type: ignore[no-any-return]


@patch
def mappings_have_their_metrics() -> None:
    """AWS: an event source mapping counts events, if its MetricsConfig asks for them.

    "Event source mapping metrics" in "Types of metrics for Lambda functions", AWS Lambda Developer
    Guide: PolledEventCount, InvokedEventCount, FailedInvokeEventCount and DeletedEventCount, by
    EventSourceMappingUUID. The emulator has none.
    """

    @around("services.lambda_svc", "_run_sqs_batch")
    def run(  # noqa: PLR0917 - as the emulator has it
        original: Any,
        esm: JsonObject,
        func_rec: JsonObject,
        event: JsonObject,
        batch: list[JsonObject],
        queue_url: str,
        queue_name: str,
    ) -> None:
        original(esm, func_rec, event, batch, queue_url, queue_name)
        if "EventCount" not in (esm.get("MetricsConfig") or {}).get("Metrics", []):
            return
        result = esm["LastProcessingResult"]  # "OK - 8 records, 2 partial failures" or "FAILED"
        words = result.split()
        deleted = int(words[2]) if result.startswith("OK - ") else 0
        publish(
            "AWS/Lambda",
            [{"EventSourceMappingUUID": esm["UUID"]}],
            {
                "PolledEventCount": len(batch),
                "InvokedEventCount": len(batch),
                "FailedInvokeEventCount": len(batch) - deleted,
                "DeletedEventCount": deleted,
            },
        )


@patch
def queues_have_their_metrics() -> None:
    """AWS: an active queue publishes its gauges and counts each minute, zeros included.

    "Available CloudWatch metrics for Amazon SQS", Amazon SQS Developer Guide. It is active for six
    hours after it had messages or a call. The age leaves out messages received three times or more,
    and counts from the move in a dead-letter queue. A redrive policy's moves are not counted as
    sent. The emulator has none.
    """
    queues = internal("services.sqs", "_queues")
    lock = internal("services.sqs", "_queues_lock")
    active: dict[str, float] = {}

    def count(url: str, metric: str, number: int) -> None:
        name = url.rstrip("/").rpartition("/")[2]
        active[name] = clock.now()
        if number:
            publish("AWS/SQS", [{"QueueName": name}], {metric: number})

    def counted(action: str, metric: str, number: Callable[[JsonObject], int]) -> None:
        @around("services.sqs", f"_HANDLERS[{action}]")
        def call(original: Any, data: JsonObject, qurl: str) -> JsonObject:
            answer: JsonObject = original(data, qurl)
            count(data.get("QueueUrl", qurl), metric, number(answer))
            return answer

    counted("SendMessage", "NumberOfMessagesSent", lambda _: 1)
    counted("SendMessageBatch", "NumberOfMessagesSent", lambda a: len(a.get("Successful", [])))
    counted("DeleteMessage", "NumberOfMessagesDeleted", lambda _: 1)
    counted("DeleteMessageBatch", "NumberOfMessagesDeleted", lambda a: len(a.get("Successful", [])))

    @around("services.sqs", "_HANDLERS[ReceiveMessage]")
    async def receive(original: Any, data: JsonObject, qurl: str) -> JsonObject:
        answer: JsonObject = await original(data, qurl)
        number = len(answer.get("Messages", []))
        count(data.get("QueueUrl", qurl), "NumberOfMessagesReceived", number)
        return answer

    @around("services.sqs", "_receive_messages_for_esm")
    def receive_for_mapping(original: Any, queue_url: str, max_number: int) -> list[JsonObject]:
        messages: list[JsonObject] = original(queue_url, max_number)
        count(queue_url, "NumberOfMessagesReceived", len(messages))
        return messages

    @around("services.sqs", "_delete_messages_for_esm")
    def delete(original: Any, queue_url: str, receipt_handles: set[str]) -> None:
        original(queue_url, receipt_handles)
        count(queue_url, "NumberOfMessagesDeleted", len(receipt_handles))

    def sample(minute: float) -> None:
        with lock:
            found = {queue["name"]: list(queue["messages"]) for queue in queues.values()}
        for name in active.keys() - found.keys():
            del active[name]
        for name, messages in found.items():
            if messages or name not in active:
                active[name] = minute
            if minute - active[name] > QUEUE_IS_ACTIVE_SECONDS:
                continue
            at, now = minute - 1, time.time()
            hidden = [one for one in messages if one["visible_at"] > now]
            delayed = sum(not one["receive_count"] for one in hidden)
            values = {
                "ApproximateNumberOfMessagesVisible": len(messages) - len(hidden),
                "ApproximateNumberOfMessagesNotVisible": len(hidden) - delayed,
                "ApproximateNumberOfMessagesDelayed": delayed,
                "NumberOfMessagesSent": 0,
                "NumberOfMessagesReceived": 0,
                "NumberOfMessagesDeleted": 0,
            }
            queue = {"QueueName": name}
            for metric, value in values.items():
                store.add(Metric.of("AWS/SQS", metric, queue), value, at, "Count")
            age = Metric.of("AWS/SQS", "ApproximateAgeOfOldestMessage", queue)
            store.add(age, _age_of_oldest(messages, minute), at, "Seconds")

    each_minute.append(sample)

    @around("services.sqs", "reset")
    def reset(original: Any) -> None:
        original()
        active.clear()


def _age_of_oldest(messages: list[JsonObject], minute: float) -> float:
    ages = [0.0]
    for message in messages:
        if message["sys"].get("DeadLetterQueueSourceArn"):
            # The emulator does not keep when it was moved; until it is received, it shows.
            moved_at, receives = message.setdefault(
                "seen_in_dead_letter_queue",
                (min(message["visible_at"], time.time()), message["receive_count"]),
            )
        else:
            moved_at, receives = message["sent_at"], 0
        if message["receive_count"] - receives < RECEIVES_LEFT_OUT_OF_AGE:
            ages.append(minute - clock.of(moved_at))
    return max(ages)


@dataclass
class _Request:
    was_invoked: bool = False
    has_failed: bool = False


@patch
def load_balancers_have_their_metrics() -> None:
    """AWS: a load balancer counts requests and answers, its own and its targets'.

    "CloudWatch metrics for your Application Load Balancer", User Guide for Application Load
    Balancers: RequestCount, HTTPCode_ELB_NXX_Count, HTTPCode_Target_NXX_Count, TargetResponseTime,
    LambdaUserError and LambdaInternalError, by LoadBalancer and TargetGroup. A count that would be
    zero is absent. (Not modelled: AvailabilityZone, fixed responses and redirects, connections.)
    The emulator has none.
    """
    balancer_arn: ContextVar[str] = ContextVar("balancer_arn", default="")
    serving: ContextVar[_Request | None] = ContextVar("request_of_load_balancer", default=None)

    @around("services.lambda_svc", "_execute_function_with_config_scope")
    def execute(original: Any, func: JsonObject, event: Any) -> JsonObject:
        result: JsonObject = original(func, event)
        if request := serving.get():
            request.was_invoked = not result.get("throttle")
            request.has_failed = bool(result.get("error"))
        return result

    @around("services.alb", "_invoke_lambda_target")
    async def invoke(  # noqa: PLR0917 - as the emulator has it
        original: Any,
        function_ref: str,
        tg_arn: str,
        method: str,
        path: str,
        headers: Any,
        body: Any,
        query_params: Any,
        raw_query_string: Any = None,
    ) -> Response:
        request, started = _Request(), time.monotonic()
        token = serving.set(request)
        try:
            rest = (method, path, headers, body, query_params, raw_query_string)
            answer: Response = await original(function_ref, tg_arn, *rest)
        finally:
            serving.reset(token)
        seconds = time.monotonic() - started
        target = {"TargetGroup": tg_arn.rpartition(":")[2]}
        balancer = {"LoadBalancer": balancer_arn.get().partition(":loadbalancer/")[2]}
        sets = [balancer, balancer | target]
        publish("AWS/ApplicationELB", sets, {"RequestCount": 1})
        _count_answer(request, answer[0], balancer, target)
        if request.was_invoked:
            publish("AWS/ApplicationELB", sets, {"TargetResponseTime": seconds}, "Seconds")
        return answer

    @around("services.alb", "dispatch_request")
    async def dispatch(  # noqa: PLR0917 - as the emulator has it
        original: Any,
        lb: JsonObject,
        method: str,
        path: str,
        headers: Any,
        body: Any,
        query_params: Any,
        port: int = 80,
        client_ip: Any = None,
        raw_query_string: Any = None,
        raw_path: Any = None,
    ) -> Response:
        token = balancer_arn.set(lb["LoadBalancerArn"])
        try:
            rest = (method, path, headers, body, query_params, port, client_ip)
            return await original(lb, *rest, raw_query_string, raw_path)  # type: ignore[no-any-return]
        finally:
            balancer_arn.reset(token)


def _count_answer(
    request: _Request, status: int, balancer: Mapping[str, str], target: Mapping[str, str]
) -> None:
    both = {**balancer, **target}
    family = f"{status // 100}XX_Count"
    if request.was_invoked and not request.has_failed:
        publish("AWS/ApplicationELB", [balancer, both], {f"HTTPCode_Target_{family}": 1})
        return
    publish("AWS/ApplicationELB", [balancer], {f"HTTPCode_ELB_{family}": 1})
    if status >= 500:
        kind = "LambdaUserError" if request.was_invoked else "LambdaInternalError"
        publish("AWS/ApplicationELB", [target, both], {kind: 1})
