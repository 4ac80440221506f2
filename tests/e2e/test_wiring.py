"""Each resource points at the right neighbour, read from the state of the applied system."""

import json
from typing import Any

import pytest

from local.stack import Stack
from local.terraform import by_short_address

pytestmark = pytest.mark.stack

Resources = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def resources(stack: Stack) -> Resources:
    return by_short_address(stack.terraform.resources())


def statements(resources: Resources, role_policy: str) -> dict[str, dict[str, Any]]:
    policy = json.loads(resources[role_policy]["policy"])
    return {statement["Sid"]: statement for statement in policy["Statement"]}


def test_load_balancer_to_ingest(resources: Resources) -> None:
    balancer = resources["load_balancer.aws_lb.this"]
    listener = resources["load_balancer.aws_lb_listener.http"]
    rule = resources['load_balancer.aws_lb_listener_rule.this["http /lambda/api"]']
    group = resources["load_balancer.aws_lb_target_group.this"]
    alias = resources["ingest.aws_lambda_alias.live"]

    assert balancer["internal"]
    assert set(balancer["subnets"]) == subnet_ids(resources, "public")
    assert balancer["security_groups"] == [resources["load_balancer.aws_security_group.this"]["id"]]
    assert listener["load_balancer_arn"] == balancer["arn"]
    assert rule["listener_arn"] == listener["arn"]
    assert rule["action"][0]["target_group_arn"] == group["arn"]
    attachment = resources["load_balancer.aws_lb_target_group_attachment.this"]
    assert (attachment["target_group_arn"], attachment["target_id"]) == (group["arn"], alias["arn"])
    permission = resources["load_balancer.aws_lambda_permission.this"]
    assert permission["source_arn"] == group["arn"]
    assert permission["function_name"] == alias["function_name"]
    assert permission["qualifier"] == alias["name"]


def test_ingest_to_queue(resources: Resources) -> None:
    queue = resources["queue.aws_sqs_queue.this"]
    environment = resources["ingest.aws_lambda_function.this"]["environment"][0]["variables"]

    assert environment["QUEUE_URL"] == queue["url"]
    assert environment["MAX_MESSAGE_BYTES"] == str(queue["max_message_size"])
    assert environment["MAX_ORDERS"] == "1000"
    assert environment["LOG_LEVEL"] == "INFO"
    allowed = statements(resources, "ingest.aws_iam_role_policy.this")
    assert allowed["SendToQueue"]["Resource"] == queue["arn"]
    assert not any("dynamodb" in json.dumps(statement) for statement in allowed.values())


def test_queue_to_process(resources: Resources) -> None:
    queue = resources["queue.aws_sqs_queue.this"]
    dead_letter = resources["queue.aws_sqs_queue.dead_letter"]
    mapping = resources["aws_lambda_event_source_mapping.process"]
    process = resources["process.aws_lambda_function.this"]

    assert mapping["event_source_arn"] == queue["arn"]
    assert mapping["function_name"] == resources["process.aws_lambda_alias.live"]["arn"]
    assert mapping["function_response_types"] == ["ReportBatchItemFailures"]
    assert queue["visibility_timeout_seconds"] >= 6 * process["timeout"]
    redrive = json.loads(queue["redrive_policy"])
    assert redrive["deadLetterTargetArn"] == dead_letter["arn"]
    environment = process["environment"][0]["variables"]
    assert environment["MAX_RECEIVE_COUNT"] == str(redrive["maxReceiveCount"])
    assert json.loads(dead_letter["redrive_allow_policy"])["sourceQueueArns"] == [queue["arn"]]
    allowed = statements(resources, "process.aws_iam_role_policy.this")
    assert allowed["PollQueue"]["Resource"] == queue["arn"]
    assert allowed["SendToDeadLetterQueue"]["Resource"] == dead_letter["arn"]


