"""The results of a run: a table for people, JSON for machines, and a plot.

`python -m benchmarks.report` prints the last run's table in Markdown, for docs/performance.md.
"""

import json
import os
import platform
import time
from dataclasses import asdict
from html import escape
from importlib.metadata import version
from pathlib import Path
from statistics import median

from rich.table import Table

from benchmarks import ROOT
from benchmarks.pairs import Figure

# Upper limits, or lower ones where more is better.
TARGETS = {
    "ingest_import_ratio": 0.45,
    "ingest_memory_ratio": 0.65,
    "process_import_ratio": 0.45,
    "process_memory_ratio": 0.65,
    "ingest_cpu_ratio": 0.35,
    "process_cpu_ratio_10": 0.09,
    "process_cpu_ratio_100": 0.06,
    "process_cpu_ratio_10_stored": 0.3,
    "requests_per_1000_at_10": 100,
    "requests_per_1000_at_100": 40,
    "drained_ratio_10": 6.5,
    "drained_ratio_100": 28,
    "drained_ratio_10_stored": 4.5,
    "drained_ratio_100_stored": 5,
    "queue_to_table_ratio": 3,
    "options_ingest_import_cpu_ratio": 1.25,
    "options_process_import_cpu_ratio": 1.25,
    "options_ingest_cpu_ratio_1": 1.4,
    "options_ingest_cpu_ratio_1000": 2.2,
    "options_process_cpu_ratio_10": 1.3,
    "options_process_cpu_ratio_100": 1.5,
}


def is_missed(figure: Figure) -> bool:
    limit = TARGETS.get(figure.key, figure.value)
    return figure.value < limit if figure.more_is_better else figure.value > limit


def target(figure: Figure) -> str:
    sign = "≥" if figure.more_is_better else "≤"
    return f"{sign} {TARGETS[figure.key]:g}" if figure.key in TARGETS else ""


def by_sides(figures: list[Figure]) -> list[list[Figure]]:
    """Returns the figures of each pair of sides, which share a table."""
    groups: dict[tuple[str, ...], list[Figure]] = {}
    for figure in figures:
        groups.setdefault(tuple(figure.sides), []).append(figure)
    return list(groups.values())


def table(figures: list[Figure]) -> Table:
    """Returns a table of figures of the same sides."""
    sides = figures[0].sides
    result = Table("", title=f"Medians, and {' ÷ '.join(sides)} of each pair of samples")
    for column in (*sides, "unit", "ratio", "min … max", "target"):
        result.add_column(column, justify="left" if column == "unit" else "right", no_wrap=True)
    for figure in figures:
        color = "red" if is_missed(figure) else "green" if figure.key in TARGETS else "dim"
        result.add_row(
            figure.title,
            f"{median(figure.ours):.4g}",
            f"{median(figure.tutorial):.4g}",
            figure.unit,
            f"[{color}]{median(figure.ratios):.2f}[/]",
            f"{min(figure.ratios):.2f} … {max(figure.ratios):.2f}",
            target(figure),
        )
    return result


def markdown(figures: list[Figure]) -> str:
    """Returns a table of figures of the same sides."""
    sides = " | ".join(side.capitalize() for side in figures[0].sides)
    lines = [f"| | {sides} | Ratio | Min … max | Target |", "| --- |" + " ---: |" * 5]
    for figure in figures:
        cells = [
            figure.title,
            f"{_rounded(median(figure.ours))} {figure.unit}",
            _rounded(median(figure.tutorial)),
            f"{median(figure.ratios):.2f}",
            f"{min(figure.ratios):.2f} … {max(figure.ratios):.2f}",
            target(figure) + (", **missed**" if is_missed(figure) else ""),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _rounded(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def read_json(path: Path) -> list[Figure]:
    return [Figure(**sample) for sample in json.loads(path.read_text())["samples"].values()]


def write_json(path: Path, figures: list[Figure]) -> None:
    content: dict[str, object] = {figure.key: round(figure.value, 4) for figure in figures}
    content["samples"] = {figure.key: asdict(figure) for figure in figures}
    content["ranges"] = {f.key: [min(f.ratios), max(f.ratios)] for f in figures}
    content["run"] = {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
        "load_average": os.getloadavg(),
        "python": platform.python_version(),
        **{name: version(name) for name in ("boto3", "botocore", "ministack")},
    }
    path.write_text(json.dumps(content, indent=1) + "\n")


def write_plot(path: Path, figures: list[Figure]) -> None:
    """Draws a bar for each figure with a target: our cost as a share of the tutorial's."""
    left, unit, row = 330, 360, 30  # pixels: titles, the tutorial's cost, a bar
    shown = [figure for figure in by_sides(figures)[0] if figure.key in TARGETS]
    bottom = row * len(shown) + 44
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 840 {bottom + 28}" '
        'font-family="sans-serif" font-size="13">',
        '<rect width="100%" height="100%" fill="white"/>',
        '<text x="12" y="24">Cost beside the tutorial (1): median, range, '
        '<tspan fill="#c77700" font-weight="bold">target</tspan></text>',
    ]
    for tick in (0, 0.25, 0.5, 0.75, 1, 1.25):
        x, color = left + unit * tick, "#555" if tick == 1 else "#ddd"
        lines.append(f'<path d="M{x} 38V{bottom}" stroke="{color}"/>')
        lines.append(f'<text x="{x}" y="{bottom + 18}" text-anchor="middle">{tick:g}</text>')
    for y, figure in zip(range(44, bottom, row), shown, strict=True):
        ratios = [1 / ratio if figure.more_is_better else ratio for ratio in figure.ratios]
        limit = TARGETS[figure.key] / (1 if figure.is_ratio else median(figure.tutorial))
        values = (min(ratios), median(ratios), max(ratios))
        low, middle, high = [round(left + unit * value, 1) for value in values]
        at = round(left + unit * (1 / limit if figure.more_is_better else limit), 1)
        color = "#d9534f" if is_missed(figure) else "#3b7dd8"
        lines += [
            f'<text x="12" y="{y + 15}">{escape(figure.title)}</text>',
            f'<path d="M{left} {y + 11}H{middle}" stroke="{color}" stroke-width="18"/>',
            f'<path d="M{low} {y + 11}H{high}" stroke="#123" stroke-width="2"/>',
            f'<path d="M{at} {y - 1}v24" stroke="#e69f00" stroke-width="3"/>',
        ]
    path.write_text("\n".join([*lines, "</svg>\n"]))


if __name__ == "__main__":
    print(*map(markdown, by_sides(read_json(ROOT / "build" / "bench.json"))), sep="\n\n")
