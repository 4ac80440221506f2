"""Which clock is believed, what a dead letter keeps of it, and whose trace a message belongs to."""

import json
from typing import Any

import pytest

from ingest import handler as ingest
from local.events import REQUEST_ID, TRACE_ID, record, request
from process import handler as process
from tests.support.fakes import FakeDynamoDB, FakeSqs, error
from tests.support.runtime import invoke

SENT_MS = 1_700_000_000_000
SENT = SENT_MS * 1000
FIVE_MINUTES = 300_000_000
ORDER = {"order_id": "1", "item": "Kopi"}
NOT_STAMPED: dict[str, Any] = {"messageAttributes": {}}
LAMBDAS_TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=557abcec3ee5a047;Sampled=1"


@pytest.fixture(autouse=True)
def _no_aws(sqs: FakeSqs, dynamodb: FakeDynamoDB) -> None:
    """Every test has both."""


def process_one(body: Any, stamp: int | None = 1, **changes: Any) -> None:
    answer = invoke(process.handle, {"Records": [record(body, "m", stamp, **changes)]}).answer
    assert answer == {"batchItemFailures": []}


def delivered(copy: dict[str, Any], sent_ms: int) -> Any:
    """A message that was sent by us, as SQS hands it over."""
    attributes = {
        name: {"stringValue": value["StringValue"], "dataType": value["DataType"]}
        for name, value in copy["MessageAttributes"].items()
    }
    return record(copy["MessageBody"], "again", None) | {
        "messageAttributes": attributes,
        "attributes": {"SentTimestamp": str(sent_ms)},
    }


# Stamps


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (1, 1),
        (SENT, SENT),
        (SENT + FIVE_MINUTES, SENT + FIVE_MINUTES),
        (SENT + FIVE_MINUTES + 1, SENT + FIVE_MINUTES),
        (9_999_999_999_999_999, SENT + FIVE_MINUTES),
    ],
    ids=["long ago", "as sent", "5 min", "5 min and 1 µs", "the year 2286"],
)
def test_no_producers_clock_is_believed_to_be_minutes_ahead(
    dynamodb: FakeDynamoDB, given: int, kept: int
) -> None:
    process_one(ORDER, given)

    assert dynamodb.table["1", "Kopi"]["accepted_at"] == {"N": str(kept)}


def test_an_order_from_the_future_does_not_keep_later_ones_out(dynamodb: FakeDynamoDB) -> None:
    process_one(ORDER | {"n": "future"}, 9_999_999_999_999_999)

    an_hour_later = {"SentTimestamp": str(SENT_MS + 3_600_000)}
    process_one(ORDER | {"n": "later"}, SENT + 3_600_000_000, attributes=an_hour_later)

    assert dynamodb.table["1", "Kopi"]["n"] == {"S": "later"}


def test_a_dead_letter_says_when_it_was_accepted_even_if_its_message_did_not(
    sqs: FakeSqs,
) -> None:
    process_one("not JSON", **NOT_STAMPED)

    accepted_at = sqs.sent[0]["MessageAttributes"]["accepted_at"]
    assert accepted_at == {"DataType": "Number", "StringValue": str(SENT)}


def test_after_a_redrive_the_old_order_is_old(sqs: FakeSqs, dynamodb: FakeDynamoDB) -> None:
    dynamodb.refuses = lambda item: item["n"] == {"S": "old"}
    process_one(ORDER | {"n": "old"}, **NOT_STAMPED)
    process_one(ORDER | {"n": "new"}, SENT + 1)
    dynamodb.refuses = lambda _: False

    redriven = delivered(sqs.sent[0], SENT_MS + 3_600_000)
    assert invoke(process.handle, {"Records": [redriven]}).metrics["Superseded"] == 1

    assert dynamodb.table["1", "Kopi"]["n"] == {"S": "new"}


@pytest.mark.parametrize(
    ("given", "believed"),
    [
        (str(SENT - 1), SENT - 1),
        ("9" * 16, SENT + FIVE_MINUTES),
        ("not a number", SENT),
        ("", SENT),
    ],
)
def test_a_dead_letter_has_the_stamp_that_was_believed(
    sqs: FakeSqs, given: str, believed: int
) -> None:
    """Judged anew after a redrive, whose time of sending is later, it would become newer."""
    attribute = {"accepted_at": {"stringValue": given, "dataType": "String"}}

    process_one("not JSON", messageAttributes=attribute)

    accepted_at = sqs.sent[0]["MessageAttributes"]["accepted_at"]
    assert accepted_at == {"DataType": "Number", "StringValue": str(believed)}


# Traces


@pytest.fixture
def traced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Within Lambda: the calls have a trace of their own, which X-Ray knows."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "function")
    monkeypatch.setenv("_X_AMZN_TRACE_ID", LAMBDAS_TRACE)


def post() -> dict[str, Any]:
    """The metrics of a request that the load balancer has given a trace."""
    headers = {"content-type": "application/json", "x-amzn-trace-id": TRACE_ID}
    return invoke(ingest.handle, request(json.dumps(ORDER), headers=headers)).metrics


@pytest.mark.usefixtures("traced")
def test_a_message_has_the_trace_of_the_call_where_that_has_one(sqs: FakeSqs) -> None:
    """Ours in its place would cut the trace in two, and drop what stops recursion."""
    metrics = post()

    assert "MessageSystemAttributes" not in sqs.sent[0]
    assert metrics["trace_id"] == TRACE_ID


def test_elsewhere_it_has_the_load_balancers(sqs: FakeSqs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("_X_AMZN_TRACE_ID", raising=False)

    metrics = post()

    trace = {"DataType": "String", "StringValue": TRACE_ID}
    assert sqs.sent[0]["MessageSystemAttributes"] == {"AWSTraceHeader": trace}
    assert metrics["trace_id"] == TRACE_ID


@pytest.mark.usefixtures("traced")
def test_a_failure_is_logged_with_the_load_balancers_trace(
    sqs: FakeSqs, caplog: pytest.LogCaptureFixture
) -> None:
    sqs.troubles = [error("ThrottlingException")]

    assert post()["trace_id"] == TRACE_ID

    (entry,) = caplog.records
    assert entry.__dict__["trace_id"] == TRACE_ID
    assert entry.__dict__["request_id"] == REQUEST_ID


@pytest.mark.usefixtures("traced")
def test_a_dead_letter_has_the_trace_of_the_call_and_is_logged_with_its_own(
    sqs: FakeSqs, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    attributes = {"SentTimestamp": str(SENT_MS), "AWSTraceHeader": TRACE_ID}

    process_one("not JSON", attributes=attributes)

    assert "MessageSystemAttributes" not in sqs.sent[0]
    (entry,) = caplog.records
    assert entry.__dict__["trace_id"] == TRACE_ID
