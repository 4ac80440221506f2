"""Line charts as inline SVG, which needs no library, font or script."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 760, 290
LEFT, RIGHT, TOP, BOTTOM = 64, 24, 34, 44
LEGEND = 14  # above the lines
TICKS = 5
STEPS = (1, 2, 2.5, 5, 10)
MAX_POINTS = 600  # of a series: no screen shows more

Point = tuple[float, float]


@dataclass(frozen=True)
class Series:
    """A line of a chart.

    Attributes:
        name: In the legend.
        points: In the order of x.
        is_area: Fill what is below it.
        is_dashed: For what was planned, rather than seen.
    """

    name: str
    points: Sequence[Point]
    is_area: bool = False
    is_dashed: bool = False


@dataclass(frozen=True)
class Axis:
    """An axis, from 0 or from the least value of a logarithmic one.

    Attributes:
        label: With the unit.
        is_log: Logarithmic; values must be above 0.
        marks: Values and their texts, instead of those that are chosen.
    """

    label: str
    is_log: bool = False
    marks: Sequence[tuple[float, str]] = ()


SECONDS = Axis("seconds from the start")


def line_chart(title: str, x: Axis, y: Axis, series: Sequence[Series]) -> str:
    """Returns a chart as SVG. Its colours are those of the report's style sheet."""
    series = [_thinned(one, x, y) for one in series]
    across = _Scale(x, [p[0] for one in series for p in one.points], LEFT, WIDTH - RIGHT)
    up = _Scale(y, [p[1] for one in series for p in one.points], HEIGHT - BOTTOM, TOP)
    return "\n".join(
        [
            f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
            f"<title>{escape(title)}</title>",
            *_grid(across, up),
            *(part for n, one in enumerate(series, 1) for part in _line(one, n, across, up)),
            *_legend(series),
            "</svg>",
        ]
    )


class _Scale:
    """Where the values of an axis are."""

    def __init__(self, axis: Axis, values: Iterable[float], start: float, end: float) -> None:
        self.axis = axis
        found = [*values, *(value for value, _ in axis.marks)] or [1.0]
        self._start, self._end = start, end
        if axis.is_log:
            self.low, self.high = min(found), max(*found, min(found) * 10)
            if not axis.marks:  # whole decades
                self.low = 10.0 ** math.floor(math.log10(self.low))
        else:
            self.low, self.high = min(0.0, *found), max(found)
            if self.high <= self.low:
                self.high = self.low + 1

    def __call__(self, value: float) -> float:
        low, high = self.low, self.high
        if self.axis.is_log:
            low, high, value = math.log10(low), math.log10(high), math.log10(max(value, low))
        return round(self._start + (value - low) / (high - low) * (self._end - self._start), 1)

    @property
    def marks(self) -> list[tuple[float, str]]:
        if self.axis.marks:
            return list(self.axis.marks)
        if self.axis.is_log:
            first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
            parts = (1, 2, 5) if last - first <= 2 else (1,)
            values = (10.0**power * part for power in range(first, last + 1) for part in parts)
            return [(one, text(one)) for one in values if self.low <= one <= self.high]
        rough = (self.high - self.low) / TICKS
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * factor for factor in STEPS if power * factor >= rough * 0.999)
        first, last = math.ceil(self.low / step), math.floor(self.high / step)
        return [(n * step, text(n * step)) for n in range(first, last + 1)]


def text(value: float) -> str:
    """Returns a number for people: 12,500, 12.5 or 0.125."""
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _thinned(series: Series, x: Axis, y: Axis) -> Series:
    """Returns it with at most MAX_POINTS, of each group the highest, and what a log can show."""
    points = [
        point
        for point in series.points
        if all(value > 0 or not axis.is_log for value, axis in zip(point, (x, y), strict=True))
    ]
    size = math.ceil(len(points) / MAX_POINTS) or 1
    groups = (points[start : start + size] for start in range(0, len(points), size))
    kept = [max(group, key=lambda point: point[1]) for group in groups]
    return Series(series.name, kept, series.is_area, series.is_dashed)


def _grid(across: _Scale, up: _Scale) -> list[str]:
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    parts = []
    for value, said in up.marks:
        at = up(value)
        parts += [
            f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{at}" y2="{at}"/>',
            f'<text x="{LEFT - 8}" y="{at + 4}" text-anchor="end">{escape(said)}</text>',
        ]
    for value, said in across.marks:
        at = across(value)
        parts += [
            f'<line class="axis" x1="{at}" x2="{at}" y1="{bottom}" y2="{bottom + 4}"/>',
            f'<text x="{at}" y="{bottom + 18}" text-anchor="middle">{escape(said)}</text>',
        ]
    middle = (TOP + bottom) / 2
    return [
        *parts,
        f'<line class="axis" x1="{LEFT}" x2="{right}" y1="{bottom}" y2="{bottom}"/>',
        f'<text class="label" x="{(LEFT + right) / 2}" y="{HEIGHT - 6}" text-anchor="middle">'
        f"{escape(across.axis.label)}</text>",
        f'<text class="label" transform="translate(14 {middle}) rotate(-90)" text-anchor="middle">'
        f"{escape(up.axis.label)}</text>",
    ]


def _line(series: Series, number: int, across: _Scale, up: _Scale) -> list[str]:
    if not series.points:
        return []
    places = [f"{across(x)},{up(y)}" for x, y in series.points]
    last = series.points[-1]
    dashes = ' stroke-dasharray="5 4"' if series.is_dashed else ""
    parts = [
        f'<polyline class="line s{number}" points="{" ".join(places)}"{dashes}>'
        f"<title>{escape(series.name)}, in the end {text(last[1])}</title></polyline>"
    ]
    if series.is_area:
        first, base = series.points[0], up(max(up.low, 0.0))
        outline = [f"{across(first[0])},{base}", *places, f"{across(last[0])},{base}"]
        parts.insert(0, f'<polygon class="area s{number}" points="{" ".join(outline)}"/>')
    if len(places) == 1:
        parts.append(
            f'<circle class="dot s{number}" cx="{across(last[0])}" cy="{up(last[1])}" r="3"/>'
        )
    return parts


def _legend(series: Sequence[Series]) -> list[str]:
    if len(series) < 2:
        return []
    parts, at = [], float(LEFT)
    for number, one in enumerate(series, 1):
        dashes = ' stroke-dasharray="5 4"' if one.is_dashed else ""
        parts += [
            f'<line class="line s{number}" x1="{at}" x2="{at + 18}" y1="{LEGEND}" y2="{LEGEND}"'
            f"{dashes}/>",
            f'<text x="{at + 24}" y="{LEGEND + 4}">{escape(one.name)}</text>',
        ]
        at += 44 + 6.5 * len(one.name)
    return parts
