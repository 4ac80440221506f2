"""Each example, and two consumers of the module, applied in one go from empty state.

Each takes an order, has an empty second plan, and can be destroyed.
"""

import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import botocore.exceptions
import pytest

from local.emulator import HOST, Emulator
from local.http_client import send
from local.stack import Stack
from local.terraform import Resources
from local.waiting import eventually
from tests.e2e.consumer import PARTNER, SYSTEMS
from tests.e2e.examples import DAILY, LAPTOP, PATHS, applied
from tests.e2e.openapi import checked_answer
from tests.e2e.policies import Call, decision, role, role_without
from tests.support.signatures import SHOP, TILL, signature
from tests.support.stack import (
    PERMANENT_FAILURE,
    mapping_problem,
    new_order,
    quick_retries,
    reported_failures,
)

pytestmark = pytest.mark.stack

CONSUMERS = [systems[0] for systems in SYSTEMS]
CONFIGURATIONS = [*PATHS, *CONSUMERS]


def parameters(*names: str, nightly: Sequence[str] = ()) -> list[Any]:
    daily = DAILY - set(nightly)
    return [
        pytest.param(name, marks=[] if name in daily else [pytest.mark.nightly])
        for name in (*names, *nightly)
    ]


@pytest.fixture(scope="module")
def examples(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Stack]]:
    is_nightly = any(item.get_closest_marker("nightly") for item in request.session.items)
    with Emulator(tmp_path_factory.mktemp("emulator"), auth=True, tls=True) as emulator:
        yield applied(emulator, tmp_path_factory, is_nightly=is_nightly)


@pytest.mark.parametrize(
    "name", parameters(*(name for name in PATHS if name != "public"), *sum(SYSTEMS, ()))
)
def test_takes_an_order(examples: dict[str, Stack], name: str) -> None:
    stack = examples[name]
    order = new_order()

    assert stack.post(order).status == 202

    stack.wait_for_row(order)


@pytest.mark.nightly
def test_public_takes_signed_orders_of_which_the_newest_version_stays(
    examples: dict[str, Stack],
) -> None:
    stack = examples["public"]
    newer = new_order(updated_at="2026-11-26T10:00:00Z")
    older = newer | {"updated_at": "2026-11-26T09:00:00Z"}

    def post(order: dict[str, str], secret: str = SHOP) -> int:
        body = json.dumps(order)
        headers = {
            "Content-Type": "application/json",
            "Host": f"{HOST}:443",
            "X-Signature": signature(body, key_id="shop", secret=secret, at=int(time.time())),
        }
        tls = stack.emulator.tls_context
        return send(stack.url, body.encode(), headers=headers, tls=tls).status

    assert [post(newer), post(older), post(newer, secret=TILL)] == [202, 202, 401]
    stack.wait_for_row(newer)
    stack.wait_for_empty_queue()
    row = stack.wait_for_row(newer)
    assert row["updated_at"] == {"S": newer["updated_at"]}
    assert row["order_version_S_updated_at"]


@pytest.mark.parametrize("name", parameters(*PATHS, nightly=CONSUMERS))
def test_a_second_plan_changes_nothing(examples: dict[str, Stack], name: str) -> None:
    assert examples[name].terraform.pending_changes() == ""


def test_complete_redirects_http(examples: dict[str, Stack]) -> None:
    answer = examples["complete"].send(b"", method="GET", port=80)

    assert answer.status == 301
    assert answer.headers["Location"].startswith("https://")


def test_complete_refuses_orders_over_http(examples: dict[str, Stack]) -> None:
    """A redirected POST may become a GET, and the order would have been sent in plain text."""
    order = json.dumps(new_order()).encode()

    answer = checked_answer(examples["complete"], "/orders", order, port=80)

    assert answer == (403, "application/json")


@pytest.mark.parametrize("action", ["kms:GenerateDataKey", "kms:Decrypt"])
def test_an_encrypted_queue_accepts_nothing_without_the_key(
    examples: dict[str, Stack], action: str
) -> None:
    stack = examples["complete"]
    with role_without(stack, "complete-ingest", "EncryptForQueue", action):
        assert stack.post(new_order()).status == 503
    assert stack.post(new_order()).status == 202


