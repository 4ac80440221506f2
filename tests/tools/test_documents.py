"""The Markdown documents: links lead somewhere, code blocks are what they say."""

import ast
import json
import re
import subprocess
import tomllib
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).resolve().parents[2]
LISTED = subprocess.run(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
    cwd=ROOT,
    capture_output=True,
    text=True,
    check=True,
)
DOCUMENTS = [ROOT / name for name in LISTED.stdout.splitlines() if (ROOT / name).exists()]


class Block(NamedTuple):
    document: Path
    line: int
    language: str
    content: str


@cache
def tokens(document: Path) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(document.read_text())


def links(document: Path) -> Iterator[str]:
    for token in tokens(document):
        for child in token.children or []:
            if target := child.attrs.get("href") or child.attrs.get("src"):
                yield str(target)


@cache
def anchors(document: Path) -> set[str]:
    """The anchors of the headings, as GitHub makes them, and those that HTML gives."""
    found: set[str] = set()
    for token, content in zip(tokens(document), tokens(document)[1:], strict=False):
        if token.type == "heading_open":
            text = "".join(child.content for child in content.children or [])
            slug = re.sub(r"[^\w\- ]", "", unicodedata.normalize("NFC", text.lower()))
            slug = slug.replace(" ", "-")
            same = sum(re.fullmatch(rf"{re.escape(slug)}(-\d+)?", one) is not None for one in found)
            found.add(f"{slug}-{same}" if same else slug)
    return found | set(re.findall(r'<a (?:id|name)="([^"]+)"', document.read_text()))


def blocks() -> Iterator[Block]:
    for document in DOCUMENTS:
        for token in tokens(document):
            if token.type == "fence":
                assert token.map is not None
                yield Block(document, token.map[0] + 1, token.info.strip(), token.content)


def name_of(value: Any) -> str:
    if isinstance(value, Block):
        return f"{value.document.relative_to(ROOT)}:{value.line}"
    return str(value.relative_to(ROOT))


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_links_lead_somewhere(document: Path) -> None:
    """Links to other sites are not followed: no test needs the internet."""
    broken = []
    for link in links(document):
        path, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", link):
            continue
        target = (document.parent / path).resolve() if path else document
        if not target.exists() or (
            anchor and target.suffix == ".md" and anchor not in anchors(target)
        ):
            broken.append(link)
    assert not broken


@pytest.mark.parametrize("block", list(blocks()), ids=name_of)
def test_code_blocks_are_what_they_say(block: Block) -> None:
    assert block.language in CHECKS
    CHECKS[block.language](block.content)


def is_hcl(content: str) -> None:
    formatted = subprocess.run(
        ["terraform", "fmt", "-"], input=content, capture_output=True, text=True
    )
    assert formatted.returncode == 0, formatted.stderr
    assert formatted.stdout == content


def is_a_session(content: str) -> None:
    """Commands after "$ "; those of make are targets that there are."""
    assert re.search(r"^\$ ", content, re.MULTILINE), "no line begins with $"
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for command in re.findall(r"^\$ .*?\bmake ([^#\n]*)", content, re.MULTILINE):
        assert set(re.findall(r"(?<!\S)[a-z][a-z0-9-]*(?!\S)", command)) <= targets, command


def is_a_script(content: str) -> None:
    subprocess.run(["bash", "-n"], input=content, text=True, check=True)


def is_a_diagram(content: str) -> None:
    """Of a kind that is used here; `make site` has a browser draw it, where there is one."""
    assert content.startswith(("flowchart LR\n", "sequenceDiagram\n"))


def is_anything(content: str) -> None:
    """What a program prints, or a drawing."""


CHECKS: dict[str, Callable[[str], Any]] = {
    "": is_anything,
    "bash": is_a_script,
    "console": is_a_session,
    "hcl": is_hcl,
    "json": json.loads,
    "mermaid": is_a_diagram,
    "python": ast.parse,
    "text": is_anything,
    "toml": tomllib.loads,
}


def test_each_alarms_section_says_means_look_do_and_over() -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    [alarms] = re.findall(r"^## When an alarm fires$(.*?)^## ", page, re.MULTILINE | re.DOTALL)
    _, *parts = re.split(r"^### (.+)$", alarms, flags=re.MULTILINE)
    sections = dict(zip(parts[::2], parts[1::2], strict=True))
    words = ["Means", "Look", "Do", "Over"]

    assert len(sections) > 20
    for name, section in sections.items():
        found = [one for one in re.findall(r"\*\*(\w+)\*\*", section) if one in words]
        assert found == words, name


@pytest.mark.parametrize("page", sorted(ROOT.glob("examples/*/README.md")), ids=name_of)
def test_an_examples_commands_name_what_it_has(page: Path) -> None:
    text = page.read_text()
    has = "".join(path.read_text() for path in page.parent.glob("*.tf"))
    given = set(re.findall(r"-var '?(\w+)=|\$ echo '(\w+) = ", text))
    given = {option or line for option, line in given}
    shown = set(re.findall(r"terraform output -raw (\w+)", text))

    assert given <= set(re.findall(r'^variable "(\w+)"', has, re.MULTILINE))
    assert shown <= set(re.findall(r'^output "(\w+)"', has, re.MULTILINE))
    for heading in ("What it makes", "What it costs", "Apply it", "Try it", "Destroy it"):
        assert f"\n## {heading}\n" in text
    blocks = re.findall(r'^variable "(\w+)" \{\n(.*?)^\}', has, re.MULTILINE | re.DOTALL)
    assert {name for name, block in blocks if "\n  default " not in block} <= given
