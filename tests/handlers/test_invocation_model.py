"""The model of an invocation (invocation.tf) agrees with the handlers."""

from typing import Any

import pytest

from local.events import ENVIRONMENT
from process import handler, reader, writer
from tests.support import invocation_model

BATCHES = {
    f"{batch_size}-{receives}": {"batch_size": batch_size, "max_receive_count": receives}
    for batch_size in (10, 100)
    for receives in (5, 485)
}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Any:
    directory = tmp_path_factory.mktemp("invocation")
    return invocation_model.evaluate(
        directory, BATCHES | {"default": {}, "hooks": {"hook_seconds": 2}}
    )


def test_the_model_reserves_the_time_that_the_handler_does(models: Any) -> None:
    numbers = models["default"]["invocation"]

    assert numbers["reserve_seconds"] == handler.MARGIN_SECONDS + reader.MIN_SECONDS
    assert numbers["read_seconds"] == reader.MIN_SECONDS
    assert numbers["read_bytes"] == reader.MAX_GROUP_BYTES
    assert numbers["hook_read_factor"] == reader.HOOK_FACTOR


def test_the_model_has_the_limits_of_the_writer(models: Any) -> None:
    numbers = models["default"]["invocation"]

    assert numbers["orders_per_batch_call"] == writer.MAX_STATEMENTS
    assert str(numbers["parallel_calls"]) == ENVIRONMENT["PARALLEL_CALLS"]


def test_the_default_limit_of_orders_is_the_one_tested_with_ingest(models: Any) -> None:
    assert str(models["default"]["max_orders_per_request"]) == ENVIRONMENT["MAX_ORDERS"]


def test_the_time_of_a_hook_and_of_its_copies_is_not_there_for_orders(models: Any) -> None:
    without, with_hook = (models[name]["orders_per_invocation"] for name in ("default", "hooks"))

    assert with_hook == pytest.approx(without * (30 - 3 - 1.5 - 2) / (30 - 3))


@pytest.mark.parametrize("name", BATCHES)
def test_a_batch_of_the_largest_requests_settles_within_its_receives(
    models: Any, name: str
) -> None:
    batch, model = BATCHES[name], models[name]
    orders = model["max_orders_per_request"] * batch["batch_size"]

    assert orders <= model["orders_per_invocation"] * batch["max_receive_count"]
    assert model["max_orders_per_request"] <= model["orders_per_invocation"] / 2
