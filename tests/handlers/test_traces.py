"""X-Ray traces: which one a message belongs to, and which one is logged."""

import pytest

from ingest import handler
from local.events import REQUEST_ID, TRACE_ID, record, request
from tests.support.fakes import FakeSqs, error
from tests.support.ingest import ORDER, post
from tests.support.process import failures, process
from tests.support.runtime import Invocation, invoke

pytestmark = pytest.mark.usefixtures("quick_calls")

SAMPLED_TRACE_ID = f"{TRACE_ID};Parent=53995c3f42cd8ad8;Sampled=1"
WITH_LINEAGE = f"{SAMPLED_TRACE_ID};Lineage=1:a87bd80c:0"  # as SDKs within Lambda send it


@pytest.mark.parametrize(
    ("given", "used"),
    [
        (TRACE_ID, TRACE_ID),
        (f"Self=1-67891234-12456789abcdef0123456780;{TRACE_ID};CalledFrom=app", TRACE_ID),
        (WITH_LINEAGE, SAMPLED_TRACE_ID),
        (f"{TRACE_ID};Sampled=?", TRACE_ID),
        (f"{TRACE_ID}0", None),
        (f"x{TRACE_ID}", None),
        (f"{TRACE_ID}\r\nSet-Cookie: a=b", None),
        (f"{TRACE_ID}\n", None),
        (TRACE_ID.upper(), None),
        ("", None),
    ],
)
def test_only_a_valid_trace_id_is_passed_on(sqs: FakeSqs, given: str, used: str | None) -> None:
    headers = {"content-type": "application/json", "x-amzn-trace-id": given}

    assert post(headers=headers)[2].get("X-Amzn-Trace-Id") == used

    system_attributes = sqs.sent[0].get("MessageSystemAttributes", {})
    assert system_attributes.get("AWSTraceHeader", {}).get("StringValue") == used


LAMBDAS_TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=557abcec3ee5a047;Sampled=1"


@pytest.fixture
def traced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Within Lambda, calls have a trace of their own, which X-Ray knows."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "function")
    monkeypatch.setenv("_X_AMZN_TRACE_ID", LAMBDAS_TRACE)


def handle_traced_request() -> Invocation:
    """Handles a request with a trace of the load balancer."""
    headers = {"content-type": "application/json", "x-amzn-trace-id": TRACE_ID}
    return invoke(handler.handle, request(ORDER, headers=headers))


@pytest.mark.usefixtures("traced")
def test_a_message_has_the_trace_of_its_call(sqs: FakeSqs) -> None:
    """The load balancer's would cut the trace in two, and break recursive loop detection."""
    answer, metrics = handle_traced_request()

    assert "MessageSystemAttributes" not in sqs.sent[0]
    assert answer["headers"]["X-Amzn-Trace-Id"] == metrics["trace_id"] == TRACE_ID


def test_without_a_trace_of_the_call_a_message_has_the_load_balancers(
    sqs: FakeSqs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("_X_AMZN_TRACE_ID", raising=False)

    metrics = handle_traced_request().metrics

    trace = {"DataType": "String", "StringValue": TRACE_ID}
    assert sqs.sent[0]["MessageSystemAttributes"] == {"AWSTraceHeader": trace}
    assert metrics["trace_id"] == TRACE_ID


@pytest.mark.usefixtures("traced")
def test_a_failure_is_logged_with_the_load_balancers_trace(
    sqs: FakeSqs, caplog: pytest.LogCaptureFixture
) -> None:
    sqs.troubles = [error("ThrottlingException")]

    assert handle_traced_request().metrics["trace_id"] == TRACE_ID

    (entry,) = caplog.records
    assert entry.__dict__["trace_id"] == TRACE_ID
    assert entry.__dict__["request_id"] == REQUEST_ID


def dead_letter(trace: str) -> None:
    """Processes a message of this trace, which fails permanently."""
    attributes = {"SentTimestamp": "1700000000000", "AWSTraceHeader": trace}
    assert failures(process(record("not JSON", attributes=attributes))) == []


@pytest.mark.usefixtures("traced")
@pytest.mark.parametrize("trace", [TRACE_ID, WITH_LINEAGE])
def test_a_dead_letter_has_the_trace_of_the_call_and_is_logged_with_its_own(
    sqs: FakeSqs, caplog: pytest.LogCaptureFixture, trace: str
) -> None:
    caplog.set_level(0)

    dead_letter(trace)

    assert "MessageSystemAttributes" not in sqs.sent[0]
    (entry,) = caplog.records
    assert entry.__dict__["trace_id"] == trace


@pytest.mark.parametrize("trace", [TRACE_ID, WITH_LINEAGE])
def test_without_a_trace_of_the_call_a_dead_letter_has_its_messages(
    sqs: FakeSqs, monkeypatch: pytest.MonkeyPatch, trace: str
) -> None:
    monkeypatch.delenv("_X_AMZN_TRACE_ID", raising=False)

    dead_letter(trace)

    header = {"DataType": "String", "StringValue": trace}
    assert sqs.sent[0]["MessageSystemAttributes"] == {"AWSTraceHeader": header}
