"""The scenarios: each sends orders while one kind of fault fires.

Afterwards the runner waits until the queue is empty, and checks that every order is accounted for.
"""

import itertools
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from local.waiting import eventually
from tests.faults.system import (
    CLIENTS,
    DELIVERIES,
    STANDSTILL_SECONDS,
    TIMEOUT_SECONDS,
    System,
)
from tests.support.history import Attempt, Outcome
from tests.support.stack import quick_retries

REQUESTS = 200  # in an ordinary scenario
ARRAY = 3  # orders in a request with several; all must succeed in one delivery
BACKLOG = 10_000
# Of all calls of both functions. Some calls fail on every attempt of the client.
SQS_FAILS = {"fail": 3, "pass": 3}
DYNAMODB_FAILS = {"fail": 4, "pass": 8}
SELDOM = {"fail": 1, "pass": 9}
OVER_TIMEOUT_SECONDS = TIMEOUT_SECONDS + 2
HELD_MS = 1000 * OVER_TIMEOUT_SECONDS
WAVES = 4
WANTED = 30  # redeliveries

Scenario = Callable[[System], None]
Rule = dict[str, Any]
SCENARIOS: dict[str, Scenario] = {}


def scenario(function: Scenario) -> Scenario:
    SCENARIOS[function.__name__] = function
    return function


def requests(system: System) -> Iterator[list[Attempt]]:
    """Yields an ordinary load: new keys, newer orders of known keys, arrays, invalid orders."""
    keys = REQUESTS // 2
    for number in range(REQUESTS):
        if number % 10 == 9:
            yield [system.history.permanent_failure()]
        elif number % 10 == 8:
            yield [system.history.order(f"{number}-{part}", part=part) for part in range(ARRAY)]
        else:
            yield [system.history.order(number % keys, qty=number, note="Ñandú ☕")]


# On the wire ------------------------------------------------------------------------------------

AWS_ERRORS: dict[str, Rule] = {
    "internal_error": {"error": {"code": "InternalFailure", "status": 500}},
    "unavailable": {"error": {"code": "ServiceUnavailable", "status": 503}},
    "reset": {"reset": True},
    "read_timeout": {"timeout_ms": HELD_MS, "sequence": SELDOM},
    "acknowledgement_lost": {"response": {"abort_frac": 0.0}},
    "corrupt_answer": {"response": {"corrupt_bytes": 1}},
    "access_denied": {"error": {"code": "AccessDeniedException", "status": 400}},
    "expired_credentials": {"error": {"code": "ExpiredTokenException", "status": 400}},
}
SQS_ERRORS = AWS_ERRORS | {
    "throttled": {"error": {"code": "ThrottlingException", "status": 400}},
}
DYNAMODB_ERRORS = AWS_ERRORS | {
    "throttled": {"error": {"code": "ProvisionedThroughputExceededException"}},
}


def _fails_on_the_wire(service: str, sequence: dict[str, int], fault: Rule) -> Scenario:
    def run(system: System) -> None:
        with system.proxy.rules({"service": service, "sequence": sequence, **fault}):
            system.send(requests(system))
            system.drain()

    return run


for _name, _rule in SQS_ERRORS.items():
    SCENARIOS[f"sqs_{_name}"] = _fails_on_the_wire("sqs", SQS_FAILS, _rule)
for _name, _rule in DYNAMODB_ERRORS.items():
    SCENARIOS[f"dynamodb_{_name}"] = _fails_on_the_wire("dynamodb", DYNAMODB_FAILS, _rule)


@scenario
def sqs_connect_timeout(system: System) -> None:
    with system.inject("SendMessage", "before", "unreachable", times=20):
        system.send(requests(system))
    unanswered = system.history.count(Outcome.INDETERMINATE)
    assert unanswered >= 20, f"only {unanswered} orders ran into the timeout"


@scenario
def dynamodb_all_throttled_for_a_while(system: System) -> None:
    """For longer than an invocation keeps retrying, so that messages do fail."""
    before = len(system.deliveries())
    with system.proxy.rules({"service": "dynamodb", **DYNAMODB_ERRORS["throttled"]}):
        system.send(requests(system))
        eventually(
            lambda: repeated(system.deliveries()[before:]) >= WANTED or not system.stack.queued(),
            "redelivered messages",
            STANDSTILL_SECONDS,
        )
    system.drain()
    assert repeated(system.deliveries()[before:]) >= WANTED, "messages were not redelivered"


@scenario
def dynamodb_some_statements_throttled(system: System) -> None:
    """They are retried in the same invocation: a failed message would return too late."""
    with (
        quick_retries(system.stack, 2 * STANDSTILL_SECONDS, DELIVERIES),
        system.inject("BatchExecuteStatement", "within", "ThrottlingError", REQUESTS // 4),
    ):
        system.send(requests(system))
        system.drain()


@scenario
def dynamodb_some_statements_failed(system: System) -> None:
    """With an error that is left to the next delivery."""
    with system.inject("BatchExecuteStatement", "within", "InternalServerError", REQUESTS // 4):
        system.send(requests(system))
        system.drain()


@scenario
def dynamodb_refuses_one_item(system: System) -> None:
    """It is dead-lettered at once, its neighbours are written; then it is redriven."""
    refused = system.history.order("refused")
    rule = {
        "service": "dynamodb",
        "body": f"contains(to_string(@), '{refused.order['order_id']}')",
        "error": {"code": "ValidationException"},
    }
    with system.proxy.rules(rule):
        with system.stack.paused_mapping():  # so that it is in a batch with others
            system.send([*requests(system), [refused]])
        system.drain()
    dead = system.take_all()
    assert [str(refused.number) in message["Body"] for message in dead] == [True]
    assert "failure_reason" in dead[0]["MessageAttributes"]
    system.put_back(dead)


def _ends_kept_connections(how: str) -> Scenario:
    """While the functions are idle. It must cost neither an order nor more than one retry."""

    def run(system: System) -> None:
        for _ in range(WAVES):
            system.send(requests(system))
            system.drain()
            ended = system.proxy.cut(how)
            assert ended, "no connection was kept"
            if how != "swallowed":  # that is a fault only once a request is sent
                system.confirm(ended)
        system.send(requests(system))
        assert not system.history.count(Outcome.INDETERMINATE), "an order was not accepted"

    return run


for _how in ("closed", "reset", "swallowed"):
    SCENARIOS[f"kept_connections_{_how}"] = _ends_kept_connections(_how)


# In the functions -------------------------------------------------------------------------------


def _injects(operation: str, moment: str, action: str, times: int) -> Scenario:
    def run(system: System) -> None:
        with system.inject(operation, moment, action, times):
            system.send(requests(system))
            system.drain()

    return run


SCENARIOS |= {
    "ingest_killed_before_the_send": _injects("SendMessage", "before", "kill", 20),
    "ingest_killed_between_send_and_answer": _injects("SendMessage", "after", "kill", 20),
    "process_fails_after_its_work": _injects("process", "after", "fail", 20),
    "process_quits_in_a_batch": _injects("BatchExecuteStatement", "after", "quit", 20),
    "process_exits_in_a_batch": _injects("BatchExecuteStatement", "after", "exit", 20),
    "process_killed_in_a_batch": _injects("BatchExecuteStatement", "before", "kill", 20),
    "process_killed_before_a_put": _injects("PutItem", "before", "kill", 20),
    "process_out_of_memory": _injects("BatchExecuteStatement", "before", "exhaust", 20),
}


@scenario
def process_times_out(system: System) -> None:
    """Its messages return only after Lambda has ended it, as with the deployed timeouts."""
    with (
        quick_retries(system.stack, OVER_TIMEOUT_SECONDS, DELIVERIES),
        system.inject("BatchExecuteStatement", "after", "hang", times=4),
    ):
        system.send(requests(system))
        system.drain()


@scenario
def slow_dependency_and_little_time_left(system: System) -> None:
    """Each call takes nearly a second: batches are cut short, and the rest is retried."""
    before = len(system.deliveries())
    with (
        quick_retries(system.stack, OVER_TIMEOUT_SECONDS, DELIVERIES),
        system.proxy.rules({"service": "dynamodb", "latency": 900, "times": 200}),
    ):
        for _ in range(3):  # the same keys, so that each needs its own call
            system.send(
                [system.history.order(f"{key}-{part}") for part in range(20)] for key in range(10)
            )
        system.drain()
    assert repeated(system.deliveries()[before:]), "every batch was completed in time"


# Deliveries -------------------------------------------------------------------------------------


@scenario
def duplicate_deliveries(system: System) -> None:
    """Messages become visible again while they are being processed, and are processed twice."""
    before = len(system.deliveries())
    with system.inject("BatchExecuteStatement", "after", "dawdle", times=12):
        system.send(requests(system))
        system.drain()
    duplicates = repeated(system.deliveries()[before:])
    assert duplicates, "no message was delivered twice"
    system.confirm(duplicates)


@scenario
def delivery_in_reverse_order(system: System) -> None:
    """The newest order of each key comes first, the oldest last."""
    versions = 5
    with system.stack.paused_mapping():
        for version in range(versions):
            system.send([[system.history.order(key, version=version)] for key in range(30)])
        messages = system.take_all(of="queue_url")
        taken = {json.loads(message["Body"])["number"] for message in messages}
        untaken = [
            attempt.number
            for attempt in system.history.attempts.values()
            if attempt.outcome is Outcome.ACKNOWLEDGED and attempt.number not in taken
        ]
        assert not untaken, f"accepted, but not on the queue: {untaken}"
        messages.sort(key=lambda message: -_accepted_at(message))
    for position in range(0, len(messages), 30):
        system.put_back(messages[position : position + 30])
        system.drain()
    system.confirm(len(messages) - 30)  # delivered after a newer one


@scenario
def one_key_rewritten_in_a_burst(system: System) -> None:
    """Three keys, each rewritten by one client, so that the newest order is known."""

    def rewrite(key: int) -> None:
        system.send([[system.history.order(key, qty=number)] for number in range(100)], clients=1)

    # In either kind of write: where keys are known, a function may use PutItem alone.
    fault = DYNAMODB_ERRORS["internal_error"]
    with system.proxy.rules({"service": "dynamodb", "sequence": SELDOM, **fault}):
        with ThreadPoolExecutor() as pool:
            list(pool.map(rewrite, range(3)))
        system.drain()


@scenario
def permanent_failures_among_good_messages(system: System) -> None:
    failing = [system.history.permanent_failure() for _ in range(30)]
    with system.stack.paused_mapping(), ThreadPoolExecutor(CLIENTS) as pool:
        sent = pool.map(system.enqueue, failing)
        system.send(requests(system))
        list(sent)
    system.confirm(len(failing))
    system.drain()
    expect_dead(system, failing)


@scenario
def dead_letter_send_fails(system: System) -> None:
    """A permanent failure stays on the queue until the dead-letter queue accepts it."""
    rule = {
        "service": "sqs",
        "body": "ends_with(QueueUrl, 'dead-letter')",
        "error": {"code": "InternalFailure", "status": 500},
        "times": REQUESTS // 4,
    }
    failing = [system.history.permanent_failure() for _ in range(10)]
    with system.proxy.rules(rule):
        for attempt in failing:
            system.enqueue(attempt)
        system.send(requests(system))
        system.drain()
    expect_dead(system, failing)


@scenario
def consumer_throttled_and_released(system: System) -> None:
    name = f"{system.name}-process"
    system.stack.lambda_.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    try:
        before = len(system.deliveries())
        system.send(requests(system))
        waiting = system.stack.queued()
        assert waiting, "nothing is waiting for the consumer"
        assert len(system.deliveries()) == before, "the consumer is not throttled"
        system.confirm(1)
    finally:
        system.stack.lambda_.delete_function_concurrency(FunctionName=name)


@scenario
def backlog_of_10_000_drained(system: System) -> None:
    """While DynamoDB throttles one call in twenty."""
    rule = {"service": "dynamodb", "probability": 0.05, **DYNAMODB_ERRORS["throttled"]}
    with system.proxy.rules(rule):
        with system.stack.paused_mapping():
            system.send([system.history.order(number)] for number in range(BACKLOG))
            assert system.stack.queued() >= system.history.count(Outcome.ACKNOWLEDGED)
        system.drain()


@scenario
def redrive_after_the_cause_is_gone(system: System) -> None:
    """Orders fail until they are dead-lettered; newer ones are stored before the redrive."""
    denied = {"service": "dynamodb", "error": {"code": "AccessDeniedException", "status": 400}}
    old = [[system.history.order(key, age="old")] for key in range(40)]
    with quick_retries(system.stack, 1, deliveries=2):
        with system.proxy.rules(denied):
            system.send(old)
            system.drain()
        system.send([[system.history.order(key, age="new")] for key in range(20)])
        system.drain()
        assert system.stack.redrive() == len(old)
        system.drain()


@scenario
def emulator_restarted(system: System) -> None:
    """With orders on the queue, and clients that keep sending. Its state is kept.

    No invocation is running at that moment: the emulator saves its services one after another, and
    would itself lose what happens in between.
    """
    emulator = system.stack.emulator
    with system.stack.paused_mapping():
        system.send(requests(system))
        waiting = system.stack.queued()
        pid = emulator.pid
        emulator.stop()
        outcomes: list[Outcome] = []

        def send_until_accepted() -> bool:
            order = system.history.order(len(outcomes) % 10, during="restart")
            system.send([[order]], clients=1)
            outcomes.append(order.outcome)
            return order.outcome is Outcome.ACKNOWLEDGED

        client = ThreadPoolExecutor().submit(
            eventually, send_until_accepted, "an answer after the restart", 60
        )
        emulator.start()
        client.result()
        assert emulator.pid != pid
        assert outcomes[0] is Outcome.INDETERMINATE
        assert system.stack.queued() > waiting
    system.confirm(1)


def expect_dead(system: System, failing: list[Attempt]) -> None:
    """Asserts that the dead-letter queue has these orders with a reason, and no others.

    They may be there twice: a message whose processing outlasts the visibility timeout is
    redelivered. They stay there.
    """
    dead = system.take_all()
    assert all("failure_reason" in message["MessageAttributes"] for message in dead)
    numbers = {json.loads(message["Body"])["number"] for message in dead}
    assert numbers == {attempt.number for attempt in failing}, "other messages are dead-lettered"
    system.put_back(dead, to="dead_letter_queue_url")


def repeated(deliveries: list[list[str]]) -> int:
    """Counts the deliveries of messages beyond the first of each."""
    ids = list(itertools.chain.from_iterable(deliveries))
    return len(ids) - len(set(ids))


def _accepted_at(message: dict[str, Any]) -> int:
    return int(message["MessageAttributes"]["accepted_at"]["StringValue"])
