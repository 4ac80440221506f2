"""What is within its bounds, and how that is written down."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.emulator import ROOT
from tests.operate.capacity_check import comparison
from tests.operate.capacity_check.comparison import Comparison, Figures, agree

BEGIN, END = "<!-- BEGIN_MEASURED -->\n", "<!-- END_MEASURED -->"
SECONDS = st.floats(0, 1e5)


@pytest.mark.parametrize(
    ("predicted", "measured", "agrees"),
    [
        (100.0, 100.0, True),
        (86.0, 100.0, True),
        (84.0, 100.0, False),
        (114.0, 100.0, True),
        (116.0, 100.0, False),
        (0.0, 0.9, True),
        (0.0, 1.1, False),
        (1.1, 0.0, False),
        (None, 1.0, False),
        (1.0, None, False),
    ],
)
def test_15_percent_or_a_second(
    predicted: float | None, measured: float | None, agrees: bool
) -> None:
    assert agree(predicted, measured, 1.0) is agrees


@given(SECONDS, SECONDS, st.floats(0, 100))
def test_more_may_differ_where_more_is_allowed(
    predicted: float, measured: float, least: float
) -> None:
    assert not agree(predicted, measured, least) or agree(predicted, measured, 2 * least)
    assert agree(measured, measured, least)


def compared(measured: Figures, problems: tuple[str, ...] = ()) -> Comparison:
    return Comparison("burst", 5, Figures(20, 100, 10), measured, problems)


@pytest.mark.parametrize(
    ("measured", "figures"),
    [
        (Figures(20, 100, 10), []),
        (Figures(None, 100, 10), ["drain_seconds"]),
        (Figures(30, 100, 10), ["drain_seconds"]),
        (Figures(20, 130, 10), ["peak_backlog"]),
        (Figures(20, 100, 14), ["freshness_p95"]),
        (Figures(30, 130, 14), list(comparison.FIGURES)),
    ],
)
def test_each_figure_outside_its_bounds_is_named(measured: Figures, figures: list[str]) -> None:
    outside = compared(measured).outside
    assert len(outside) == len(figures)
    for sentence, figure in zip(outside, figures, strict=True):
        assert sentence.startswith(f"burst: {figure} is predicted as ")


def test_a_second_of_arrivals_may_be_in_the_queue_or_not() -> None:
    one = Comparison("steady", 8, Figures(0, 1, 0), Figures(0, 9, 0))
    assert not one.outside
    assert Comparison("steady", 7, one.predicted, one.measured).outside


def test_a_load_with_problems_is_outside() -> None:
    assert compared(Figures(20, 100, 10), ("3 orders: missing.",)).outside == [
        "burst: 3 orders: missing."
    ]


def test_the_document_has_both_sides_of_each_figure() -> None:
    made = comparison.document([compared(Figures(30, 101, 10.5))], {"put_seconds": 0.1}, "day")
    assert json.loads(json.dumps(made)) == made
    [load] = made["loads"]
    assert load["name"] == "burst"
    assert load["drain_seconds"] == {"predicted": 20, "measured": 30}
    assert load["peak_backlog"] == {"predicted": 100, "measured": 101}
    assert load["freshness_p95"] == {"predicted": 10, "measured": 10.5}
    assert made["date"] == "day"
    assert len(made["outside"]) == 1


def test_the_table_follows_from_the_document() -> None:
    loads = [compared(Figures(30, 1234, 10.5)), compared(Figures(None, 1, 0.04))]
    text = comparison.table(comparison.document(loads, {}, "2026-11-27"))
    lines = text.splitlines()
    assert "| burst | 20.0 s → 30.0 s | 100 → 1,234 | 10.0 s → 10.5 s |" in lines
    assert "| burst | 20.0 s → never | 100 → 1 | 10.0 s → 0.0 s |" in lines
    assert "2026-11-27" in lines[-1]


def test_only_the_part_between_the_marks_is_written() -> None:
    made = comparison.document([compared(Figures(20, 100, 10))], {}, "2026-11-27")
    text = (ROOT / "docs" / "capacity.md").read_text()
    written = comparison.in_document(text, made)
    assert written != text
    assert comparison.table(made) in written
    assert comparison.in_document(written, made) == written
    for before, after in ((text, written), (written, text)):
        head, _, rest = before.partition(BEGIN)
        tail = rest.partition(END)[2]
        assert after.startswith(head)
        assert after.endswith(tail)
        assert tail
