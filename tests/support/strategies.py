"""Strategies for property tests: numbers and values at the limits of DynamoDB."""

from typing import Any

from hypothesis import strategies as st

from shared import orders

NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)


@st.composite
def numerals(draw: st.DrawFn) -> orders.Number:
    """JSON numbers in all notations, most of them near DynamoDB's limits."""
    length = draw(st.sampled_from([1, 5, 37, 38, 39]))
    digits = draw(st.integers(10 ** (length - 1), 10**length - 1) | st.just(0))
    whole = str(digits * 10 ** draw(st.sampled_from([0, 0, 0, 1, 60, 125])))
    fraction = draw(st.sampled_from(["", "", "", ".0", ".10", ".000001", "." + "0" * 128 + "1"]))
    exponent = ""
    if draw(st.booleans()):
        power = draw(st.integers(-170, 130) | st.sampled_from(["+0", "-007", "9" * 30]))
        exponent = f"{draw(st.sampled_from('eE'))}{power}"
    return orders.Number(draw(st.sampled_from(["", "-"])) + whole + fraction + exponent)


EVERYDAY_NUMBERS = st.decimals(-(10**6), 10**6, places=2).map(lambda d: orders.Number(f"{d:f}"))
EVERYDAY_SCALARS = st.sampled_from([None, True, False]) | st.text(max_size=12) | EVERYDAY_NUMBERS


def values(scalars: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
        max_leaves=12,
    )


EVERYDAY_VALUES = values(EVERYDAY_SCALARS)
VALUES = values(EVERYDAY_SCALARS | numerals())