def test_an_encrypted_queue_delivers_nothing_without_the_key(examples: dict[str, Stack]) -> None:
    stack, order = examples["complete"], new_order()
    with role_without(stack, "complete-process", "DecryptFromQueue", "kms:Decrypt"):
        complaint = eventually(lambda: mapping_problem(stack), "the mapping's complaint")
        assert "kms:Decrypt" in complaint
        assert stack.post(order).status == 202
        assert stack.queued() >= 1
    stack.wait_for_row(order)


def test_an_encrypted_table_accepts_nothing_without_the_key(examples: dict[str, Stack]) -> None:
    stack, order = examples["complete"], new_order()
    start = time.time()
    with quick_retries(stack):
        with role_without(stack, "complete-process", "DecryptTable", "kms:Decrypt"):
            assert stack.post(order).status == 202
            eventually(
                lambda: reported_failures(stack, "complete-process", start), "a failed write"
            )
            assert stack.row(order) is None
        stack.wait_for_row(order)


def test_a_permanent_failure_waits_for_the_permission_to_encrypt(
    examples: dict[str, Stack],
) -> None:
    stack, start = examples["complete"], time.time()
    with quick_retries(stack):
        with role_without(stack, "complete-process", "DecryptFromQueue", "kms:GenerateDataKey"):
            stack.sqs.send_message(
                QueueUrl=stack.outputs["queue_url"], MessageBody=PERMANENT_FAILURE
            )
            eventually(lambda: reported_failures(stack, "complete-process", start), "a failure")
            assert stack.take_dead_letters() == []
        [dead] = eventually(stack.take_dead_letters, "the dead letter")
    assert dead["Body"] == PERMANENT_FAILURE


@pytest.mark.nightly
def test_academy_creates_no_iam_resources(examples: dict[str, Stack]) -> None:
    resources = examples["academy"].terraform.resources()

    assert "module.async_ingest.aws_lambda_event_source_mapping.process" in resources
    assert [address for address in resources if ".aws_iam" in address] == []


@pytest.mark.nightly
def test_academy_is_reached_from_the_laptop_only(examples: dict[str, Stack]) -> None:
    resources = examples["academy"].terraform.resources()
    [balancer] = [one for address, one in resources.items() if ".aws_lb." in address]
    rules = [
        one
        for address, one in resources.items()
        if ".load_balancer.aws_vpc_security_group_ingress" in address
    ]

    assert not balancer["internal"]
    assert [one["cidr_ipv4"] for one in rules] == [LAPTOP]


@pytest.mark.nightly
def test_public_is_behind_a_firewall_that_limits_each_client(examples: dict[str, Stack]) -> None:
    """The emulator does not apply its rules."""
    stack = examples["public"]
    wafv2 = stack.emulator.client("wafv2")
    balancer = stack.emulator.client("elbv2").describe_load_balancers(
        Names=[stack.outputs["load_balancer_name"]]
    )["LoadBalancers"][0]

    acl = wafv2.get_web_acl_for_resource(ResourceArn=balancer["LoadBalancerArn"])["WebACL"]

    assert balancer["Scheme"] == "internet-facing"
    limit = acl["Rules"][0]["Statement"]["RateBasedStatement"]
    assert (limit["Limit"], limit["AggregateKeyType"]) == (600, "IP")
    assert stack.send(b"", method="GET", port=80).status == 301


