"""Writes the list of the inputs by piece into README.md, from the headings in variables.tf.

python tools/inputs.py [--check]
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- BEGIN_GROUPS -->\n", "<!-- END_GROUPS -->"


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
    rows = ["| piece | inputs |\n| --- | --- |\n"]
    for heading, names in groups(variables).items():
        links = ", ".join(f"[{name}](#input_{name})" for name in names)
        rows.append(f"| {heading or 'The whole'} | {links} |\n")
    return "".join(rows)


def main(arguments: list[str]) -> int:
    document = ROOT / "README.md"
    before = document.read_text()
    head, rest = before.split(BEGIN)
    after = f"{head}{BEGIN}{table((ROOT / 'variables.tf').read_text())}{END}{rest.split(END)[1]}"
    if "--check" not in arguments:
        document.write_text(after)
    elif after != before:
        print("✗ README.md is out of date: make docs", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
