"""The model of an invocation (invocation.tf) and the handler say the same."""

from pathlib import Path
from typing import Any

import pytest

from local.events import ENVIRONMENT
from process import handler, reader, writer
from tests.support import invocation


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("invocation")


@pytest.fixture(scope="module")
def model(directory: Path) -> Any:
    return invocation.evaluate(directory)


def test_the_model_reserves_the_time_that_the_handler_does(model: Any) -> None:
    reserved = model["invocation"]["reserve_seconds"]

    assert reserved == handler.MARGIN_SECONDS + reader.MIN_SECONDS


def test_the_model_has_the_limits_of_the_writer(model: Any) -> None:
    assert model["invocation"]["orders_per_batch_call"] == writer.MAX_STATEMENTS
    assert str(model["invocation"]["parallel_calls"]) == ENVIRONMENT["PARALLEL_CALLS"]


def test_the_default_limit_of_orders_is_the_one_tested_with_ingest(model: Any) -> None:
    assert str(model["max_orders_per_request"]) == ENVIRONMENT["MAX_ORDERS"]


@pytest.mark.parametrize("batch_size", [10, 100])
@pytest.mark.parametrize("receives", [5, 485])
def test_a_batch_of_the_largest_requests_settles_within_its_receives(
    directory: Path, batch_size: int, receives: int
) -> None:
    derived = invocation.evaluate(
        directory, process_batch_size=batch_size, max_receive_count=receives
    )
    in_a_batch = derived["max_orders_per_request"] * batch_size

    assert in_a_batch <= derived["orders_per_invocation"] * receives
    assert derived["max_orders_per_request"] <= derived["orders_per_invocation"] / 2
