"""Builds the site of the documents into build/site, and checks it: `make site`.

The pages are read on GitHub as well, so they are plain: this puts them together as they lie in the
repository, points links to anything but a page or a picture at the repository, and indents lists as
Python-Markdown wants them. Nothing is loaded from elsewhere when the site is built, but for the
program that draws the diagrams, which npm provides once; nor when it is read.
"""

import base64
import contextlib
import functools
import hashlib
import html
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from markdown_it import MarkdownIt
from mkdocs.config import load_config

from tools import markup

ROOT = Path(__file__).resolve().parent.parent
SOURCE, SITE = ROOT / "build" / "site-source", ROOT / "build" / "site"
REPOSITORY = "https://github.com/OWNER/terraform-aws-async-ingest"
CACHE = ROOT / ".cache" / "site"
MERMAID = "mermaid@11.17.2"
MERMAID_SHA512 = (
    "V6K3C8EBdEsPFZXSKMJe6ppQOENxuHARr9GvHX4hh47lAbhMRD9qf4oEK7LoaRQxULMa80/qt5gHO73aCleBBg=="
)
SHOWN = (".md", ".png", ".svg", ".yaml")
LINK = re.compile(r"(!?\[(?:[^\[\]]|\[[^\]]*\])*\]\()([^)\s]+)(\))")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


# The theme hides what a diagram has become, so a page of our own draws them all.
DIAGRAMS_CHECKED = """<!doctype html><html><body data-diagrams="%s">
<script src="assets/mermaid.min.js"></script>
<script>
const draw = async () => {
  mermaid.initialize({ startOnLoad: false });
  for (const [where, text] of Object.entries(JSON.parse(document.body.dataset.diagrams))) {
    try { await mermaid.render("drawn", text); }
    catch (error) { console.error(where, error.message); }
  }
  document.body.textContent = "all are drawn";
};
draw();
</script></body></html>"""


class SiteError(Exception):
    """The site cannot be built, or something in it leads nowhere."""


def main() -> int:
    try:
        put_together()
        command = [sys.executable, "-m", "mkdocs", "--quiet", "build", "--strict"]
        environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}  # an advertisement
        if subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode:
            raise SiteError("mkdocs refuses it")
        (SITE / "llms.txt").write_text(for_models())
        is_drawn = bool((SITE / "assets" / "mermaid.min.js").stat().st_size)
        problems = [*dead_links(), *(browse() if browser() and is_drawn else [])]
        if problems:
            raise SiteError("\n  ".join([f"{len(problems)} problems", *problems]))
    except SiteError as error:
        print(f"✗ site: {error}", file=sys.stderr)
        return 1
    if not browser():
        print(f"NOTE site: none of {', '.join(BROWSERS)} is here, so no browser has opened it.")
    print(f"{SITE.relative_to(ROOT)}: python3 -m http.server --directory {SITE.relative_to(ROOT)}")
    return 0


def put_together() -> None:
    """Writes what mkdocs reads."""
    shutil.rmtree(SOURCE, ignore_errors=True)
    for name in tracked():
        target = SOURCE / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".md"):
            target.write_text(indented(linked((ROOT / name).read_text(), PurePosixPath(name))))
        else:
            shutil.copy(ROOT / name, target)
    (SOURCE / "assets").mkdir()
    (SOURCE / "assets" / "mermaid.min.js").write_bytes(mermaid())


