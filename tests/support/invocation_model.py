"""invocation.tf, the model of an invocation, evaluated by Terraform alone."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local.emulator import ROOT

# As the root has them by default; the queue derives max_receive_count.
DEFAULTS = {
    "timeout_seconds": 30,
    "memory_size": 512,
    "batch_size": 10,
    "max_receive_count": 485,
    "max_message_bytes": 262_144,
    "hook_seconds": 0,
}
# What invocation.tf takes from the rest of the root module, and what is read of it.
REST = """
variable "process_timeout_seconds" { type = number }
variable "process_memory_size" { type = number }
variable "process_batch_size" { type = number }
variable "queue_max_message_bytes" { type = number }
variable "max_receive_count" { type = number }
variable "hook_seconds" { type = number }

locals {
  hook_seconds = var.hook_seconds
}

module "queue" {
  source            = "./queue"
  max_receive_count = var.max_receive_count
}

output "invocation" { value = local.invocation }
output "orders_per_invocation" { value = local.orders_per_invocation }
output "max_orders_per_request" { value = local.max_orders_per_request }
output "largest_messages_read" { value = local.largest_messages_read }
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
  queue_max_message_bytes = each.value.max_message_bytes
  max_receive_count       = each.value.max_receive_count
  hook_seconds            = each.value.hook_seconds
}

output "models" { value = module.model }
"""


def evaluate(directory: Path, cases: Mapping[str, Mapping[str, int]]) -> Any:
    """Evaluates the model.

    Args:
        directory: An empty directory.
        cases: Inputs by the name of their case; those left out are as in DEFAULTS.

    Returns:
        The model's numbers by case.
    """
    model = directory / "model"
    (model / "queue").mkdir(parents=True)
    (model / "invocation.tf").write_bytes((ROOT / "invocation.tf").read_bytes())
    (model / "rest.tf").write_text(REST)
    (model / "queue" / "main.tf").write_text(QUEUE)
    (directory / "main.tf").write_text(MAIN)
    inputs = {name: {**DEFAULTS, **case} for name, case in cases.items()}
    (directory / "cases.json").write_text(json.dumps(inputs))
    _terraform(directory, "init", "-backend=false", "-input=false")
    _terraform(directory, "apply", "-auto-approve", "-input=false")
    return json.loads(_terraform(directory, "output", "-json", "models"))


def _terraform(directory: Path, *arguments: str) -> str:
    result = subprocess.run(
        ["terraform", f"-chdir={directory}", *arguments],
        env={**os.environ, "CHECKPOINT_DISABLE": "1"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout
