"""The functions' packages, built as the module builds them: by Terraform, with AWS mocked."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from local.terraform import Terraform

MOCKS = "tests/terraform/mocks"
RUN = f"""
mock_provider "aws" {{ source = "./{MOCKS}" }}

run "packages" {{ command = plan }}
"""


class Package(NamedTuple):
    handler: str
    source_code_hash: str
    file: Path


def build(root: Path, environment: Mapping[str, str], run: str = RUN) -> dict[str, Package]:
    """Builds the packages of a checkout, below it.

    Args:
        root: The checkout, or a copy of its Terraform, its mocks and its handlers.
        environment: Of Terraform.
        run: A test that plans the root module.

    Returns:
        The packages by function, "ingest" and "process".

    Raises:
        TerraformError: It does not plan.
    """
    (root / "tests" / "packages.tftest.hcl").write_text(run)
    terraform = Terraform(root, root, environment)
    terraform.run("init", "-backend=false", "-input=false")
    resources = terraform.tested_resources("-filter=tests/packages.tftest.hcl")
    return {
        function["handler"].partition(".")[0]: Package(
            function["handler"], function["source_code_hash"], root / function["filename"]
        )
        for address, function in resources.items()
        if ".aws_lambda_function." in address
    }
