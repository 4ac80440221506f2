"""Markdown: its code blocks, its tables, and what programs write into documents."""

import re
from collections.abc import Iterable, Sequence


def blocks(text: str, language: str) -> list[str]:
    """Returns the contents of the code blocks of a language, in their order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def with_part(text: str, name: str, part: str) -> str:
    """Returns a text with another part between the comments BEGIN_name and END_name.

    Raises:
        ValueError: It does not have each of them once, in this order.
    """
    begin, end = f"<!-- BEGIN_{name} -->\n", f"<!-- END_{name} -->"
    before, rest = text.split(begin)
    _, after = rest.split(end)
    return f"{before}{begin}{part}{end}{after}"
