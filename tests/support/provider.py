"""Starts the AWS provider once for many Terraform commands.

python -m tests.support.provider COMMAND …

Terraform otherwise starts it for every plan, which takes most of the time of a small one.
"""

import contextlib
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from local.emulator import ROOT
from local.waiting import eventually

PROVIDERS = ROOT / ".terraform" / "providers"


@contextlib.contextmanager
def attached(environment: Mapping[str, str] = os.environ) -> Iterator[dict[str, str]]:
    """Yields the environment that lets Terraform attach to the running provider.

    It needs a preceding `terraform init` in the root.

    Args:
        environment: Of the provider, which it configures.
    """
    [binary] = PROVIDERS.glob("*/hashicorp/aws/*/*/terraform-provider-aws*")
    with tempfile.NamedTemporaryFile("w+") as output:
        process = subprocess.Popen(
            [binary, "-debug"], env=environment, stdout=output, stderr=subprocess.STDOUT
        )

        def address() -> str:
            text = Path(output.name).read_text()
            found = re.search(r"TF_REATTACH_PROVIDERS='(.*)'", text)
            assert found or process.poll() is None, text
            return found[1] if found else ""

        try:
            yield {"TF_REATTACH_PROVIDERS": eventually(address, "the provider's address")}
        finally:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    with attached() as provider:
        status = subprocess.call(sys.argv[1:], env={**os.environ, **provider})
    sys.exit(status)
