"""Consumers: configurations that use the module from a git repository.

One has two systems side by side, and a queue alone; the other has two that share a network and its
VPC endpoints. Terraform is slower with all four in one configuration than with two in each.
"""

import json
from pathlib import Path
from typing import Any

from tests.support.plans import write_test
from tests.support.policies import allowing
from tests.support.repository import Repository

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


def write_consumers(work: Path) -> dict[tuple[str, str], Path]:
    """Writes configurations whose modules come from a repository with the current checkout.

    Returns:
        The directories, by the systems in each.
    """
    repository = Repository(work / "repository")
    common = {"source": repository.source(), "deletion_protection_enabled": False}
    queue = {
        "source": repository.source("queue"),
        "name": "alone",
        "consumer_timeout_seconds": 5,
    }
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
    directories = {}
    for systems, modules in zip(SYSTEMS, (side_by_side, sharing(repository, common)), strict=True):
        configuration = {
            "provider": {"aws": {}},
            "module": modules,
            "output": {name: {"value": f"${{module.{name}}}"} for name in systems},
        }
        directory = work / "-and-".join(systems)
        directory.mkdir()
        (directory / "main.tf.json").write_text(json.dumps(configuration))
        write_test(directory)
        directories[systems] = directory
    return directories


def sharing(repository: Repository, common: dict[str, Any]) -> dict[str, dict[str, Any]]:
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
        "network": {"source": repository.source("network"), "name": "shared"},
        "endpoints": {
            "source": repository.source("vpc_endpoints"),
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
