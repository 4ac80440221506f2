"""What was predicted against what was measured: bounds, the document, and the table of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tools import markup

SHARE = 0.15
SECONDS = 1.0
FIGURES = ("drain_seconds", "peak_backlog", "freshness_p95")


@dataclass(frozen=True)
class Figures:
    """Of one load. `drain_seconds` is None if the queue was not empty in the end."""

    drain_seconds: float | None
    peak_backlog: float
    freshness_p95: float


@dataclass(frozen=True)
class Comparison:
    """A load's figures.

    Attributes:
        name: Of the load.
        requests_per_second: Its mean rate.
        predicted: By the simulator.
        measured: On the local stack.
        problems: What else went wrong while it was measured.
    """

    name: str
    requests_per_second: float
    predicted: Figures
    measured: Figures
    problems: Sequence[str] = ()

    @property
    def outside(self) -> list[str]:
        """Returns what is outside its bounds, each in a sentence."""
        found = []
        for figure in FIGURES:
            predicted, measured = getattr(self.predicted, figure), getattr(self.measured, figure)
            if not agree(predicted, measured, self._least(figure)):
                found.append(
                    f"{self.name}: {figure} is predicted as {_said(figure, predicted)}, "
                    f"and measured as {_said(figure, measured)}."
                )
        return found + [f"{self.name}: {problem}" for problem in self.problems]

    def __str__(self) -> str:
        return ", ".join(
            f"{figure} {_cell(figures, figure)}"
            for figure, figures in self.as_json().items()
            if figure in FIGURES
        )

    def as_json(self) -> dict[str, Any]:
        predicted, measured = asdict(self.predicted), asdict(self.measured)
        figures = {
            figure: {"predicted": predicted[figure], "measured": measured[figure]}
            for figure in FIGURES
        }
        return {"name": self.name, "requests_per_second": self.requests_per_second, **figures}

    def _least(self, figure: str) -> float:
        """Returns the difference that is always allowed.

        By Little's law, messages that are a second later are a second's arrivals more in the queue.
        """
        return SECONDS * (self.requests_per_second if figure == "peak_backlog" else 1)


def agree(predicted: float | None, measured: float | None, least: float) -> bool:
    """Returns whether two figures differ by 15 % of the measured one, or by `least`, at most."""
    if predicted is None or measured is None:
        return False
    return abs(predicted - measured) <= max(SHARE * measured, least)


def document(
    comparisons: Sequence[Comparison], calibration: Mapping[str, float], date: str
) -> dict[str, Any]:
    """Returns what is written to build/capacity-check.json."""
    return {
        "date": date,
        "calibration": dict(calibration),
        "loads": [one.as_json() for one in comparisons],
        "outside": [sentence for one in comparisons for sentence in one.outside],
    }


def table(made: Mapping[str, Any]) -> str:
    """Returns the document's loads as a table in Markdown, with the date of the run."""
    head = ["load", "drained after", "peak backlog", "freshness p95"]
    rows = [
        [load["name"], *(_cell(load[figure], figure) for figure in FIGURES)]
        for load in made["loads"]
    ]
    said = f"Predicted → measured, by `make capacity-check` on {made['date']}.\n"
    return f"{markup.table(head, rows)}\n{said}"


def in_document(text: str, made: Mapping[str, Any]) -> str:
    """Returns a text with the table between its marks."""
    return markup.with_part(text, "MEASURED", table(made))


def _cell(figure: Mapping[str, float | None], name: str) -> str:
    return " → ".join(_said(name, figure[side]) for side in ("predicted", "measured"))


def _said(name: str, value: float | None) -> str:
    if value is None:
        return "never"
    return f"{value:,.0f}" if name == "peak_backlog" else f"{value:,.1f} s"
