"""The running system is paused, extended and encrypted, without losing an order."""

import base64
import hashlib
from functools import partial
from pathlib import Path

import pytest

from local.archive import zipped
from local.stack import Stack
from local.waiting import eventually
from tests.changes import run
from tests.changes.system import ChangingSystem, Traffic

pytestmark = pytest.mark.stack

LAYER = """
def handle(event, context):
    return {"statusCode": 202, "headers": {"Content-Type": "text/plain"}, "body": "by the layer"}
"""


@pytest.fixture(scope="module")
def system(changing: ChangingSystem) -> ChangingSystem:
    changing.terraform.apply()  # for its outputs
    return changing


def test_a_paused_system_keeps_orders_and_a_layer_reaches_the_handler(
    system: ChangingSystem, stack: Stack, tmp_path: Path
) -> None:
    with Traffic(partial(run.status, stack)) as traffic:
        system.configure({"process_enabled": False})
        system.terraform.apply()
        waiting = stack.queued()
        eventually(lambda: stack.queued() > waiting, "waiting orders")
    assert traffic.refused == []
    assert system.terraform.pending_changes() == ""
    last = traffic.accepted[-1]
    assert stack.row(last) is None

    layer = stack.lambda_.publish_layer_version(
        LayerName="agent", Content={"ZipFile": zipped({"python/agent.py": LAYER})}
    )["LayerVersionArn"]
    package = tmp_path / "ingest.zip"
    package.write_bytes(zipped({"ingest/handler.py": "from agent import handle"}))
    digest = base64.b64encode(hashlib.sha256(package.read_bytes()).digest()).decode()
    system.configure(
        {
            "ingest_layers": [layer],
            "ingest_package": {"filename": str(package), "source_code_hash": digest},
        }
    )
    system.terraform.apply()
    assert stack.post({}).body == b"by the layer"
    assert_all_stored(stack, traffic)

    system.configure({})
    system.terraform.apply()
    assert system.terraform.pending_changes() == ""


def test_a_key_comes_changes_and_goes_under_traffic(system: ChangingSystem, stack: Stack) -> None:
    """In place. Messages under an old key are not covered: the emulator checks the current key."""
    kms = stack.emulator.client("kms")
    policy = system.terraform.outputs()["all"]["kms_key_policy_json"]
    keys = [{"arn": kms.create_key(Policy=policy)["KeyMetadata"]["Arn"]} for _ in range(2)]
    queue = {"QueueUrl": stack.outputs["queue_url"], "AttributeNames": ["KmsMasterKeyId"]}
    with Traffic(partial(run.status, stack)) as traffic:
        for key in [*keys, None]:
            sent = len(traffic.accepted)
            system.configure({"kms_key": key} if key else {})
            system.terraform.apply()
            attributes = stack.sqs.get_queue_attributes(**queue).get("Attributes", {})
            assert attributes.get("KmsMasterKeyId", "") == (key["arn"] if key else "")
            eventually(partial(has_more, traffic, sent), "orders under the key")
    assert traffic.refused == []
    assert_all_stored(stack, traffic)
    assert system.terraform.pending_changes() == ""
    assert stack.take_dead_letters() == []


def has_more(traffic: Traffic, than: int) -> bool:
    return len(traffic.accepted) > than + 10


def assert_all_stored(stack: Stack, traffic: Traffic) -> None:
    """Waits until every accepted order is in the table."""
    assert traffic.accepted
    for order in traffic.accepted:
        stack.wait_for_row(order, 60)
