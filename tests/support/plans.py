"""Plans with mocked providers, which need neither an account nor the emulator."""

import json
from collections.abc import Iterable
from pathlib import Path

from local.emulator import ROOT

MOCKS = ROOT / "tests" / "terraform" / "mocks"


def write_test(directory: Path, aliases: Iterable[str] = ("",)) -> None:
    """Writes a test that plans the configuration in a directory.

    Args:
        directory: A root module.
        aliases: Of the AWS providers that it configures; "" is the one without.
    """
    source = f"  source = {json.dumps(str(MOCKS))}\n"
    providers = [
        'mock_provider "aws" {\n' + (f'  alias = "{alias}"\n' if alias else "") + source + "}\n"
        for alias in aliases
    ]
    text = "\n".join([*providers, 'run "plan" {\n  command = plan\n}\n'])
    (directory / "plan.tftest.hcl").write_text(text)
