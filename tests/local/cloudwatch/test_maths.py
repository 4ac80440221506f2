"""Metric math, by its documentation."""

import pytest

from local.cloudwatch.maths import ExpressionError, Grid, Value, evaluate, ids_in

GRID = Grid([60.0, 120.0, 180.0], 60.0)
SERIES: dict[str, Value] = {
    "a": {60.0: 1.0, 120.0: 2.0, 180.0: 3.0},
    "b": {60.0: 4.0, 180.0: 0.0},
    "in": {60.0: 5.0},
    "none": {},
    "m_sum": {60.0: 9.0},
}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("a + 1", {60.0: 2.0, 120.0: 3.0, 180.0: 4.0}),
        ("a + b", {60.0: 5.0, 180.0: 3.0}),
        ("-a * 2 ^ 2", {60.0: -4.0, 120.0: -8.0, 180.0: -12.0}),
        ("a / b", {60.0: 0.25}),  # no value for a division by zero
        ("100 * a / (a + a)", {60.0: 50.0, 120.0: 50.0, 180.0: 50.0}),
        ("a >= 2", {60.0: 0.0, 120.0: 1.0, 180.0: 1.0}),
        ("a == 2 OR a == 3", {60.0: 0.0, 120.0: 1.0, 180.0: 1.0}),
        ("a > 1 AND a < 3", {60.0: 0.0, 120.0: 1.0, 180.0: 0.0}),
        ("a > 1 && a < 3 || a == 1", {60.0: 1.0, 120.0: 1.0, 180.0: 0.0}),
        ("IF(a > 1, a, 0)", {60.0: 0.0, 120.0: 2.0, 180.0: 3.0}),
        ("IF(b > 1, 7)", {60.0: 7.0}),
        ("IF(a > 1, b, 1)", {60.0: 1.0, 180.0: 0.0}),
        ("FILL(b, 9)", {60.0: 4.0, 120.0: 9.0, 180.0: 0.0}),
        ("FILL(b, REPEAT)", {60.0: 4.0, 120.0: 4.0, 180.0: 0.0}),
        ("FILL(none, 0)", {60.0: 0.0, 120.0: 0.0, 180.0: 0.0}),
        ("DIFF(a)", {120.0: 1.0, 180.0: 1.0}),
        ("RATE(b)", {180.0: -4 / 120}),
        ("RUNNING_SUM(a)", {60.0: 1.0, 120.0: 3.0, 180.0: 6.0}),
        ("SUM([a, b])", {60.0: 5.0, 120.0: 2.0, 180.0: 3.0}),
        ("MAX([a, b])", {60.0: 4.0, 120.0: 2.0, 180.0: 3.0}),
        ("SUM(a)", 6.0),
        ("AVG(a)", 2.0),
        ("a - MIN(a)", {60.0: 0.0, 120.0: 1.0, 180.0: 2.0}),
        ("SUM(METRICS())", {60.0: 5.0, 120.0: 2.0, 180.0: 3.0}),
        ('SUM(METRICS("b"))', {60.0: 4.0, 180.0: 0.0}),
        ("in + 1", {60.0: 6.0}),  # a word of Python
        ("m_sum / PERIOD(m_sum)", {60.0: 0.15}),
        ("ABS(-a)", {60.0: 1.0, 120.0: 2.0, 180.0: 3.0}),
    ],
)
def test_an_expression_has_its_value(expression: str, value: Value) -> None:
    assert evaluate(expression, GRID, SERIES, metrics=["a", "b"]) == pytest.approx(value)


@pytest.mark.parametrize(
    "expression",
    ["a +", "unknown + 1", "NO(a)", "a.b", "__import__('os')", "lambda: 1", "FILL(a, LINEAR)"],
)
def test_what_is_no_expression_is_refused(expression: str) -> None:
    with pytest.raises(ExpressionError):
        evaluate(expression, GRID, SERIES)


def test_the_ids_of_an_expression() -> None:
    assert ids_in("IF(a > 1 AND b < 2, SUM([c, in]), 0)") == {"a", "b", "c", "in"}
