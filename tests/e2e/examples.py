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
    "hooks": "/lambda/api",
    "public": "/orders",
    "producers": "/lambda/api",
}
HTTPS = {"complete", "public"}
LAPTOP = "203.0.113.7/32"
# Those that `make test` applies too; the others are applied nightly.
DAILY = {"complete", "left", "right"}


def applied(
    emulator: Emulator, directories: pytest.TempPathFactory, *, is_nightly: bool
) -> dict[str, Stack]:
    """Applies them at the same time, as each spends much of it waiting.

    Args:
        emulator: Where.
        directories: For their state, and for the consumers.
        is_nightly: All of them, rather than those of DAILY.
    """

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
        "existing": terraform("existing"),
        "academy": terraform(
            "academy",
            credentials=student(emulator),
            variables={"client_cidr_blocks": json.dumps([LAPTOP])},
        ),
        "hooks": terraform("hooks"),
        "public": terraform(
            "public", variables=domain_and_bucket(emulator) | clients_secret(emulator)
        ),
        "producers": terraform(
            "producers", variables={"producer_account_ids": json.dumps([PARTNER])}
        ),
        **{
            systems[0]: Terraform(
                directory, directories.mktemp("consumer-state"), emulator.environment()
            )
            for systems, directory in write_consumers(directories.mktemp("consumers")).items()
        },
    }
    chosen = {name: one for name, one in configurations.items() if is_nightly or name in DAILY}

    def apply(one: Terraform) -> None:
        one.init()
        one.apply()

    with ThreadPoolExecutor() as pool:
        list(pool.map(apply, chosen.values()))
    examples = {
        name: Stack(emulator, one, path=PATHS[name], port=443 if name in HTTPS else 80)
        for name, one in chosen.items()
        if name in PATHS
    }
    consumers = {
        name: Stack(emulator, chosen[systems[0]], module=name)
        for systems in SYSTEMS
        if systems[0] in chosen
        for name in systems
    }
    return examples | consumers
