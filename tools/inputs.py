"""Writes the list of the inputs by piece into README.md, from the headings in variables.tf.

python -m tools.inputs [--check]
"""

import re
import sys
from pathlib import Path

from tools import markup

ROOT = Path(__file__).resolve().parent.parent


def groups(variables: str) -> dict[str, list[str]]:
    """Returns the names of the inputs by heading; those before the first have none."""
    found: dict[str, list[str]] = {"": []}
    for heading, name in re.findall(r'^# (.+?) -{3,}$|^variable "(\w+)"', variables, re.MULTILINE):
        if heading:
            found[heading] = []
        else:
            [*_, last] = found.values()
            last.append(name)
    return found


def table(variables: str) -> str:
    rows = [
        (heading or "The whole", ", ".join(f"[{name}](#input_{name})" for name in names))
        for heading, names in groups(variables).items()
    ]
    return markup.table(("piece", "inputs"), rows)


def main(arguments: list[str]) -> int:
    document = ROOT / "README.md"
    before = document.read_text()
    after = markup.with_part(before, "GROUPS", table((ROOT / "variables.tf").read_text()))
    if "--check" not in arguments:
        document.write_text(after)
    elif after != before:
        print("✗ README.md is out of date: make docs", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