@pytest.mark.nightly
def test_other_producers_send_orders_to_the_queue(examples: dict[str, Stack]) -> None:
    stack = examples["producers"]
    client = stack.emulator.client
    by_topic, by_event, by_account, foreign = (new_order() for _ in range(4))

    client("sns").publish(TopicArn=stack.outputs["topic_arn"], Message=json.dumps(by_topic))
    events = [
        {"Source": source, "DetailType": "OrderPlaced", "Detail": json.dumps(order)}
        for source, order in (("shop", by_event), ("elsewhere", foreign))
    ]
    assert client("events").put_events(Entries=events)["FailedEntryCount"] == 0
    client("sqs", aws_access_key_id=PARTNER).send_message(
        QueueUrl=stack.outputs["queue_url"], MessageBody=json.dumps(by_account)
    )

    for order in (by_topic, by_event, by_account):
        row = stack.wait_for_row(order)
        assert set(row) == {*order, "accepted_at"}
    assert stack.row(foreign) is None
    assert stack.take_dead_letters() == []

    # The emulator's EventBridge does not ask for the queue's policy.
    resources = stack.terraform.resources()
    queue = resources["module.async_ingest.module.queue.aws_sqs_queue.this"]
    policy, rule = (json.loads(queue["policy"]), resources["aws_cloudwatch_event_rule.orders"])
    for service, source in {"sns": stack.outputs["topic_arn"], "events": rule["arn"]}.items():
        call = Call(f"{service}.amazonaws.com", "sqs:SendMessage", queue["arn"])
        assert decision(policy, call._replace(context={"aws:SourceArn": source})) == "Allow"
        others = {"aws:SourceArn": f"{source}-of-others"}
        assert decision(policy, call._replace(context=others)) == "ImplicitDeny"


def test_two_systems_side_by_side_share_nothing(examples: dict[str, Stack]) -> None:
    left, right = examples["left"], examples["right"]
    shared = {name for name, value in left.outputs.items() if value == right.outputs[name]}
    # AWS has one hosted zone per region; the others follow from the same defaults.
    assert shared == {
        *("load_balancer_zone_id", "max_orders_per_request", "survived_outage_seconds"),
        *("path_patterns", "table_stream_arn"),
    }

    order = new_order()
    assert left.post(order).status == 202
    eventually(lambda: left.row(order), "the row")
    assert right.row(order) is None


@pytest.mark.nightly
def test_two_systems_in_one_network_share_its_endpoints(examples: dict[str, Stack]) -> None:
    """Their functions have no other route, so test_takes_an_order proves that these work."""
    vpcs = {examples[name].outputs["vpc_id"] for name in ("north", "south")}
    assert len(vpcs) == 1
    ec2 = examples["north"].emulator.client("ec2")
    endpoints = [
        one for one in ec2.describe_vpc_endpoints()["VpcEndpoints"] if one["VpcId"] in vpcs
    ]
    assert sorted(one["VpcEndpointType"] for one in endpoints) == ["Gateway", "Interface"]
    assert not any(
        ".aws_nat_gateway." in address for address in examples["north"].terraform.addresses()
    )


@pytest.fixture(scope="module")
def resources_of_left(examples: dict[str, Stack]) -> Resources:
    return examples["left"].terraform.resources()


def test_a_queue_accepts_messages_from_principals_in_its_policy(
    examples: dict[str, Stack], resources_of_left: Resources
) -> None:
    left, right = examples["left"], examples["right"]
    sqs = left.emulator.client("sqs", aws_access_key_id=PARTNER)
    order = new_order()
    sqs.send_message(QueueUrl=left.outputs["queue_url"], MessageBody=json.dumps(order))
    eventually(lambda: left.row(order), "the row")
    with pytest.raises(botocore.exceptions.ClientError, match="AccessDenied"):
        sqs.send_message(QueueUrl=right.outputs["queue_url"], MessageBody=json.dumps(order))

    policy = json.loads(resources_of_left["module.left.module.queue.aws_sqs_queue.this"]["policy"])
    call = Call(role("any", PARTNER), "sqs:SendMessage", left.outputs["queue_arn"])
    assert decision(policy, call) == "Allow"
    assert decision(policy, call._replace(tls=False)) == "Deny"


def groups_of(stack: Stack, queue: str, count: int) -> list[str | None]:
    """Waits for so many messages on a queue, deletes them, and returns their groups."""
    found: list[str | None] = []

    def take() -> int:
        url = stack.outputs[queue]
        answer = stack.sqs.receive_message(
            QueueUrl=url, AttributeNames=["All"], MaxNumberOfMessages=10, WaitTimeSeconds=0
        )
        for message in answer.get("Messages", []):
            stack.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            found.append(message["Attributes"].get("MessageGroupId"))
        return len(found)

    eventually(take, f"{count} messages", until=lambda number: number >= count)
    return sorted(found, key=str)


