"""The applied system, which several folders use, and where the time of a run went."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from local.emulator import Emulator
from local.limits import ARE_POSSIBLE
from local.stack import Stack
from tests.support.stack import apply_minimal

NAME = "e2e"  # of the system
# Folders whose tests use the stack, by the process that runs them and applies it, which takes
# minutes; and files there that have other systems.
USE_THE_STACK = {
    "tests/e2e": "e2e",
    "tests/faults": "operation",
    "tests/hostile": "operation",
    "tests/operate": "operation",
}
OTHER_SYSTEMS = {
    "test_examples.py": "examples",
    "test_hooks.py": "signing",
    "test_signatures.py": "signing",
    "test_table.py": "table",
}
LONGEST = ("test_settle.py",)  # after those that use a stack
PROFILED_SECONDS = 10  # a shorter run needs no table


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Moves the longest tests to the front, and those that destroy the stack to the end."""
    for item in items:
        if "stack" in getattr(item, "fixturenames", ()) and not _process_of(item.nodeid):
            raise pytest.UsageError(f"{item.nodeid} uses the stack: see tests/conftest.py")
    items.sort(
        key=lambda item: (
            item.get_closest_marker("destroys") is not None,
            item.get_closest_marker("stack") is None,
            _process_of(item.nodeid) not in USE_THE_STACK.values(),
            item.path.name not in LONGEST,
        )
    )


def _process_of(nodeid: str) -> str:
    """Returns the name of what shares a process, or "" if that is the file alone."""
    file = PurePath(nodeid.partition("::")[0])
    shared = USE_THE_STACK.get("/".join(file.parts[:2]), "")
    return OTHER_SYSTEMS.get(file.name, shared) if shared else ""


class Scheduling(LoadScopeScheduling):  # type: ignore[misc] # without types
    """Gives a process whole files, and all that use the same system, which takes minutes."""

    def _split_scope(self, nodeid: str) -> str:
        return _process_of(nodeid) or nodeid.partition("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    return Scheduling(config, log)


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """IAM enforced, TLS on, and the limits of functions where they are possible."""
    directory = tmp_path_factory.mktemp("emulator")
    with Emulator(directory, auth=True, tls=True, function_limits=ARE_POSSIBLE) as running:
        yield running


@pytest.fixture(scope="session")
def stack(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """The whole system, applied once by each process that uses it."""
    return apply_minimal(emulator, tmp_path_factory.mktemp("terraform"), NAME)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    seconds: dict[str, float] = defaultdict(float)
    tests = Counter[str]()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                folder = str(PurePath(report.nodeid.partition("::")[0]).parent)
                seconds[folder] += report.duration
                tests[folder] += report.when == "call"
    if sum(seconds.values()) < PROFILED_SECONDS:
        return
    terminalreporter.section("time by folder, of all processes")
    for folder, total in sorted(seconds.items(), key=lambda one: -one[1]):
        terminalreporter.line(f"{total:7.1f} s  {tests[folder]:5} tests  {folder}")
