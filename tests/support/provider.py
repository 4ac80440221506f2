"""The AWS provider, started once for many Terraform commands.

python -m tests.support.provider COMMAND …

Terraform starts it for every plan, which takes most of a small plan's time.
"""

import contextlib
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

PROVIDERS = Path(__file__).resolve().parents[2] / ".terraform" / "providers"


@contextlib.contextmanager
def attached() -> Iterator[dict[str, str]]:
    """The environment in which Terraform finds the running provider. Needs `terraform init`."""
    [binary] = PROVIDERS.glob("*/hashicorp/aws/*/*/terraform-provider-aws*")
    with tempfile.NamedTemporaryFile("w+") as output:
        process = subprocess.Popen([binary, "-debug"], stdout=output, stderr=subprocess.STDOUT)
        try:
            yield {"TF_REATTACH_PROVIDERS": _address(process, Path(output.name))}
        finally:
            process.terminate()
            process.wait()


def _address(process: subprocess.Popen[bytes], output: Path) -> str:
    for _ in range(300):
        if said := re.search(r"TF_REATTACH_PROVIDERS='(.*)'", output.read_text()):
            return said[1]
        assert process.poll() is None, output.read_text()
        time.sleep(0.1)
    raise AssertionError(f"The AWS provider did not say how to attach to it: {output.read_text()}")


if __name__ == "__main__":
    with attached() as provider:
        status = subprocess.call(sys.argv[1:], env={**os.environ, **provider})
    sys.exit(status)
