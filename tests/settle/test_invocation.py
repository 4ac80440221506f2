"""The model of an invocation is the same in Terraform and in Python."""

import itertools
import json
import subprocess
from pathlib import Path

from local.emulator import ROOT
from tests.settle import model as invocation

CASES = {
    f"{timeout}-{memory}-{batch}-{count}": {
        "timeout_seconds": timeout,
        "memory_size": memory,
        "batch_size": batch,
        "max_receive_count": count,
    }
    for timeout, memory, batch, count in itertools.product(
        (6, 10, 30, 900), (256, 512, 1769, 10240), (1, 10, 100, 10_000), (5, 485, 1000)
    )
}
# What invocation.tf takes from the rest of the root module.
REST = """
variable "process_timeout_seconds" { type = number }
variable "process_memory_size" { type = number }
variable "process_batch_size" { type = number }
variable "max_receive_count" { type = number }

module "queue" {
  source            = "./queue"
  max_receive_count = var.max_receive_count
}

output "max_orders_per_request" { value = local.max_orders_per_request }
output "invocation" { value = local.invocation }
"""
QUEUE = """
variable "max_receive_count" { type = number }
output "max_receive_count" { value = var.max_receive_count }
"""
MAIN = """
module "model" {
  source   = "./model"
  for_each = jsondecode(file("cases.json"))

  process_timeout_seconds = each.value.timeout_seconds
  process_memory_size     = each.value.memory_size
  process_batch_size      = each.value.batch_size
  max_receive_count       = each.value.max_receive_count
}

output "models" { value = module.model }
"""


def test_terraform_and_python_have_the_same_model(tmp_path: Path) -> None:
    model = tmp_path / "model"
    (model / "queue").mkdir(parents=True)
    (model / "invocation.tf").write_text((ROOT / "invocation.tf").read_text())
    (model / "rest.tf").write_text(REST)
    (model / "queue" / "main.tf").write_text(QUEUE)
    (tmp_path / "main.tf").write_text(MAIN)
    (tmp_path / "cases.json").write_text(json.dumps(CASES))

    _terraform(tmp_path, "init", "-input=false")
    _terraform(tmp_path, "apply", "-auto-approve", "-input=false")
    models = json.loads(_terraform(tmp_path, "output", "-json", "models"))

    for name, case in CASES.items():
        orders = invocation.max_orders_per_request(**case)
        assert models[name]["max_orders_per_request"] == orders, name
    numbers = {
        name: getattr(invocation, name.upper()) for name in models[next(iter(CASES))]["invocation"]
    }
    assert models[next(iter(CASES))]["invocation"] == numbers


def _terraform(directory: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["terraform", *arguments], cwd=directory, capture_output=True, text=True, check=False
    )
    assert not done.returncode, done.stderr
    return done.stdout
