"""``make help`` fits one screen."""

import re
import subprocess

from local.emulator import ROOT

COLUMNS, LINES = 80, 50


def help_lines() -> list[str]:
    command = ["make", "--no-print-directory", "help"]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()


def test_the_list_fits_one_screen() -> None:
    lines = help_lines()

    assert [line for line in lines if len(line) > COLUMNS] == []
    assert len(lines) < LINES


def test_every_target_is_in_the_list() -> None:
    targets = re.findall(r"^\.PHONY: (\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert [line.split()[1] for line in help_lines() if line.startswith("  make ")] == targets
