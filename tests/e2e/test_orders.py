"""Orders go in through the load balancer and end as rows of the table."""

import json
from decimal import Decimal

import pytest

from local.stack import Stack
from local.waiting import NotInTimeError, eventually
from tests.support.stack import PERMANENT_FAILURE, new_order

pytestmark = pytest.mark.stack


def test_an_order_ends_as_a_row(stack: Stack) -> None:
    order = {"order_id": "123", "item": "Kopi Susu", "qty": 2}

    answer = stack.post(order)

    assert answer.status == 202
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json["status"] == "accepted"
    assert answer.json["message_id"]
    row = stack.wait_for_row(order)
    accepted_at = row.pop("accepted_at")
    assert row == {"order_id": {"S": "123"}, "item": {"S": "Kopi Susu"}, "qty": {"N": "2"}}
    assert int(accepted_at["N"]) > 1_700_000_000_000_000


def test_what_keeps_the_queue_from_getting_empty_is_shown(stack: Stack) -> None:
    stack.wait_for_empty_queue()
    order = new_order()
    with stack.paused_mapping():
        assert stack.post(order).status == 202
        with pytest.raises(NotInTimeError) as caught:
            stack.wait_for_empty_queue(seconds=0)

    [_, note] = caught.value.__notes__
    assert note.startswith("On the queue, received 0 times: ")
    assert order["order_id"] in note


def test_an_array_is_one_message_and_as_many_rows(stack: Stack) -> None:
    orders = [new_order(position=position) for position in range(40)]

    answer = stack.post(orders)

    assert (answer.status, answer.json["orders"]) == (202, 40)
    for order in orders:
        row = stack.wait_for_row(order)
        assert row["position"] == {"N": str(order["position"])}


def test_the_largest_request_is_settled_in_one_delivery(stack: Stack) -> None:
    """Although each order of the second version needs its own PutItem."""
    keys = [new_order() for _ in range(1000)]
    for version in ("1", "2"):
        answer = stack.post([{**key, "version": version} for key in keys])
        assert (answer.status, answer.json["orders"]) == (202, 1000)
        # A second delivery would take three minutes.
        stack.wait_for_empty_queue()

    rows = [stack.row(key) for key in keys]
    assert all(row and row["version"] == {"S": "2"} for row in rows)
    assert stack.post([*keys, new_order()]).status == 413


def test_a_number_arrives_as_it_was_sent(stack: Stack) -> None:
    order = new_order()
    price = "12345678901234567890.123456789012345678"
    body = json.dumps(order).replace('"qty": 2', f'"price": {price}')

    assert stack.send(body).status == 202

    row = stack.wait_for_row(order)
    assert Decimal(row["price"]["N"]) == Decimal(price)


def test_the_newest_order_of_a_key_wins(stack: Stack) -> None:
    order = new_order()
    with stack.paused_mapping():
        for quantity in range(1, 6):
            assert stack.post({**order, "qty": quantity}).status == 202

    def newest_is_stored() -> bool:
        row = stack.row(order)
        return row is not None and row["qty"] == {"N": "5"}

    eventually(newest_is_stored, "the newest order")
    stack.wait_for_empty_queue()
    assert newest_is_stored()


def test_a_permanent_failure_is_dead_lettered_and_its_neighbours_are_written(stack: Stack) -> None:
    good = [new_order() for _ in range(9)]
    with stack.paused_mapping():
        for body in [*map(json.dumps, good[:4]), PERMANENT_FAILURE, *map(json.dumps, good[4:])]:
            stack.sqs.send_message(QueueUrl=stack.outputs["queue_url"], MessageBody=body)

    [dead] = eventually(stack.take_dead_letters, "the dead letter")

    assert dead["Body"] == PERMANENT_FAILURE
    reason = dead["MessageAttributes"]["failure_reason"]["StringValue"]
    assert "item" in reason
    assert dead["MessageAttributes"]["original_message_id"]["StringValue"]
    for order in good:
        stack.wait_for_row(order)
    stack.wait_for_empty_queue()
