"""The running system is paused, extended and encrypted, and loses nothing meanwhile."""

import base64
import hashlib
import json
from functools import partial
from pathlib import Path

import pytest

from tests.changes import run
from tests.changes.system import ChangingSystem, Traffic
from tests.e2e.stack import Stack, eventually
from tests.support.archive import zipped

IN_THE_LAYER = """
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
        eventually(lambda: stack.queued() > waiting, "orders that wait")
    assert traffic.refused == []
    assert system.terraform.plan_changes() == ""
    last = traffic.accepted[-1]
    assert stack.row(last["order_id"], last["item"]) is None

    layer = stack.lambda_.publish_layer_version(
        LayerName="agent", Content={"ZipFile": zipped({"python/agent.py": IN_THE_LAYER})}
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
    all_stored(stack, traffic)

    system.configure({})
    system.terraform.apply()
    assert system.terraform.plan_changes() == ""


def test_a_key_comes_changes_and_goes_under_traffic(system: ChangingSystem, stack: Stack) -> None:
    """In place. What waits under an old key is not seen here: the emulator looks at the present."""
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
            eventually(partial(has_more, traffic, sent), "orders under it")
    assert traffic.refused == []
    all_stored(stack, traffic)
    assert system.terraform.plan_changes() == ""
    assert stack.take_dead_letters() == []


def has_more(traffic: Traffic, than: int) -> bool:
    return len(traffic.accepted) > than + 10


def all_stored(stack: Stack, traffic: Traffic) -> None:
    """Each order that was accepted gets to the table."""
    assert traffic.accepted
    for order in traffic.accepted:
        row = (order["order_id"], order["item"])
        eventually(partial(stack.row, *row), f"the row of {json.dumps(order)}", 60)
