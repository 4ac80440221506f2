"""``accept`` in ingest: its order is the one sent, and its refusals are answered as ours."""

import json
import logging
from typing import Any

import pytest

from ingest import handler
from local.events import REQUEST_ID, TRACE_ID, Context, request
from shared import orders, telemetry
from tests.support.fakes import FakeSqs, error
from tests.support.hooks import Hooks
from tests.support.ingest import ORDER, post
from tests.support.runtime import invoke

pytestmark = pytest.mark.usefixtures("quick_calls")

IMPORT = "from async_ingest_hooks import Refused\n"


def sent(sqs: FakeSqs) -> Any:
    (message,) = sqs.sent
    return json.loads(message["MessageBody"])


def test_the_order_that_it_returns_is_sent(sqs: FakeSqs, hooks: Hooks) -> None:
    hooks.use("accept", "def accept(order, request): return {**order, 'source': 'web'}")

    assert post()[0] == 202
    assert sent(sqs) == json.loads(ORDER) | {"source": "web"}


def test_each_order_of_an_array_is_accepted(sqs: FakeSqs, hooks: Hooks) -> None:
    source = "def accept(order, request):\n    order['qty'] += 1\n    return order"
    hooks.use("accept", source)
    given = [{"order_id": str(number), "item": "Kopi", "qty": number} for number in range(3)]

    assert post(json.dumps(given))[0] == 202
    assert [order["qty"] for order in sent(sqs)] == [1, 2, 3]


