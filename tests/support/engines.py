"""DynamoDB engines to test against: DynamoDB Local, the emulator, and moto.

The emulator checks keys, numbers, sizes and depth, as tests/local/recorded shows. moto 5.2 cannot
do a PartiQL INSERT with parameters, and is left out wherever there is one.
"""

import contextlib
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeVar

import moto
import pytest

from local.emulator import REGION, Emulator
from local.engines import Engine, MissingProgramError, client
from shared import aws
from tests.support import clients

T = TypeVar("T")


@contextlib.contextmanager
def or_skip(server: AbstractContextManager[T]) -> Iterator[T]:
    """Runs a server in Java; skips the test where Java or Maven is missing, but fails in CI."""
    with contextlib.ExitStack() as stack:
        try:
            running = stack.enter_context(server)
        except MissingProgramError as missing:
            if os.environ.get("CI"):
                pytest.fail(str(missing))
            pytest.skip(str(missing))
        yield running


@contextlib.contextmanager
def emulator(directory: Path) -> Iterator[Engine]:
    with Emulator(directory) as running:
        yield Engine("emulator", client(running.endpoint_url))


@contextlib.contextmanager
def in_moto() -> Iterator[Engine]:
    with moto.mock_aws():
        yield Engine("moto", client(None))


def functions_client(
    engine: Engine, service: str = "dynamodb", implementation: str = "builtin"
) -> aws.Client:
    """Returns the functions' own client, pointed at an engine; moto works with botocore only."""
    implementation = "botocore" if engine.name == "moto" else implementation
    return clients.client(
        engine.endpoint_url, service, 10, region=REGION, implementation=implementation
    )
