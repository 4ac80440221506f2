"""What is retried, when, how often, and what is not."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import aws
from tests.support import clients
from tests.support.properties import examples
from tests.support.scripted_server import (
    ScriptedServer,
    answer,
    error,
    reset,
)

TRANSIENT = [
    (400, "ThrottlingException"),
    (400, "Throttling"),
    (400, "ProvisionedThroughputExceededException"),
    (400, "RequestLimitExceeded"),
    (400, "RequestThrottled"),
    (400, "KmsThrottled"),
    (400, "PriorRequestNotComplete"),
    (400, "SlowDown"),
    (403, "RequestThrottledException"),
    (408, "RequestTimeout"),
    (429, "TooManyRequestsException"),
    (429, "Whatever"),
    (500, "InternalServerError"),
    (500, "ValidationException"),
    (502, "BadGateway"),
    (503, "ServiceUnavailable"),
    (504, "GatewayTimeout"),
]
PERMANENT = [
    (400, "ValidationException"),
    (400, "ConditionalCheckFailedException"),
    (400, "ItemCollectionSizeLimitExceededException"),
    (400, "ResourceNotFoundException"),
    (400, "AccessDeniedException"),
    (400, "InvalidMessageContents"),
    (400, "SerializationException"),
    (403, "AccessDenied"),
    (400, "InvalidSignatureException"),
    (400, "MissingAuthenticationToken"),
    (404, "AWS.SimpleQueueService.NonExistentQueue"),
    (413, "413"),
]


@pytest.fixture
def client(implementation: str, server: ScriptedServer) -> aws.Client:
    return clients.client(server.url)


@pytest.mark.parametrize(("status", "code"), TRANSIENT)
def test_a_transient_error_is_retried(
    status: int, code: str, server: ScriptedServer, client: aws.Client, pauses: list[float]
) -> None:
    server.usual = error(status, code)
    found = clients.refusal(client)
    assert (found.code, found.status, found.is_transient) == (code, status, True)
    assert len(server.requests) == aws.ATTEMPTS
    server.script = [error(status, code)] * (aws.ATTEMPTS - 1)
    server.usual = answer()
    clients.put(client)
    assert len(pauses) == 2 * (aws.ATTEMPTS - 1)


@pytest.mark.parametrize(("status", "code"), PERMANENT)
def test_a_permanent_error_is_not_retried(
    status: int, code: str, server: ScriptedServer, client: aws.Client, pauses: list[float]
) -> None:
    server.usual = error(status, code)
    found = clients.refusal(client)
    assert (found.code, found.status, found.is_transient) == (code, status, False)
    assert found.details == {"error": code, "aws_request_id": "request-1"}
    assert len(server.requests) == 1
    assert pauses == []


NAMES: list[tuple[bytes, dict[str, str], str]] = [
    (b'{"__type":"com.amazonaws.dynamodb.v20120810#Some"}', {}, "Some"),
    (b'{"__type":"com.amazon.coral.validate#Some"}', {}, "Some"),
    (b'{"__type":"Some:http://internal.amazon.com/coral/"}', {}, "Some"),
    (b'{"__type":"a#Some:http://internal.amazon.com/a#b"}', {}, "Some"),
    (
        b'{"__type":"com.amazonaws.sqs#QueueDoesNotExist"}',
        {"x-amzn-query-error": "AWS.Old;Sender"},
        "AWS.Old",
    ),
    (b'{"__type":"Some"}', {"x-amzn-query-error": "malformed"}, "Some"),
    (b'{"__type":"Some"}', {"x-amzn-query-error": ""}, "Some"),
    (b"{}", {}, "418"),
    (b"", {}, "418"),
    (b"<html>", {}, "418"),
]


@pytest.mark.parametrize(("body", "headers", "code"), NAMES, ids=repr)
def test_an_error_has_the_code_of_its_service(
    body: bytes,
    headers: dict[str, str],
    code: str,
    implementation: str,
    server: ScriptedServer,
) -> None:
    """From __type, or the traditional code of SQS."""
    server.usual = answer(418, body, headers=headers)
    client = clients.client(server.url, "sqs")
    with pytest.raises(aws.CallError) as raised:
        client.call("SendMessage", '{"QueueUrl":"q","MessageBody":"b"}', clients.deadline())
    assert raised.value.code == code
    assert raised.value.status == 418


@pytest.mark.parametrize("body", [b"[]", b'{"__type":null}', b'{"__type":1}', b'{"__type":["a"]}'])
def test_an_error_without_a_code_has_its_status(body: bytes, server: ScriptedServer) -> None:
    server.usual = answer(418, body)
    assert clients.refusal(clients.client(server.url)).status == 418


def test_a_lost_connection_is_retried(
    server: ScriptedServer, client: aws.Client, pauses: list[float]
) -> None:
    server.script = [reset(), reset()]
    clients.put(client)
    assert len(server.requests) == 3
    assert len(pauses) == 2


def test_without_time_nothing_is_sent(server: ScriptedServer, client: aws.Client) -> None:
    """Its outcome could not be known."""
    assert clients.refusal(client, seconds=0.0).code == "NoTime"
    assert server.connections == 0


class Clock:
    """A deadline on a clock that only pauses and attempts advance."""

    def __init__(self, patch: pytest.MonkeyPatch, seconds: float) -> None:
        self.left = seconds
        self.pauses: list[float] = []
        patch.setattr(time, "sleep", self._sleep)
        self.deadline = aws.Deadline(lambda: self.left)

    def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.left -= seconds


attempts = st.lists(
    st.tuples(st.booleans(), st.floats(0, 2), st.sampled_from([0.0, 0.0, 1.0, 30.0])),
    min_size=3,
    max_size=3,
)


@given(seconds=st.floats(0, 12), script=attempts, least=st.sampled_from([aws.MIN_SECONDS, 4.0]))
@examples(500)
def test_every_attempt_has_the_time_it_needs(
    seconds: float, script: list[tuple[bool, float, float]], least: float
) -> None:
    """Only the last attempt may fail with an error that would be retried."""
    made: list[float] = []
    with pytest.MonkeyPatch.context() as patch:
        clock = Clock(patch, seconds)

        def attempt() -> dict[str, Any]:
            is_transient, duration, hint = script[len(made)]
            made.append(clock.left)
            clock.left -= duration
            raise aws.CallError(str(len(made)), is_transient=is_transient, pause_seconds=hint)

        with pytest.raises(aws.CallError) as raised:
            aws.with_retries(attempt, clock.deadline, least)
    assert all(left >= least for left in made)
    assert len(made) <= aws.ATTEMPTS
    assert raised.value.code == (str(len(made)) if made else "NoTime")
    assert len(clock.pauses) == max(0, len(made) - 1)
    for number, pause in enumerate(clock.pauses, 1):
        is_transient, _, hint = script[number - 1]
        longest = aws.FIRST_PAUSE_SECONDS * 2 ** (number - 1)
        assert is_transient
        assert min(hint, aws.MAX_PAUSE_SECONDS) <= pause
        assert pause <= max(longest, min(hint, longest + aws.MAX_PAUSE_SECONDS))
    if 0 < len(made) < aws.ATTEMPTS:
        is_transient, _, hint = script[len(made) - 1]
        longest = aws.FIRST_PAUSE_SECONDS * 2 ** (len(made) - 1)
        at_most = max(longest, min(hint, longest + aws.MAX_PAUSE_SECONDS))
        assert not is_transient or clock.left - at_most < least


@given(attempt=st.integers(1, 40), first=st.floats(0.001, 1))
@examples(300)
def test_a_pause_is_within_its_limit(attempt: int, first: float) -> None:
    assert 0 <= aws.jitter(attempt, first) <= min(first * 2 ** (attempt - 1), aws.MAX_PAUSE_SECONDS)


def test_pauses_are_spread_evenly() -> None:
    found = sorted(aws.jitter(1, 1.0) for _ in range(2000))
    assert found[100] < 0.15
    assert 0.4 < found[1000] < 0.6
    assert found[-100] > 0.85


HINTS = [
    ({"x-amz-retry-after": "2000"}, 2.0),
    ({"Retry-After": "3"}, 3.0),
    ({"x-amz-retry-after": "2000", "Retry-After": "3"}, 2.0),
    ({"x-amz-retry-after": "soon", "Retry-After": "3"}, 3.0),
    ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
    ({"Retry-After": "-1"}, 0.0),
    ({"Retry-After": "1e3"}, 0.0),
    ({"Retry-After": "٣"}, 0.0),
    ({"Retry-After": "9" * 5000}, 0.0),
]


@pytest.mark.parametrize(("headers", "seconds"), HINTS[:5], ids=str)
def test_a_hint_delays_the_next_attempt(
    headers: dict[str, str],
    seconds: float,
    server: ScriptedServer,
    client: aws.Client,
    pauses: list[float],
) -> None:
    server.script = [answer(503, b"", headers=headers)]
    clients.put(client)
    assert seconds <= pauses[0] <= seconds + aws.FIRST_PAUSE_SECONDS


@pytest.mark.parametrize(("headers", "seconds"), HINTS, ids=lambda value: str(value)[:60])
def test_a_hint_is_read_from_its_header(headers: dict[str, str], seconds: float) -> None:
    lower = {name.lower(): value for name, value in headers.items()}
    assert aws.retry_after(lower) == seconds


def test_a_hint_beyond_the_deadline_ends_the_call(
    server: ScriptedServer, client: aws.Client, pauses: list[float]
) -> None:
    server.script = [answer(503, b"", headers={"Retry-After": "4"})]
    assert (
        clients.refusal(client, seconds=3.9 if isinstance(client, aws.BuiltinClient) else 24).status
        == 503
    )
    assert pauses == []


def test_a_hint_of_hours_is_cut(
    server: ScriptedServer, client: aws.Client, pauses: list[float]
) -> None:
    """To what the SDKs wait at most."""
    server.script = [answer(503, b"", headers={"Retry-After": "7200"})]
    clients.put(client)
    assert pauses[0] >= aws.MAX_PAUSE_SECONDS
    assert pauses[0] <= aws.MAX_PAUSE_SECONDS + aws.FIRST_PAUSE_SECONDS