def test_process_to_table(resources: Resources) -> None:
    table = resources["table.aws_dynamodb_table.this"]
    environment = resources["process.aws_lambda_function.this"]["environment"][0]["variables"]

    assert environment["TABLE_NAME"] == table["name"]
    keys = json.loads(environment["TABLE_KEYS"])
    assert [key["name"] for key in keys] == [table["hash_key"], table["range_key"]]
    types = {attribute["name"]: attribute["type"] for attribute in table["attribute"]}
    assert {key["name"]: key["type"] for key in keys} == types
    allowed = statements(resources, "process.aws_iam_role_policy.this")
    assert allowed["WriteItems"]["Resource"] == table["arn"]
    dead_letter = resources["queue.aws_sqs_queue.dead_letter"]
    assert environment["DEAD_LETTER_QUEUE_URL"] == dead_letter["url"]


@pytest.mark.parametrize("function", ["ingest", "process"])
def test_functions_in_the_network(resources: Resources, function: str) -> None:
    values = resources[f"{function}.aws_lambda_function.this"]
    group = resources[f"{function}.aws_security_group.this"]["id"]
    endpoint_group = resources["vpc_endpoints.aws_security_group.sqs"]["id"]
    rule = f'{function}.aws_vpc_security_group_egress_rule.this["SQS"]'
    ingress = f'vpc_endpoints.aws_vpc_security_group_ingress_rule.sqs["{function}"]'

    assert values["role"] == resources[f"{function}.aws_iam_role.this"]["arn"]
    assert set(values["vpc_config"][0]["subnet_ids"]) == subnet_ids(resources, "private")
    assert values["vpc_config"][0]["security_group_ids"] == [group]
    assert resources[rule]["security_group_id"] == group
    assert resources[rule]["referenced_security_group_id"] == endpoint_group
    assert resources[ingress]["security_group_id"] == endpoint_group
    assert resources[ingress]["referenced_security_group_id"] == group


def test_endpoints(resources: Resources) -> None:
    sqs = resources["vpc_endpoints.aws_vpc_endpoint.sqs"]
    dynamodb = resources["vpc_endpoints.aws_vpc_endpoint.dynamodb"]
    private_tables = {
        values["id"]
        for address, values in resources.items()
        if address.startswith("network.aws_route_table.private")
    }

    assert set(sqs["subnet_ids"]) == subnet_ids(resources, "private")
    assert set(dynamodb["route_table_ids"]) == private_tables
    send_policy = resources["vpc_endpoints.aws_vpc_endpoint_policy.sqs"]
    write_policy = resources["vpc_endpoints.aws_vpc_endpoint_policy.dynamodb"]
    assert send_policy["vpc_endpoint_id"] == sqs["id"]
    assert write_policy["vpc_endpoint_id"] == dynamodb["id"]
    queues = {
        resources["queue.aws_sqs_queue.this"]["arn"],
        resources["queue.aws_sqs_queue.dead_letter"]["arn"],
    }
    [send] = json.loads(send_policy["policy"])["Statement"]
    assert set(send["Resource"]) == queues
    [write] = json.loads(write_policy["policy"])["Statement"]
    assert write["Resource"] == resources["table.aws_dynamodb_table.this"]["arn"]
    of_the_account = {"StringEquals": {"aws:PrincipalAccount": "000000000000"}}
    assert send["Condition"] == write["Condition"] == of_the_account


def test_flow_logs(resources: Resources) -> None:
    flow_log = resources["network.aws_flow_log.this"]
    assert flow_log["vpc_id"] == resources["network.aws_vpc.this"]["id"]
    assert (
        flow_log["log_destination"]
        == resources["network.aws_cloudwatch_log_group.flow_logs"]["arn"]
    )


def subnet_ids(resources: Resources, kind: str) -> set[str]:
    prefix = f"network.aws_subnet.{kind}"
    return {values["id"] for address, values in resources.items() if address.startswith(prefix)}
