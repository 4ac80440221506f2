"""The examples and the consumers, applied side by side on one emulator."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from local.emulator import ROOT, Emulator
from local.stack import Stack
from local.terraform import Terraform
from tests.e2e.consumer import PARTNER, SYSTEMS, write_consumers
from tests.e2e.surroundings import clients_secret, domain_and_bucket, student

PATHS = {
    "complete": "/orders",
    "existing": "/v1/orders",
    "academy": "/lambda/api",
    "public": "/orders",
    "producers": "/lambda/api",
}
HTTPS = {"complete", "public"}
NIGHTLY = {"existing", "academy", "producers"}
LAPTOP = "203.0.113.7/32"


def applied(
    emulator: Emulator, directories: pytest.TempPathFactory, *, is_nightly: bool
) -> dict[str, Stack]:
    """Applies them all at the same time, as each spends much of it waiting."""

    def terraform(
        name: str,
        credentials: dict[str, str] | None = None,
        variables: dict[str, str] | None = None,
    ) -> Terraform:
        return Terraform(
            ROOT / "examples" / name,
            directories.mktemp(name),
            emulator.environment() | (credentials or {}),
            {"name": name, "deletion_protection": "false", **(variables or {})},
        )

    configurations = {
        "complete": terraform("complete", variables=domain_and_bucket(emulator)),
        "public": terraform(
            "public", variables=domain_and_bucket(emulator) | clients_secret(emulator)
        ),
    }
    if is_nightly:
        partner = {"producer_account_ids": json.dumps([PARTNER])}
        configurations |= {
            "existing": terraform("existing"),
            "academy": terraform(
                "academy",
                credentials=student(emulator),
                variables={"client_cidr_blocks": json.dumps([LAPTOP])},
            ),
            "producers": terraform("producers", variables=partner),
        }

    def apply(one: Terraform) -> None:
        one.init()
        one.apply()

    consumers = [
        Terraform(directory, directories.mktemp("consumer-state"), emulator.environment())
        for directory in write_consumers(directories.mktemp("consumers"))
    ]
    with ThreadPoolExecutor() as pool:
        list(pool.map(apply, [*configurations.values(), *consumers]))
    return {
        **{
            name: Stack(emulator, one, path=PATHS[name], port=443 if name in HTTPS else 80)
            for name, one in configurations.items()
        },
        **{
            name: Stack(emulator, consumer, module=name)
            for consumer, systems in zip(consumers, SYSTEMS, strict=True)
            for name in systems
        },
    }