def test_a_message_is_of_the_tenant_that_its_order_names(examples: dict[str, Stack]) -> None:
    fair, without = examples["right"], examples["left"]
    long = "x" * 10_000
    with fair.paused_mapping(), without.paused_mapping():
        for customer in ({"customer": "acme"}, {"customer": 42}, {"customer": long}, {}):
            assert fair.post(new_order(**customer)).status == 202
        assert without.post(new_order(customer="acme")).status == 202

        hashed = hashlib.sha256(long.encode()).hexdigest()
        assert groups_of(fair, "queue_url", 4) == sorted(["42", "acme", hashed, None], key=str)
        assert groups_of(without, "queue_url", 1) == [None]


def test_a_dead_letter_stays_with_its_tenant_when_it_is_redriven(
    examples: dict[str, Stack],
) -> None:
    stack = examples["right"]
    dead = {"QueueUrl": stack.outputs["dead_letter_queue_url"]}

    def depth() -> int:
        attributes = stack.sqs.get_queue_attributes(
            **dead, AttributeNames=["ApproximateNumberOfMessages"]
        )["Attributes"]
        return int(attributes["ApproximateNumberOfMessages"])

    stack.sqs.send_message(
        QueueUrl=stack.outputs["queue_url"], MessageBody=PERMANENT_FAILURE, MessageGroupId="acme"
    )
    eventually(depth, "the dead letter")
    with stack.paused_mapping():
        assert stack.redrive() == 1
        assert depth() == 0

    assert groups_of(stack, "dead_letter_queue_url", 1) == ["acme"]


def test_endpoint_policies_have_the_additional_statements(resources_of_left: Resources) -> None:
    for name in ('interface["sqs"]', "dynamodb"):
        address = f"module.left.module.vpc_endpoints[0].aws_vpc_endpoint_policy.{name}"
        statements = json.loads(resources_of_left[address]["policy"])["Statement"]
        sids = {statement["Sid"] for statement in statements}
        assert "ListByAgents" in sids
        assert len(sids) == 2


@pytest.mark.nightly
@pytest.mark.parametrize("name", CONSUMERS)
def test_a_consumer_plans_with_mocked_providers(examples: dict[str, Stack], name: str) -> None:
    _, output = examples[name].terraform.run("test", "-no-color")

    assert "1 passed, 0 failed" in output


def test_each_system_has_its_own_files_of_identical_packages(examples: dict[str, Stack]) -> None:
    for function in ("ingest", "process"):
        found = []
        for systems in [names for names in SYSTEMS if names[0] in examples]:
            packages = examples[systems[0]].terraform.directory / ".terraform" / "packages"
            files = sorted(packages.glob(f"000000000000-us-east-1-*-{function}.zip"))
            assert [file.name.split("-")[-2] for file in files] == list(systems)
            found += files
        assert len({file.read_bytes() for file in found}) == 1


@pytest.mark.parametrize("function", ["ingest", "process"])
def test_a_function_has_the_additional_variables_and_statements(
    resources_of_left: Resources, function: str
) -> None:
    prefix = f"module.left.module.{function}."
    [environment] = resources_of_left[f"{prefix}aws_lambda_function.this"]["environment"]

    assert environment["variables"]["AGENT"] == "on"
    if function == "process":
        assert environment["variables"]["DEAD_LETTER_IMMEDIATELY"] == "false"
    policy = resources_of_left[f"{prefix}aws_iam_role_policy.this[0]"]["policy"]
    assert f"{function.capitalize()}Extra" in policy


@pytest.fixture(scope="module")
def destroyed(examples: dict[str, Stack]) -> dict[str, Stack]:
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda name: examples[name].terraform.destroy(), CONFIGURATIONS))
    return examples


@pytest.mark.nightly
@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_destroys(destroyed: dict[str, Stack], name: str) -> None:
    assert destroyed[name].terraform.addresses() == []
