"""A table with orders in it is changed in place, never replaced."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.emulator import ROOT, Emulator
from local.terraform import Terraform, TerraformError

pytestmark = [pytest.mark.stack, pytest.mark.nightly]

TABLE = "module.table.aws_dynamodb_table.this[0]"
KEYS = {
    "partition_key": {"name": "order_id", "type": "S"},
    "sort_key": {"name": "item", "type": "S"},
}
CAPACITY = {"read_min": 1, "read_max": 10, "write_min": 5, "write_max": 500}


def write(directory: Path, **inputs: Any) -> None:
    source = str(ROOT / "modules" / "table")
    module = {"source": source, "name": "toggled", "deletion_protection_enabled": False, **KEYS}
    configuration = {"provider": {"aws": {}}, "module": {"table": module | inputs}}
    (directory / "main.tf.json").write_text(json.dumps(configuration))


@pytest.fixture(scope="module")
def table(
    emulator: Emulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, Terraform]]:
    directory = tmp_path_factory.mktemp("table")
    write(directory)
    terraform = Terraform(directory, directory, emulator.environment())
    terraform.init()
    terraform.apply()
    yield directory, terraform
    terraform.destroy()


def test_settings_change_in_place(table: tuple[Path, Terraform]) -> None:
    directory, terraform = table
    write(
        directory,
        ttl={"attribute": "expires_at"},
        table_class="STANDARD_INFREQUENT_ACCESS",
        stream_view_type="NEW_IMAGE",
        point_in_time_recovery_enabled=False,
        deletion_protection_enabled=True,
        kms_key={"arn": "arn:aws:kms:us-east-1:000000000000:key/1"},
        tags={"team": "orders"},
    )

    assert terraform.planned_actions()[TABLE] == "update"


def test_provisioned_capacity_must_not_start_at_one_unit(
    table: tuple[Path, Terraform], emulator: Emulator
) -> None:
    """The provider would switch to one unit each: the plan says how to switch beforehand."""
    directory, terraform = table
    write(directory, provisioned_capacity=CAPACITY)
    with pytest.raises(TerraformError, match=r"would\s+start\s+at\s+one\s+unit"):
        terraform.planned_actions()

    emulator.client("dynamodb").update_table(
        TableName="toggled",
        BillingMode="PROVISIONED",
        ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 5},
    )
    actions = terraform.planned_actions()
    assert actions.pop(TABLE, "update") == "update"
    assert set(actions.values()) == {"create"}  # the autoscaling


def test_another_key_replaces_the_table(table: tuple[Path, Terraform]) -> None:
    """Shows that the first test can fail."""
    directory, terraform = table
    write(directory, sort_key=None)

    assert terraform.planned_actions()[TABLE] == "replace"
