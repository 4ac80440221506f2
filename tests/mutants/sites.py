"""Where the module's Terraform can be changed by one small mistake.

An argument or an item of an object is dropped, a boolean flipped, or a number raised by one.
Excluded are

- texts for people, and what matters only before there is a plan: descriptions and types of inputs
  and outputs, messages, versions.tf;
- indexes such as the [0] of a resource with a count: changing them only makes Terraform stop.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.mutants.hcl import Item, Token, end_of_template, items, tokens

KINDS = ("argument", "boolean", "number", "depends_on")


class Site(NamedTuple):
    file: str
    line: int
    column: int
    kind: str
    where: str  # resource.aws_lb.this.idle_timeout
    before: str
    start: int
    end: int
    after: str

    @property
    def name(self) -> str:
        before = re.sub(r"\s+", " ", self.before)
        shortened = before if len(before) <= 60 else f"{before[:57]}…"
        change = f"{shortened} dropped" if not self.after else f"{shortened} → {self.after}"
        return f"{self.file}:{self.line}:{self.column} {self.where}: {change}"

    @property
    def input(self) -> str:
        """The input that it belongs to, or ""."""
        kind, name, *_ = self.where.split(".")
        return name if kind == "variable" else ""

    @property
    def shows_in_a_plan(self) -> bool:
        """Whether a plan can show it: not validations, lifecycle rules, or optional defaults."""
        if self.kind == "argument" and re.fullmatch(r"variable\.\w+\.default", self.where):
            return False
        return not re.search(r"\.(validation|lifecycle|assert)\.", self.where)

    def applied(self, text: str) -> str:
        return text[: self.start] + self.after + text[self.end :]


def files(root: Path) -> list[Path]:
    return [
        path
        for path in sorted([*root.glob("*.tf"), *root.glob("modules/*/*.tf")])
        if path.name != "versions.tf"
    ]


def all_sites(root: Path) -> list[Site]:
    return [
        site
        for path in files(root)
        for site in sites(str(path.relative_to(root)), path.read_text())
    ]


def sites(file: str, text: str) -> list[Site]:
    found: dict[tuple[int, int], Site] = {}
    for item in items(text):
        if item.name == "error_message" or (item.name == "description" and _is_interface(item)):
            continue
        for kind, start, end, after in _changes(text, item):
            line, column = text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start)
            where = ".".join((*item.path, item.name))
            # Items of an object, and their numbers, lie within its argument.
            found[start, end] = Site(
                file, line, column, kind, where, text[start:end], start, end, after
            )
    return [found[position] for position in sorted(found)]


def _is_interface(item: Item) -> bool:
    return item.path[0].split(".")[0] in ("variable", "output")


def _changes(text: str, item: Item) -> Iterator[tuple[str, int, int, str]]:
    if not (item.name == "type" and len(item.path) == 1 and _is_interface(item)):
        kind = "depends_on" if item.name == "depends_on" else "argument"
        yield kind, item.start, item.end, ""
    yield from _literals(text, item.expression)


def _literals(text: str, expression: tuple[Token, ...]) -> Iterator[tuple[str, int, int, str]]:
    for index, token in enumerate(expression):
        if token.text in ("true", "false"):
            yield "boolean", token.start, token.end, "false" if token.text == "true" else "true"
        elif token.kind == "number" and not _is_index(expression, index):
            number = float(token.text) + 1 if "." in token.text else int(token.text) + 1
            yield "number", token.start, token.end, str(number)
        elif token.kind == "string":
            for opening in re.finditer(r"(?<!\$)\$\{", token.text):
                start = token.start + opening.end()
                inside = tokens(text[start : end_of_template(text, start) - 1])
                moved = tuple(Token(one.kind, one.text, one.start + start) for one in inside)
                yield from _literals(text, moved)


def _is_index(expression: tuple[Token, ...], index: int) -> bool:
    return (
        0 < index < len(expression) - 1
        and expression[index - 1].text == "["
        and expression[index + 1].text == "]"
        and index >= 2
        and expression[index - 2].end == expression[index - 1].start
    )
