"""Consumers: configurations that use the module from a git repository.

One has two systems side by side, and a queue alone; the other has two that share a network and its
VPC endpoints. Terraform is slower with all four in one configuration than with two in each.
"""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from local.emulator import ROOT
from tests.support.policies import allowing

SYSTEMS = (("left", "right"), ("north", "south"))
PARTNER = "111111111111"  # another account; used as an access key, it is the root of it


# Inputs of the first system that no plan can show: they are merged with unknown values.
INPUTS: dict[str, Any] = {
    "ingest_environment": {"AGENT": "on"},
    "process_environment": {"AGENT": "on"},
    "process_dead_letter_immediately": False,
    "queue_policy_documents": [
        allowing(
            "sqs:SendMessage",
            Sid="SendByPartner",
            Principal={"AWS": f"arn:aws:iam::{PARTNER}:root"},
        )
    ],
    "vpc_endpoints": {
        f"{service}_policy_documents": [
            allowing(
                action,
                Sid="ListByAgents",
                Principal="*",
                Condition={"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/agent-*"}},
            )
        ]
        for service, action in {"sqs": "sqs:ListQueues", "dynamodb": "dynamodb:ListTables"}.items()
    },
    **{
        f"{function}_policy_documents": [
            allowing("s3:GetObject", "arn:aws:s3:::extra/*", Sid=f"{function.capitalize()}Extra")
        ]
        for function in ("ingest", "process")
    },
}


def write_consumers(work: Path) -> list[Path]:
    """Writes configurations whose modules come from a repository with the current checkout.

    Returns:
        The directories, as in SYSTEMS.
    """
    repository = work / "repository"
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    files = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, files.split("\0")):
        if (ROOT / name).is_file():
            (repository / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, repository / name)
    for command in (
        ["init", "--quiet"],
        ["add", "--all"],
        ["-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "--quiet", "-m", "now"],
    ):
        subprocess.run(["git", *command], cwd=repository, check=True)

    source = f"git::file://{repository}"
    common = {"source": source, "deletion_protection_enabled": False}
    queue = {"source": f"{source}//modules/queue", "name": "alone", "consumer_timeout_seconds": 5}
    side_by_side = {
        "left": {**common, "name": "left", **INPUTS},
        "right": {
            **common,
            "name": "right",
            "vpc": {"cidr_block": "10.1.0.0/16"},
            "fair_queue_attribute": "customer",
        },
        "alone": queue,
    }
    mocks = json.dumps(str(repository / "tests" / "terraform" / "mocks"))
    provider = f'mock_provider "aws" {{\n  source = {mocks}\n}}\n'
    test = provider + '\nrun "plan" {\n  command = plan\n}\n'
    directories = []
    for systems, modules in zip(SYSTEMS, (side_by_side, sharing(source, common)), strict=True):
        configuration = {
            "provider": {"aws": {}},
            "module": modules,
            "output": {name: {"value": f"${{module.{name}}}"} for name in systems},
        }
        directory = work / "-and-".join(systems)
        directory.mkdir()
        (directory / "main.tf.json").write_text(json.dumps(configuration))
        (directory / "plan.tftest.hcl").write_text(test)
        directories.append(directory)
    return directories


def sharing(source: str, common: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Returns two systems in one network, which has the one pair of endpoints a VPC can have."""
    systems = ("north", "south")
    network = {
        "vpc_id": "${module.network.vpc_id}",
        "vpc_cidr_block": "${module.network.vpc_cidr_block}",
        "load_balancer_subnet_ids": "${module.network.public_subnet_ids}",
        "function_subnet_ids": "${module.network.private_subnet_ids}",
    }

    def of_both(*outputs: str) -> list[str]:
        return [f"${{module.{system}.{output}}}" for system in systems for output in outputs]

    return {
        "network": {"source": f"{source}//modules/network", "name": "shared"},
        "endpoints": {
            "source": f"{source}//modules/vpc_endpoints",
            "name": "shared",
            "vpc_id": "${module.network.vpc_id}",
            "subnet_ids": "${module.network.private_subnet_ids}",
            "route_table_ids": "${module.network.private_route_table_ids}",
            "client_cidr_blocks": {"network": "${module.network.vpc_cidr_block}"},
            "queue_arns": of_both("queue_arn", "dead_letter_queue_arn"),
            "table_arns": of_both("table_arn"),
        },
        **{name: {**common, "name": name, "existing_network": network} for name in systems},
    }
