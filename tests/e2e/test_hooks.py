"""Hooks on an applied system: those of the example, and those that do whatever they should not."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from local.emulator import ROOT, Emulator
from local.stack import PATH, Stack
from local.terraform import Terraform
from local.waiting import eventually
from tests.e2e.signed import new_version, post_signed
from tests.support.stack import new_order, quick_retries

pytestmark = pytest.mark.stack

SECRET = "4711-secret"
ODD_HOOKS = Path(__file__).with_name("odd_hooks")


def write_odd_system(directory: Path) -> Path:
    """Writes a configuration whose hooks do what an order asks for, within half a second."""
    module = {
        "source": str(ROOT),
        "name": "odd",
        "deletion_protection_enabled": False,
        "order_hooks": {"source_dir": str(ODD_HOOKS), "timeout_seconds": 0.5},
    }
    configuration = {
        "provider": {"aws": {}},
        "module": {"async_ingest": module},
        "output": {"all": {"value": "${module.async_ingest}"}},
    }
    (directory / "main.tf.json").write_text(json.dumps(configuration))
    return directory


@pytest.fixture(scope="module")
def odd(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    directory = write_odd_system(tmp_path_factory.mktemp("odd"))
    terraform = Terraform(directory, directory, emulator.environment())
    terraform.init()
    terraform.apply()
    return Stack(emulator, terraform, path=PATH, module="all")


def test_an_order_passes_both_hooks(signing: Stack) -> None:
    order = new_version(price=1.1, qty=3)

    assert post_signed(signing, order).status == 202

    row = signing.wait_for_row(order)
    assert row["channel"] == {"S": "unknown"}
    assert row["total"] == {"N": "3.3"}
    assert row["accepted_at"]


def test_an_order_that_accept_refuses_is_answered_400(signing: Stack) -> None:
    answer = post_signed(signing, [new_version(), new_version(qty=0, size="huge")])

    assert answer.status == 400
    assert answer.json["errors"] == [
        {"order": 1, "attribute": "qty", "detail": "must be bigger than or equal to 1"},
        {"order": 1, "attribute": "size", "detail": "must be one of ['small', 'large']"},
    ]


def test_an_order_that_prepare_refuses_is_dead_lettered(signing: Stack) -> None:
    """It did not come through ingest."""
    body = json.dumps(new_version(price="1"))
    signing.sqs.send_message(QueueUrl=signing.outputs["queue_url"], MessageBody=body)

    [dead] = eventually(signing.take_dead_letters, "the dead letter")

    assert dead["Body"] == body
    reason = dead["MessageAttributes"]["failure_reason"]["StringValue"]
    assert reason == 'order 0: "price" must be a number, and so must qty'


def log(stack: Stack, function: str, since: float) -> str:
    return "\n".join(stack.log_lines(stack.outputs[f"{function}_function_name"], since))


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("does", "statuses"),
    [
        ("loop", {503}),
        ("exit", {503}),
        ("nothing", {503}),
        ("print", {202}),
        # The function ends, and the load balancer answers.
        ("loop in C", {502}),
        ("eat memory", {502, 503}),
    ],
)
def test_ingest_survives_odd_hooks(odd: Stack, does: str, statuses: set[int]) -> None:
    start = time.time()

    assert odd.post(new_order(accept=does, secret=SECRET)).status in statuses

    order = new_order()
    assert odd.post(order).status == 202
    odd.wait_for_row(order)
    assert SECRET not in log(odd, "ingest", start)


@pytest.mark.nightly
@pytest.mark.parametrize("does", ["loop", "exit", "nothing", "loop in C", "eat memory"])
def test_process_writes_the_neighbours_of_an_order_with_an_odd_hook(odd: Stack, does: str) -> None:
    start = time.time()
    bad = new_order(prepare=does, secret=SECRET)
    good = [new_order() for _ in range(5)]
    with quick_retries(odd):
        with odd.paused_mapping():
            bodies: list[dict[str, Any]] = [*good[:2], bad, *good[2:]]
            for order in bodies:
                assert odd.post(order).status == 202
        for order in good:
            odd.wait_for_row(order)
        assert odd.row(bad) is None
        odd.sqs.purge_queue(QueueUrl=odd.outputs["queue_url"])
        odd.wait_for_empty_queue()
    assert SECRET not in log(odd, "process", start)
    if does in ("loop", "exit", "nothing"):
        assert "Unexpected exception" in log(odd, "process", start)


@pytest.mark.nightly
def test_what_takes_the_time_is_in_the_metrics(odd: Stack) -> None:
    start = time.time()
    order = new_order()
    assert odd.post(order).status == 202
    odd.wait_for_row(order)

    eventually(lambda: '"HookDuration":[' in log(odd, "ingest", start), "the metric of ingest")
    eventually(lambda: '"HookDuration":[' in log(odd, "process", start), "the metric of process")