def tracked() -> list[str]:
    """Returns the pages and pictures, of those that git knows or would."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    folders = ("docs/", "examples/", "modules/", "ops/")
    return [
        name
        for name in listed.splitlines()
        if name.endswith(SHOWN)
        and (name.startswith(folders) or ("/" not in name and name.endswith(".md")))
        and (ROOT / name).exists()
    ]


def linked(text: str, page: PurePosixPath) -> str:
    """Points links to what is no page at the repository, and those to folders at their page."""

    def replaced(match: re.Match[str]) -> str:
        before, link, after = match.groups()
        path, _, anchor = link.partition("#")
        if not path or re.match(r"[a-z]+:", link):
            return match[0]
        target = (ROOT / page.parent / path).resolve()
        fragment = f"#{anchor}" if anchor else ""
        if (target / "README.md").exists():
            return f"{before}{path.rstrip('/')}/README.md{fragment}{after}"
        name = target.relative_to(ROOT)
        if target.is_dir() or not name.as_posix().endswith(SHOWN):
            kind = "tree" if target.is_dir() else "blob"
            return f"{before}{REPOSITORY}/{kind}/main/{name.as_posix()}{after}"
        return match[0]

    parts = re.split(r"(^```.*?^```$|`[^`\n]*`)", text, flags=re.MULTILINE | re.DOTALL)
    parts[::2] = [LINK.sub(replaced, part) for part in parts[::2]]
    return "".join(parts)


def indented(text: str) -> str:
    """Indents what is in a list by four for each level, and sets a blank line before it."""
    lines, found = text.split("\n"), dict[int, tuple[int, int, bool]]()
    starts, depth = set[int](), 0
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if token.type in ("bullet_list_open", "ordered_list_open"):
            depth += 1
            if depth == 1 and token.map:
                starts.add(token.map[0])
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            depth -= 1
        elif token.type == "list_item_open" and token.map:
            first, end = token.map
            marked = re.match(r"\s*([-*+]|\d+[.)])\s+", lines[first])
            column = len(marked[0]) if marked else 0
            for number in range(first, end):
                found[number] = (depth, column, number == first)
    written, is_loose = list[str](), False  # an item with a blank line in it
    for number, line in enumerate(lines):
        before = lines[number - 1].strip() if number else ""
        is_item = number in found and found[number][2]
        if before and (number in starts or (is_item and is_loose)):
            written.append("")
        is_loose = not is_item and (is_loose or not line.strip())
        if number in found and line.strip():
            level, column, is_first = found[number]
            content = line[column:] if not line[:column].strip() or is_first else line.lstrip()
            mark = line[:column].strip().ljust(4) if is_first else "    "
            line = "    " * (level - 1) + mark + content  # noqa: PLW2901
        written.append(line)
    return "\n".join(written)


def mermaid() -> bytes:
    """Returns the program that draws the diagrams, which npm provides, once and unaltered.

    Returns:
        Nothing, and says so, if npm does not provide it.

    Raises:
        SiteError: It is another one, or npm must provide it, and does not.
    """
    archive = CACHE / f"{MERMAID.replace('@', '-')}.tgz"
    if not archive.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        npm = shutil.which("npm") or "npm"
        command = [npm, "pack", "--silent", "--pack-destination", str(CACHE), MERMAID]
        with contextlib.suppress(FileNotFoundError):
            subprocess.run(command, cwd=CACHE, check=False, stdout=subprocess.DEVNULL)
    if not archive.exists():
        if os.environ.get("ONLINE"):
            raise SiteError(f"npm does not provide {MERMAID}")
        print(f"NOTE site: npm does not provide {MERMAID}, so there are no diagrams in it.")
        print("NOTE site: run make site where npm reaches its registry. With ONLINE=1 it fails.")
        return b""
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if digest != MERMAID_SHA512:
        raise SiteError(f"{archive.name} is not the one that is pinned; remove it")
    with tarfile.open(archive) as packed:
        program = packed.extractfile("package/dist/mermaid.min.js")
        return program.read() if program else b""


def for_models() -> str:
    """Returns llms.txt: each page with its address and its first sentence."""
    nav: list[dict[str, list[Any]]] = (
        load_config(str(ROOT / "mkdocs.yml"), docs_dir="docs").nav or []
    )
    lines = ["# terraform-aws-async-ingest", "", f"> {summary(ROOT / 'README.md')}"]
    for section in nav:
        for title, pages in section.items():
            lines += ["", f"## {title}", ""]
            for page in pages:
                name = page if isinstance(page, str) else next(iter(page.values()))
                heading = (ROOT / name).read_text().partition("\n")[0].lstrip("# ")
                address = str(PurePosixPath(name).with_suffix(".html"))
                address = address.replace("README.html", "index.html")
                lines.append(f"- [{heading}]({address}): {summary(ROOT / name)}")
    return "\n".join(lines) + "\n"


def summary(page: Path) -> str:
    """Returns the first sentence, without its links."""
    prose = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    paragraphs = [one for one in prose.split("\n\n") if re.match(r"[A-Z`*\[]", one)]
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", paragraphs[0].replace("\n", " "))
    return re.split(r"(?<=\.)\s", text)[0]


class Page(HTMLParser):
    """What a page refers to, and what can be referred to in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.anchors = {""}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag in ("img", "script") and "src" in given:
            self.loaded.append(given["src"])
        elif tag == "link" and given.get("rel") in ("stylesheet", "icon"):
            self.loaded.append(given["href"])


def dead_links() -> Iterator[str]:
    """Yields links within the site that lead nowhere, and what is loaded from elsewhere."""
    pages = {path: Page(path.read_text()) for path in SITE.rglob("*.html")}
    for path, page in pages.items():
        if path.name == "404.html":  # its links are from the root
            continue
        where = path.relative_to(SITE)
        for link in page.loaded:
            if urlsplit(link).netloc:
                yield f"{where} loads {link}"
        for link in page.links + page.loaded:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            if not target.exists():
                yield f"{where} links to {link}, which does not exist"
            elif target in pages and unquote(parts.fragment) not in pages[target].anchors:
                yield f"{where} links to {link}, where there is no such anchor"


@functools.cache
def browser() -> str | None:
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def browse() -> Iterator[str]:
    """Opens each page in a browser, and yields what it complains of."""
    handler = functools.partial(Quiet, directory=str(SITE))
    checked = SITE / "checked.html"
    checked.write_text(DIAGRAMS_CHECKED % html.escape(json.dumps(diagrams())))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for path in sorted(SITE.rglob("*.html")):
            name = path.relative_to(SITE).as_posix()
            url = f"http://127.0.0.1:{server.server_port}/{name}"
            run = subprocess.run([*headless(), url], capture_output=True, text=True, timeout=120)
            for said in re.findall(r"CONSOLE[:(\d)]*\] (.*)", run.stderr):
                yield f"{name}: {said}"
            if "</html>" not in run.stdout:
                yield f"{name} does not open"
            if path == checked and "all are drawn" not in run.stdout:
                yield f"not every diagram is drawn: {run.stdout[-500:]}"
        server.shutdown()
    checked.unlink()


def headless() -> list[str]:
    """Returns the command that opens a page, and prints what it has become."""
    options = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking")
    output = ("--enable-logging=stderr", "--virtual-time-budget=8000", "--dump-dom")
    return [str(browser()), *options, *output]


def diagrams() -> dict[str, str]:
    """Returns the diagrams of all pages, by where they are."""
    return {
        f"{page.relative_to(SOURCE)} {number}": diagram
        for page in sorted(SOURCE.rglob("*.md"))
        for number, diagram in enumerate(markup.blocks(page.read_text(), "mermaid"), 1)
    }


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves without a line for each request."""

    def log_error(self, *_: object) -> None:
        pass

    def log_request(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    sys.exit(main())
