"""Metric math: "Using math expressions with CloudWatch metrics", Amazon CloudWatch User Guide.

Arithmetic, comparison, AND, OR and the functions of `_FUNCTIONS`. A time series is a dict from
timestamps to values; where one has no value, neither has what is calculated from it.
"""

from __future__ import annotations

import ast
import itertools
import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Series = dict[float, float]
Value = float | Series | list[Series]

_IDENTIFIER = re.compile(r'"[^"]*"|\b[a-z]\w*')
_OPERATORS: dict[type, Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.And: lambda a, b: bool(a) and bool(b),
    ast.Or: lambda a, b: bool(a) or bool(b),
}


class ExpressionError(ValueError):
    """An expression that CloudWatch would refuse, or that is not supported here."""


@dataclass(frozen=True)
class Grid:
    """The timestamps for which an expression is evaluated, oldest first, and their distance."""

    timestamps: Sequence[float]
    period: float


def parse(expression: str) -> ast.expr:
    """Reads an expression. Raises ExpressionError."""
    # IDs begin with a lower-case letter, and may be words of Python.
    text = _IDENTIFIER.sub(lambda m: m[0] if m[0][0] == '"' else f"id_{m[0]}", expression)
    for theirs, ours in ((r"&&|\bAND\b", " and "), (r"\|\||\bOR\b", " or "), (r"\^", "**")):
        text = re.sub(theirs, ours, text)
    try:
        return ast.parse(text.strip(), mode="eval").body
    except SyntaxError:
        raise ExpressionError(f"not an expression: {expression}") from None


def ids_in(expression: str) -> set[str]:
    """Returns the IDs that an expression refers to. Raises ExpressionError."""
    names = (node.id for node in ast.walk(parse(expression)) if isinstance(node, ast.Name))
    return {name.removeprefix("id_") for name in names if name.startswith("id_")}


def evaluate(
    expression: str, grid: Grid, series: Mapping[str, Value], metrics: Sequence[str] = ()
) -> Value:
    """Evaluates an expression.

    Args:
        expression: In CloudWatch's syntax.
        grid: What FILL fills, and what RATE divides by.
        series: Values of the IDs.
        metrics: IDs of metrics, rather than expressions: what METRICS() means.

    Raises:
        ExpressionError: It is not an expression, or refers to something unknown.
    """
    return _Evaluation(grid, series, metrics).value(parse(expression))


class _Evaluation:
    def __init__(self, grid: Grid, series: Mapping[str, Value], metrics: Sequence[str]) -> None:
        self.grid, self.series, self.metrics = grid, series, metrics

    def value(self, node: ast.expr) -> Value:
        match node:
            case ast.Constant(value=bool() | None):
                raise ExpressionError("no such constant")
            case ast.Constant(value=int() | float() as number):
                return float(number)
            case ast.Name(id=name):
                return self._named(name.removeprefix("id_"))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return _each(self.value(operand), lambda a: -a)
            case ast.List(elts=elements):
                return [one for element in elements for one in _all_series(self.value(element))]
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
                return _combine(self.value(left), self.value(right), _OPERATORS[type(op)])
            case ast.BoolOp(op=op, values=values):
                result = self.value(values[0])
                for other in values[1:]:
                    result = _combine(result, self.value(other), _OPERATORS[type(op)])
                return result
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _OPERATORS:
                return _combine(self.value(left), self.value(right), _OPERATORS[type(op)])
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self._call(name, arguments)
        raise ExpressionError(f"not supported: {ast.unparse(node)}")

    def _named(self, name: str) -> Value:
        if name not in self.series:
            raise ExpressionError(f"no query has the ID {name}")
        return self.series[name]

    def _call(self, name: str, arguments: list[ast.expr]) -> Value:
        if name == "METRICS":
            part = (
                arguments[0].value if arguments and isinstance(arguments[0], ast.Constant) else ""
            )
            return [
                one
                for key in self.metrics
                if str(part) in key
                for one in _all_series(self._named(key))
            ]
        if name == "FILL" and isinstance(arguments[1], ast.Name):
            return self._fill(self.value(arguments[0]), arguments[1].id)
        if name not in _FUNCTIONS:
            raise ExpressionError(f"no function is called {name}")
        values = [self.value(argument) for argument in arguments]
        try:
            return _FUNCTIONS[name](self, *values)
        except TypeError:
            raise ExpressionError(f"wrong arguments of {name}") from None

    def _fill(self, values: Value, how: str) -> Value:
        """Fills by REPEAT; before the first value, there is nothing to repeat."""
        if how != "REPEAT":
            raise ExpressionError(f"FILL with {how} is not supported")

        def filled(series: Series) -> Series:
            result: Series = {}
            latest: float | None = None
            for at in self.grid.timestamps:
                latest = series.get(at, latest)
                if latest is not None:
                    result[at] = latest
            return result

        return [filled(one) for one in values] if isinstance(values, list) else filled(_one(values))

    def fill(self, values: Value, number: Value) -> Value:
        if not isinstance(number, float):
            return self.fill_with(values, _one(number))
        return self.fill_with(values, dict.fromkeys(self.grid.timestamps, number))

    def fill_with(self, values: Value, other: Series) -> Value:
        if isinstance(values, list):
            return [{**other, **one} for one in values]
        return {**other, **_one(values)}

    def condition(self, condition: Value, true: Value, false: Value | None = None) -> Value:
        if isinstance(condition, float):
            return true if condition else ({} if false is None else false)
        result: Series = {}
        for at, chosen in _one(condition).items():
            value = true if chosen else false
            if isinstance(value, float):
                result[at] = value
            elif value is not None and at in _one(value):
                result[at] = _one(value)[at]
        return result

    def difference(self, values: Value) -> Value:
        return self._changes(values, lambda before, after, _: after - before)

    def rate(self, values: Value) -> Value:
        return self._changes(values, lambda before, after, seconds: (after - before) / seconds)

    def running_sum(self, values: Value) -> Value:
        total, result = 0.0, {}
        for at, value in sorted(_one(values).items()):
            total += value
            result[at] = total
        return result

    def seconds(self, _: Value) -> Value:
        return float(self.grid.period)

    @staticmethod
    def _changes(values: Value, change: Callable[[float, float, float], float]) -> Value:
        if isinstance(values, list):
            return [_one(_Evaluation._changes(one, change)) for one in values]
        points = sorted(_one(values).items())
        return {
            at: change(before, after, at - earlier)
            for (earlier, before), (at, after) in itertools.pairwise(points)
        }


