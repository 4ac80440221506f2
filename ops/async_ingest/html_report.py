"""A report as one HTML file that needs nothing else: no script, font, image or network.

report = Report("Load on orders", facts=[("orders", "50,000")])
section = report.section("Latency", "From the time at which each request was due.")
section.table(["percentile", "ms"], [["50", "12"], ["99", "80"]])
section.plot(line_chart(...))
path.write_text(report.render())
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape

STYLE = """
:root { color-scheme: light dark; --text: #1c2430; --dim: #5d6875; --line: #d9dee4; --back: #fff;
  --card: #f5f7f9; --bad: #b3261e;
  --s1: #2563c9; --s2: #d9480f; --s3: #2b8a3e; --s4: #862e9c; --s5: #0b7285; --s6: #a67c00; }
@media (prefers-color-scheme: dark) { :root { --text: #e6e9ed; --dim: #9aa5b1; --line: #343c46;
  --back: #14181d; --card: #1d232a; --bad: #ff8a80;
  --s1: #74a9ff; --s2: #ff9b66; --s3: #69db7c; --s4: #da8cf0; --s5: #66d9e8; --s6: #ffd43b; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--back);
  max-width: 820px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: .2rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
p { max-width: 46rem; } .lead { font-size: 1.05rem; } .bad { color: var(--bad); font-weight: 600; }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: .6rem;
  padding: 0; margin: 1.2rem 0; }
.facts div { background: var(--card); border-radius: 6px; padding: .5rem .7rem; }
.facts dt { color: var(--dim); font-size: .8rem; }
.facts dd { margin: 0; font-size: 1.15rem; font-weight: 600; overflow-wrap: anywhere; }
table { border-collapse: collapse; margin: .8rem 0; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .25rem .8rem; border-bottom: 1px solid var(--line);
  overflow-wrap: anywhere; }
th { color: var(--dim); font-weight: 500; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
.chart { width: 100%; height: auto; font-size: 11px; }
.chart text { fill: var(--dim); } .grid { stroke: var(--line); } .axis { stroke: var(--dim); }
.line { fill: none; stroke-width: 1.8; stroke: var(--c); }
.area { fill: var(--c); opacity: .15; stroke: none; } .dot { fill: var(--c); }
.s1 { --c: var(--s1); } .s2 { --c: var(--s2); } .s3 { --c: var(--s3); }
.s4 { --c: var(--s4); } .s5 { --c: var(--s5); } .s6 { --c: var(--s6); }
footer { color: var(--dim); font-size: .85rem; margin-top: 2.5rem; }
@media print { body { margin: 0; } }
"""

Fact = tuple[str, str]


@dataclass
class Section:
    """A part of a report, with a heading. What is added appears in that order."""

    title: str
    _blocks: list[str] = field(default_factory=list)

    def text(self, paragraph: str, *, is_bad: bool = False) -> None:
        """Adds a paragraph, in red if it says what is wrong."""
        mark = ' class="bad"' if is_bad else ""
        self._blocks.append(f"<p{mark}>{escape(paragraph)}</p>")

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Adds a table, whose first column is text and whose others are numbers."""
        head = "".join(f"<th>{escape(one)}</th>" for one in columns)
        body = "\n".join(
            f"<tr>{''.join(f'<td>{escape(str(cell))}</td>' for cell in row)}</tr>" for row in rows
        )
        self._blocks.append(
            f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table>"
        )

    def plot(self, svg: str) -> None:
        """Adds an SVG element, which must refer to nothing outside itself."""
        self._blocks.append(f"<figure style='margin:1rem 0'>\n{svg}\n</figure>")

    def render(self) -> str:
        return "\n".join(
            ["<section>", f"<h2>{escape(self.title)}</h2>", *self._blocks, "</section>"]
        )


@dataclass
class Report:
    """A document.

    Attributes:
        title: Its heading.
        lead: What it finds, in a sentence or two.
        facts: Figures at the top, each with its name.
        footer: How it was made.
    """

    title: str
    lead: str = ""
    facts: Sequence[Fact] = ()
    footer: str = ""
    sections: list[Section] = field(default_factory=list)

    def section(self, title: str, *paragraphs: str) -> Section:
        """Adds a section, which begins with these paragraphs."""
        made = Section(title)
        for paragraph in paragraphs:
            made.text(paragraph)
        self.sections.append(made)
        return made

    def render(self) -> str:
        """Returns the document."""
        facts = "\n".join(
            f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>"
            for name, value in self.facts
        )
        return "\n".join(
            [
                '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
                '<meta name="viewport" content="width=device-width, initial-scale=1">',
                f"<title>{escape(self.title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>",
                f"<h1>{escape(self.title)}</h1>",
                f'<p class="lead">{escape(self.lead)}</p>\n<dl class="facts">\n{facts}\n</dl>',
                *(section.render() for section in self.sections),
                f"<footer>{escape(self.footer)}</footer>\n</body>\n</html>\n",
            ]
        )
