"""tools/pages.py: pages that GitHub shows become pages of the site, with the same content."""

import re
from pathlib import Path, PurePosixPath

import pytest
from markdown import markdown
from markdown_it import MarkdownIt

from tools import pages

ROOT = Path(__file__).resolve().parents[2]
LISTS = [
    "text\n- one\n  continued\n\n  ```hcl\n  x = 1\n  ```\n- two\n  - three\n    continued\n",
    "1. one\n\n   ```console\n   $ ls\n   ```\n\n2. two\n   continued\n\nafter\n",
    "- one\n- two\n\n  paragraph\n\n      code\n",
]


def shape(html: str) -> list[str]:
    """The tags and words of HTML, without those that only one of the renderers writes."""
    html = re.sub(r"</?p>| class=\"[^\"]*\"", "", html)
    return re.findall(r"<[^>]+>|[^<\s]+", html)


@pytest.mark.parametrize("text", LISTS)
def test_lists_are_read_as_github_reads_them(text: str) -> None:
    site = markdown(pages.indented(text), extensions=["pymdownx.superfences"])
    site = re.sub(r'<div><pre>.*?<code>|<div class="highlight"><pre>.*?<code>', "<pre><code>", site)
    site = re.sub(r"</?span[^>]*>|</div>", "", site)

    assert shape(site) == shape(MarkdownIt("commonmark").render(text))


@pytest.mark.parametrize("name", [one for one in pages.tracked() if one.endswith(".md")])
def test_a_page_has_as_many_items_blocks_and_rows_as_on_github(name: str) -> None:
    text = (ROOT / name).read_text()
    site = markdown(pages.indented(text), extensions=["tables", "pymdownx.superfences"])
    github = MarkdownIt("commonmark").enable("table").render(text)

    for tag in ("h2", "li", "ol", "pre", "table", "tr", "ul"):
        opening = re.compile(f"<{tag}[ >]")
        assert len(opening.findall(site)) == len(opening.findall(github)), tag


@pytest.mark.parametrize(
    ("link", "becomes"),
    [
        ("changing.md#destroy", "changing.md#destroy"),
        ("../examples/public", "../examples/public/README.md"),
        ("../examples/academy#what-it-costs", "../examples/academy/README.md#what-it-costs"),
        ("../tests/faults", f"{pages.REPOSITORY}/tree/main/tests/faults"),
        ("../versions.tf", f"{pages.REPOSITORY}/blob/main/versions.tf"),
        ("faults.png", "faults.png"),
        ("#destroy", "#destroy"),
        ("https://example.com/x.tf", "https://example.com/x.tf"),
    ],
)
def test_links_lead_to_pages_or_to_the_repository(link: str, becomes: str) -> None:
    page = PurePosixPath("docs/page.md")

    assert pages.linked(f"see [this]({link}).", page) == f"see [this]({becomes})."
    assert pages.linked(f"`[this]({link})`", page) == f"`[this]({link})`"


def test_dead_links_and_what_is_loaded_from_elsewhere_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "SITE", tmp_path)
    (tmp_path / "other.html").write_text('<h1 id="there">')
    (tmp_path / "page.html").write_text(
        '<a href="other.html#there"></a><a href="other.html#gone"></a><a href="gone.html"></a>'
        '<a href="https://example.com"></a><script src="https://example.com/x.js"></script>'
    )

    problems = list(pages.dead_links())

    assert len(problems) == 3
    for said in ("loads https://example.com/x.js", "other.html#gone", "gone.html"):
        assert any(said in one for one in problems)


def test_each_page_is_in_the_navigation() -> None:
    """But the decisions, which have a page of their own."""
    text = (ROOT / "mkdocs.yml").read_text().partition("\nnav:")[2]
    listed = set(re.findall(r"\S+\.md", text))
    written = {name for name in pages.tracked() if name.endswith(".md")}
    decisions = {name for name in written if name.startswith("docs/decisions/")}

    assert listed == written - decisions | {"docs/decisions/README.md"}


def test_each_decision_is_in_their_list() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = set(re.findall(r"\((\S+\.md)\)", (folder / "README.md").read_text()))

    assert listed == {path.name for path in folder.glob("*.md")} - {"README.md"}


def test_each_decision_says_when_it_was_taken() -> None:
    paths = {*(ROOT / "docs" / "decisions").glob("*.md")} - {
        ROOT / "docs" / "decisions" / "README.md"
    }
    status = re.compile(r"^\*\*Status:\*\* \w+, [A-Z][a-z]+ 20\d\d[.,]", re.MULTILINE)

    assert {path.name for path in paths if not status.search(path.read_text())} == set()


def test_models_are_told_of_each_page() -> None:
    text = pages.for_models()

    assert text.startswith("# terraform-aws-async-ingest\n\n> An HTTP endpoint")
    assert "](docs/faq.html): " in text
    assert "```" not in text


def test_the_check_of_diagrams_has_them_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "SOURCE", tmp_path)
    (tmp_path / "a.md").write_text("```mermaid\nflowchart LR\n```\n\n```mermaid\npie\n```\n")

    assert pages.diagrams() == {"a.md 1": "flowchart LR\n", "a.md 2": "pie\n"}