def _one(value: Value) -> Series:
    if isinstance(value, dict):
        return value
    raise ExpressionError("a time series is expected")


def _all_series(value: Value) -> list[Series]:
    return value if isinstance(value, list) else [_one(value)]


def _each(value: Value, function: Callable[[float], float]) -> Value:
    if isinstance(value, list):
        return [_one(_each(one, function)) for one in value]
    if isinstance(value, dict):
        return {at: float(function(one)) for at, one in value.items()}
    return float(function(value))


def _combine(left: Value, right: Value, function: Callable[[float, float], float]) -> Value:
    if isinstance(left, list):
        return [_one(_combine(one, right, function)) for one in left]
    if isinstance(right, list):
        return [_one(_combine(left, one, function)) for one in right]
    if isinstance(left, float) and isinstance(right, float):
        try:
            return float(function(left, right))
        except ZeroDivisionError:
            raise ExpressionError("division by zero") from None
    timestamps = (
        set(left) & set(right)
        if isinstance(left, dict) and isinstance(right, dict)
        else set(left if isinstance(left, dict) else _one(right))
    )
    result: Series = {}
    for at in timestamps:
        a = left[at] if isinstance(left, dict) else left
        b = right[at] if isinstance(right, dict) else right
        try:
            result[at] = float(function(a, b))
        except (ZeroDivisionError, OverflowError):
            continue  # no value
    return result


def _reduced(reduce: Callable[[list[float]], float]) -> Callable[[_Evaluation, Value], Value]:
    """Of several time series: one, with the values of those that have some. Of one: a number."""

    def function(_: _Evaluation, value: Value) -> Value:
        if isinstance(value, list):
            timestamps = sorted({at for one in value for at in one})
            return {at: reduce([one[at] for one in value if at in one]) for at in timestamps}
        values = list(_one(value).values())
        return float(reduce(values)) if values else {}

    return function


_FUNCTIONS: dict[str, Callable[..., Value]] = {
    "SUM": _reduced(math.fsum),
    "AVG": _reduced(lambda values: math.fsum(values) / len(values)),
    "MIN": _reduced(min),
    "MAX": _reduced(max),
    "DATAPOINT_COUNT": _reduced(lambda values: float(len(values))),
    "ABS": lambda _, value: _each(value, abs),
    "CEIL": lambda _, value: _each(value, math.ceil),
    "FLOOR": lambda _, value: _each(value, math.floor),
    "FILL": _Evaluation.fill,
    "IF": _Evaluation.condition,
    "DIFF": _Evaluation.difference,
    "RATE": _Evaluation.rate,
    "RUNNING_SUM": _Evaluation.running_sum,
    "PERIOD": _Evaluation.seconds,
}
