"""invocation.tf, the model of an invocation, evaluated by Terraform itself and by nothing else."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from local.emulator import ROOT

# What the model is given: the root's inputs of these names, and the queue's derived count.
STUB = """
variable "process_timeout_seconds" { type = number }
variable "process_memory_size" { type = number }
variable "process_batch_size" { type = number }
variable "max_receive_count" { type = number }

module "queue" {
  source            = "./queue"
  max_receive_count = var.max_receive_count
}
"""
QUEUE = """
variable "max_receive_count" { type = number }
output "max_receive_count" { value = var.max_receive_count }
"""
QUESTION = """jsonencode({
  invocation = local.invocation, orders_per_invocation = local.orders_per_invocation,
  max_orders_per_request = local.max_orders_per_request
})"""


def evaluate(
    directory: Path,
    *,
    process_timeout_seconds: int = 30,
    process_memory_size: int = 512,
    process_batch_size: int = 10,
    max_receive_count: int = 485,
) -> Any:
    """The model's locals, with inputs as the root has them by default.

    Args:
        directory: Empty, or one that this function has used.
        process_timeout_seconds: The root's input.
        process_memory_size: Likewise.
        process_batch_size: Likewise.
        max_receive_count: What the queue derives.
    """
    inputs = {
        "process_timeout_seconds": process_timeout_seconds,
        "process_memory_size": process_memory_size,
        "process_batch_size": process_batch_size,
        "max_receive_count": max_receive_count,
    }
    (directory / "queue").mkdir(exist_ok=True)
    (directory / "queue" / "main.tf").write_text(QUEUE)
    (directory / "stub.tf").write_text(STUB)
    (directory / "invocation.tf").write_bytes((ROOT / "invocation.tf").read_bytes())
    (directory / "terraform.tfvars.json").write_text(json.dumps(inputs))
    _terraform(directory, "init", "-backend=false", "-input=false")
    # The console takes one line, and answers with a string in HCL, which is one in JSON as well.
    answer = _terraform(directory, "console", question=QUESTION.replace("\n", " "))
    return json.loads(json.loads(answer))


def _terraform(directory: Path, *arguments: str, question: str = "") -> str:
    result = subprocess.run(
        ["terraform", f"-chdir={directory}", *arguments],
        env={**os.environ, "CHECKPOINT_DISABLE": "1"},
        input=question,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout
