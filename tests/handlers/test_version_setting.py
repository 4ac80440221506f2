"""ORDER_VERSION: what switches versions on, and how a version is compared once it does."""

import itertools
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.events import ENVIRONMENT
from shared import orders, settings
from shared.version import rank
from tests.support import child
from tests.support.properties import examples
from tests.support.strategies import numerals
from tests.support.versions import NUMBER, SETTING, TIME


@examples(500)
@given(literals=st.lists(numerals().filter(lambda n: len(n) < 300), min_size=2, max_size=6))
def test_numbers_compare_exactly(literals: list[orders.Number]) -> None:
    literals = [n for n in literals if abs(int(n.lower().partition("e")[2] or 0)) < 1000]

    assert [Fraction(n) for n in sorted(literals, key=rank)] == sorted(map(Fraction, literals))
    for one, other in itertools.combinations(literals, 2):
        assert (rank(one) == rank(other)) == (Fraction(one) == Fraction(other))


DIGITS = st.text("0123456789", min_size=1, max_size=9)


FRACTIONS = st.text("0123456789", max_size=9)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@examples(500)
@given(
    year=st.integers(0, 9999) | st.sampled_from([1900, 2000, 2023, 2024, 2100]),
    month=st.integers(0, 13),
    day=st.integers(0, 32) | st.sampled_from([28, 29, 30, 31]),
    clock=st.tuples(st.integers(0, 25), st.integers(0, 61), st.integers(0, 61)),
    digits=FRACTIONS,
)
def test_a_time_is_exact_or_refused(
    year: int, month: int, day: int, clock: tuple[int, int, int], digits: str
) -> None:
    time = ":".join(f"{part:02}" for part in clock)
    text = f"{year:04}-{month:02}-{day:02}T{time}{'.' * bool(digits)}{digits}Z"

    number = TIME.number({"updated_at": text})

    try:
        since_1970 = datetime(year, month, day, *clock, tzinfo=UTC) - EPOCH
    except ValueError:
        assert number is None
        return
    fraction = Fraction(f"0.{digits or 0}")
    assert number is not None
    assert int(number) == (since_1970 // timedelta(seconds=1) + fraction) * 10**9


# The setting


def test_with_the_setting_both_functions_know_versions() -> None:
    script = "from {} import handler; print(handler.SCHEMA.version)"
    for function in ("ingest", "process"):
        result = child.run(script.format(function), ORDER_VERSION=SETTING)
        assert result.stdout.strip() == str(NUMBER), result.stderr


@pytest.mark.parametrize("function", ["ingest", "process"])
@pytest.mark.parametrize("environment", [{}, {"ORDER_VERSION": ""}], ids=["absent", "empty"])
def test_without_the_setting_nothing_is_imported_or_compared(
    function: str, environment: dict[str, str]
) -> None:
    script = (
        f"import sys; from {function} import handler; print(handler.SCHEMA.version, "
        "sorted({'shared.version', 'process.versions'} & set(sys.modules)), "
        "type(getattr(handler, 'WRITER', None)).__name__)"
    )
    result = child.run(script, **environment)
    kind = {"ingest": "NoneType", "process": "Writer"}[function]
    assert result.stdout.strip() == f"None [] {kind}", result.stderr


@pytest.mark.parametrize(
    "value",
    [
        *("x", "1", "[]", "{}", "null", '"revision"'),
        '{"name":"revision","type":"N"}',
        '{"name":"revision","kept_in":"v"}',
        '{"name":"revision","type":"B","kept_in":"v"}',
        '{"name":"revision","type":["N"],"kept_in":"v"}',
        '{"name":"","type":"N","kept_in":"v"}',
        '{"name":"revision","type":"N","kept_in":""}',
        '{"name":"revision","type":"N","kept_in":"revision"}',
        '{"name":"item","type":"N","kept_in":"v"}',
        '{"name":"revision","type":"N","kept_in":"order_id"}',
        '{"name":"accepted_at","type":"N","kept_in":"v"}',
        '{"name":"revision","type":"N","kept_in":"accepted_at"}',
    ],
)
def test_an_invalid_setting_stops_the_start(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    for name in ("TABLE_KEYS", "ACCEPTED_AT_ATTRIBUTE"):
        monkeypatch.setenv(name, ENVIRONMENT[name])
    monkeypatch.setenv("ORDER_VERSION", value)

    with pytest.raises(settings.SettingsError, match=r"^ORDER_VERSION must be ") as error:
        settings.schema()
    assert "\n" not in str(error.value)
