"""local/patches/workers.py: the CPU and the memory of a function."""

import json
import math
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.emulator import Emulator
from local.limits import ARE_POSSIBLE
from tests.local.patches.checks import Checks
from tests.local.support import deploy

# Uses as much CPU and memory as the event says, and returns the duration in seconds.
WORK = """
import time

def handle(event, context):
    start = time.monotonic()
    memory = b"x" * (event.get("megabytes", 0) * 2**20)
    end = time.process_time() + event.get("cpu_seconds", 0)
    while time.process_time() < end:
        pass
    return time.monotonic() - start
"""

check = Checks("workers")
pytestmark = pytest.mark.skipif(not ARE_POSSIBLE, reason="limits processes: Linux only")


@pytest.fixture(scope="module")
def emulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[bool, Emulator]]:
    with Emulator(tmp_path_factory.mktemp("limited"), port=0, function_limits=True) as emulator:
        yield {False: emulator}


def test_every_patch_has_a_check() -> None:
    check.assert_complete()


@pytest.mark.parametrize("name", check.names)
def test_the_check_passes_with_the_patch(emulators: dict[bool, Emulator], name: str) -> None:
    check.with_patch(name, emulators)


@pytest.mark.parametrize("name", check.names)
def test_the_check_fails_without_the_patch(tmp_path: Path, name: str) -> None:
    check.without_patch(name, tmp_path, function_limits=True)


@pytest.mark.parametrize("name", check.names)
def test_limits_apply_only_on_request(tmp_path: Path, name: str) -> None:
    check.without_patch(name, tmp_path)


@check()
def functions_have_the_cpu_of_their_memory_size(emulator: Emulator) -> None:
    deploy(emulator, "work", WORK)

    # 0.1 s of CPU take 1.4 s with 128 / 1769 of a core. On a busy machine a process may be stopped
    # late, and is held up in the next call instead: so only the last of the three may be quick.
    assert three_calls(emulator) > 2.4

    emulator.client("lambda").update_function_configuration(FunctionName="work", MemorySize=1769)
    assert three_calls(emulator) < 2.4


@check()
def functions_end_with_the_memory_of_their_size(emulator: Emulator) -> None:
    deploy(emulator, "work", WORK)
    emulator.client("lambda").update_function_configuration(FunctionName="work", MemorySize=512)

    assert not has_ended(work(emulator, megabytes=300))
    assert has_ended(work(emulator, megabytes=600))
    assert not has_ended(work(emulator, megabytes=300)), "in a new worker"


def three_calls(emulator: Emulator) -> float:
    """Returns how many seconds three calls of 0.1 s of CPU take in one worker."""
    work(emulator)
    start = time.monotonic()
    for _ in range(3):
        work(emulator, cpu_seconds=0.1)
    return time.monotonic() - start


def work(emulator: Emulator, **work: float) -> float:
    """Returns how many seconds the function took, or NaN if it was killed."""
    answer = emulator.client("lambda").invoke(FunctionName="work", Payload=json.dumps(work))
    content = json.loads(answer["Payload"].read())
    return math.nan if "FunctionError" in answer else float(content)


def has_ended(seconds: float) -> bool:
    return math.isnan(seconds)