def test_without_accept_in_the_package_orders_pass(
    sqs: FakeSqs, hooks: Hooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = hooks.use("accept", "def prepare(order): return order")
    monkeypatch.setattr(hook, "request", pytest.fail)  # which nobody would read

    assert post()[0] == 202
    assert sent(sqs) == json.loads(ORDER)


@pytest.mark.parametrize(
    ("source", "faults"),
    [
        ("raise Refused('is sold out')", [{"order": 0, "detail": "is sold out"}]),
        (
            "raise Refused('must be at least 1', 'qty')",
            [{"order": 0, "attribute": "qty", "detail": "must be at least 1"}],
        ),
        (
            "raise Refused.together([Refused('is größer', attribute='qty'), Refused('no')])",
            [
                {"order": 0, "attribute": "qty", "detail": "is größer"},
                {"order": 0, "detail": "no"},
            ],
        ),
        ("raise Refused('a\\nb\\ud800\\0' + 'x' * 999)", None),
    ],
    ids=["reason", "attribute", "several", "odd"],
)
def test_a_refusal_is_answered_400_as_ours(
    sqs: FakeSqs,
    hooks: Hooks,
    source: str,
    faults: list[Any] | None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    hooks.use("accept", f"{IMPORT}def accept(order, request): {source}")

    status, content, _ = post()

    assert status == 400
    assert content["type"].endswith(":invalid-order")
    if faults is None:
        ((_, detail),) = content["errors"][0].items() - {("order", 0)}
        assert detail == "a b" + "  x" + "x" * 194
    else:
        assert content["errors"] == faults
    assert content["detail"].startswith("Nothing is stored.")
    assert not sqs.sent
    assert not caplog.records


def test_refusals_of_all_orders_are_listed_up_to_20(hooks: Hooks, sqs: FakeSqs) -> None:
    source = f"{IMPORT}def accept(order, request): raise Refused('no', 'item')"
    hooks.use("accept", source)
    given = [{"order_id": str(number), "item": "Kopi"} for number in range(30)]

    status, content, _ = post(json.dumps(given))

    assert status == 400
    assert [fault["order"] for fault in content["errors"]] == list(range(orders.MAX_FAULTS))


def test_a_refusal_needs_a_reason() -> None:
    from async_ingest_hooks import Refused

    with pytest.raises(TypeError):
        Refused(1)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Refused("no", attribute=1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no reason"):
        Refused.together([])


@pytest.mark.parametrize(
    ("change", "attribute", "detail"),
    [
        ("del order['item']", "item", "is missing: it is a key"),
        ("order['order_id'] = ''", "order_id", "must be a string, and not empty: it is a key"),
        ("order['accepted_at'] = 1", "accepted_at", "is reserved for the time of acceptance"),
        ("order['n'] = 10 ** 126", "n", "has a number beyond"),
        ("order['n'] = 10 ** 40 + 1", "n", "has a number of more than 38 significant digits"),
        ("order['s'] = chr(0xd800)", "s", "contains half a surrogate pair"),
        ("order['s'] = {'': 1}", "s", "has or contains a name that is not"),
    ],
)
def test_what_it_returns_is_checked_as_a_clients(
    sqs: FakeSqs, hooks: Hooks, change: str, attribute: str | None, detail: str
) -> None:
    hook = hooks.use("accept", f"def accept(order, request):\n    {change}\n    return order")

    status, content, _ = post()

    assert status == 400
    (fault,) = content["errors"]
    assert fault.get("attribute") == attribute
    assert fault["detail"].startswith(detail)
    assert fault["detail"].endswith(f", after {hook}")


def test_two_orders_may_not_become_one(sqs: FakeSqs, hooks: Hooks) -> None:
    hooks.use("accept", "def accept(order, request): return {**order, 'order_id': '1'}")
    given = [{"order_id": str(number), "item": "Kopi"} for number in range(2)]

    status, content, _ = post(json.dumps(given))

    assert (status, content["errors"][0]["order"]) == (400, 1)


@pytest.mark.parametrize("length", [300_000, 500_000], ids=["storable", "beyond an item"])
def test_a_result_above_the_limit_is_answered_413(sqs: FakeSqs, hooks: Hooks, length: int) -> None:
    hooks.use("accept", f"def accept(order, request): return {{**order, 'x': 'x' * {length}}}")

    status, content, _ = post()

    assert (status, content["type"]) == (413, "urn:async-ingest:problem:too-large")


def test_a_result_that_is_no_item_is_answered_400(
    sqs: FakeSqs, hooks: Hooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler, "MAX_BODY_BYTES", 1_000_000)
    hooks.use("accept", "def accept(order, request): return {**order, 'x': 'x' * 500_000}")

    status, content, _ = post()

    assert (status, content["type"]) == (400, "urn:async-ingest:problem:invalid-order")
    assert content["errors"][0]["detail"].startswith("is an item of")


def test_the_time_to_live_of_the_result_is_checked(
    sqs: FakeSqs, hooks: Hooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler, "SCHEMA", handler.SCHEMA._replace(expiry="expires_at"))
    hooks.use("accept", "def accept(order, request): return {**order, 'expires_at': 1}")

    status, content, _ = post()

    assert (status, content["errors"][0]["attribute"]) == (400, "expires_at")


def test_it_is_told_of_the_request(
    sqs: FakeSqs, hooks: Hooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telemetry, "now_microseconds", lambda: 1_700_000_000_000_000)
    names = "method path headers query client_certificate_subject request_id trace_id accepted_at"
    source = f"""
        def accept(order, request):
            given = {{name: getattr(request, name) for name in {names.split()}}}
            given["headers"], given["query"] = dict(request.headers), dict(request.query)
            return {{**order, "request": given}}
    """
    hooks.use("accept", source)
    headers = {"Content-Type": "application/json", "X-Amzn-Trace-Id": TRACE_ID, "X-Shop": "7"}
    query = {"shop": "K%C3%B6ln%20%26+1", "empty": ""}

    assert post(headers=headers, queryStringParameters=query)[0] == 202

    assert sent(sqs)["request"] == {
        "method": "POST",
        "path": "/lambda/api",
        "headers": {name.lower(): value for name, value in headers.items()},
        "query": {"shop": "Köln & 1", "empty": ""},
        "client_certificate_subject": None,
        "request_id": REQUEST_ID,
        "trace_id": TRACE_ID,
        "accepted_at": 1_700_000_000_000_000,
    }


def test_repeated_headers_are_joined_and_of_repeated_parameters_the_last_counts(
    sqs: FakeSqs, hooks: Hooks
) -> None:
    source = """
        def accept(order, request):
            return {**order, "a": request.headers["x-a"], "b": request.query["b"]}
    """
    hooks.use("accept", source)
    event = request(
        ORDER,
        headers=None,
        queryStringParameters=None,
        multiValueHeaders={"content-type": ["application/json"], "x-a": ["1", "2"]},
        multiValueQueryStringParameters={"b": ["3", "4"]},
    )

    assert invoke(handler.handle, event).answer["statusCode"] == 202
    assert (sent(sqs)["a"], sent(sqs)["b"]) == ("1, 2", "4")


@pytest.mark.parametrize(
    "change",
    [
        "request.path = '/'",
        "request.headers['x'] = '1'",
        "request.headers.clear()",
        "request.query['x'] = '1'",
        "request._asdict()['headers']['x'] = 1",
    ],
)
def test_the_request_cannot_be_changed(sqs: FakeSqs, hooks: Hooks, change: str) -> None:
    hooks.use("accept", f"def accept(order, request):\n    {change}\n    return order")

    assert post()[0] == 503


def test_its_time_is_a_metric(sqs: FakeSqs, hooks: Hooks) -> None:
    source = "import time\ndef accept(order, request):\n    time.sleep(0.02)\n    return order"
    hooks.use("accept", source)

    (milliseconds,) = invoke(handler.handle, request(ORDER)).metrics["HookDuration"]

    assert 20 <= milliseconds < 1000
    assert "HookDuration" not in invoke(handler.handle, request("{}")).metrics


def test_without_hooks_there_is_no_such_metric(sqs: FakeSqs) -> None:
    assert handler.HOOK is None
    assert "HookDuration" not in invoke(handler.handle, request(ORDER)).metrics


def test_half_of_the_time_is_left_to_send(
    sqs: FakeSqs, hooks: Hooks, caplog: pytest.LogCaptureFixture
) -> None:
    hooks.use("accept", "def accept(order, request):\n    while True: pass", 9)

    answer = invoke(handler.handle, request(ORDER), Context(lambda: 800)).answer

    assert answer["statusCode"] == 503
    (entry,) = caplog.records
    assert entry.__dict__["error"] == "HookTimeout"


def test_a_refused_order_is_refused_before_the_hook(sqs: FakeSqs, hooks: Hooks) -> None:
    hooks.use("accept", "def accept(order, request): raise SystemExit")

    assert post("{}")[0] == 400
    assert post("[]")[0] == 400
    assert post("nothing")[0] == 400


def test_the_queues_failure_is_still_503(
    sqs: FakeSqs, hooks: Hooks, caplog: pytest.LogCaptureFixture
) -> None:
    hooks.use("accept", "def accept(order, request): return order")
    sqs.troubles = [error("ThrottlingException")]

    assert post()[0] == 503
    assert caplog.records[0].levelno == logging.ERROR
