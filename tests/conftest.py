"""Where the time of a run went, above pytest's own summary."""

from collections import Counter, defaultdict
from pathlib import PurePath

import pytest

PROFILED_SECONDS = 10  # a shorter run needs no table


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
