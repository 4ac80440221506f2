"""References and numbers that only the applied system can compare.

tests/terraform/wiring checks on mocked providers how the root connects its modules.
"""

import json

import pytest

from local.stack import Stack
from local.terraform import Resources, by_short_address

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def resources(stack: Stack) -> Resources:
    return by_short_address(stack.terraform.resources())


def test_load_balancer_forwards_to_ingest(resources: Resources) -> None:
    balancer = resources["load_balancer.aws_lb.this"]
    listener = resources["load_balancer.aws_lb_listener.http"]
    rule = resources['load_balancer.aws_lb_listener_rule.this["http /lambda/api"]']
    group = resources["load_balancer.aws_lb_target_group.this"]
    attachment = resources["load_balancer.aws_lb_target_group_attachment.this"]
    permission = resources["load_balancer.aws_lambda_permission.this"]
    alias = resources["ingest.aws_lambda_alias.live"]

    assert balancer["security_groups"] == [resources["load_balancer.aws_security_group.this"]["id"]]
    assert listener["load_balancer_arn"] == balancer["arn"]
    assert rule["listener_arn"] == listener["arn"]
    assert rule["action"][0]["target_group_arn"] == group["arn"]
    assert (attachment["target_group_arn"], attachment["target_id"]) == (group["arn"], alias["arn"])
    assert permission["source_arn"] == group["arn"]
    assert permission["function_name"] == alias["function_name"]
    assert permission["qualifier"] == alias["name"]


def test_ingest_knows_the_size_of_a_message(resources: Resources) -> None:
    environment = resources["ingest.aws_lambda_function.this"]["environment"][0]["variables"]

    size = resources["queue.aws_sqs_queue.this"]["max_message_size"]
    assert environment["MAX_MESSAGE_BYTES"] == str(size)


def test_queue_redrives_after_as_many_receives_as_process_knows(resources: Resources) -> None:
    queue = resources["queue.aws_sqs_queue.this"]
    dead_letter = resources["queue.aws_sqs_queue.dead_letter"]
    process = resources["process.aws_lambda_function.this"]
    redrive = json.loads(queue["redrive_policy"])

    assert queue["visibility_timeout_seconds"] >= 6 * process["timeout"]
    assert redrive["deadLetterTargetArn"] == dead_letter["arn"]
    assert process["environment"][0]["variables"]["MAX_RECEIVE_COUNT"] == str(
        redrive["maxReceiveCount"]
    )
    assert json.loads(dead_letter["redrive_allow_policy"])["sourceQueueArns"] == [queue["arn"]]


def test_process_knows_the_keys_of_the_table(resources: Resources) -> None:
    table = resources["table.aws_dynamodb_table.this"]
    environment = resources["process.aws_lambda_function.this"]["environment"][0]["variables"]

    keys = json.loads(environment["TABLE_KEYS"])
    types = {attribute["name"]: attribute["type"] for attribute in table["attribute"]}
    assert [key["name"] for key in keys] == [table["hash_key"], table["range_key"]]
    assert {key["name"]: key["type"] for key in keys} == types


@pytest.mark.parametrize("function", ["ingest", "process"])
def test_security_groups_connect_functions_and_endpoint(
    resources: Resources, function: str
) -> None:
    group = resources[f"{function}.aws_security_group.this"]["id"]
    endpoint_group = resources['vpc_endpoints.aws_security_group.interface["sqs"]']["id"]
    egress = resources[f'{function}.aws_vpc_security_group_egress_rule.this["SQS"]']
    ingress = resources[
        f'vpc_endpoints.aws_vpc_security_group_ingress_rule.interface["sqs {function}"]'
    ]
    [vpc] = resources[f"{function}.aws_lambda_function.this"]["vpc_config"]

    assert vpc["security_group_ids"] == [group]
    assert egress["security_group_id"] == group
    assert egress["referenced_security_group_id"] == endpoint_group
    assert ingress["security_group_id"] == endpoint_group
    assert ingress["referenced_security_group_id"] == group


def test_endpoints_have_the_policies(resources: Resources) -> None:
    for name in ('interface["sqs"]', "dynamodb"):
        endpoint = resources[f"vpc_endpoints.aws_vpc_endpoint.{name}"]
        policy = resources[f"vpc_endpoints.aws_vpc_endpoint_policy.{name}"]
        assert policy["vpc_endpoint_id"] == endpoint["id"]


def test_flow_logs_record_the_vpc(resources: Resources) -> None:
    flow_log = resources["network.aws_flow_log.this"]
    group = resources["network.aws_cloudwatch_log_group.flow_logs"]

    assert flow_log["vpc_id"] == resources["network.aws_vpc.this"]["id"]
    assert flow_log["log_destination"] == group["arn"]
