"""INSERT statements: any attribute name is stored unchanged, and none breaks out of its quotes."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.engines import Engine
from process import writer
from tests.support.properties import examples
from tests.support.writing import WRITTEN, Table, entry, item_of

pytestmark = pytest.mark.usefixtures("quick_calls")


@pytest.fixture(params=["dynamodb_local", "emulator"])
def table(request: pytest.FixtureRequest) -> Table:
    return Table(request.getfixturevalue(request.param))


@pytest.fixture
def real(dynamodb_local: Engine) -> Table:
    """A table of DynamoDB Local."""
    return Table(dynamodb_local)


NAMES = [
    *("it's", "''", "'", "\\'", '"', "`", "a b", "select", "VALUE", "ü漢😀", "\u202e", "\0\n"),
    *("?", ":a", "#a", "a.b", "a[0]", "{", "}", "':?}", "a,b", "--", "/*", ";", "$.a", "x" * 255),
    "x':?} ; DELETE FROM \"orders\" WHERE order_id='sentinel' --",
]


@pytest.mark.parametrize("name", NAMES)
def test_any_attribute_name_is_stored_unchanged(table: Table, name: str) -> None:
    one = entry("a", 5, **{name: {"S": name}, f"{name}2": {"M": {name: {"L": [{"S": name}]}}}})

    outcomes = table.without_put_item().write(one, entry("sentinel", 1))

    assert outcomes == [WRITTEN, WRITTEN]
    assert table.items() == {"a": item_of(one), "sentinel": item_of(entry("sentinel", 1))}


@pytest.mark.parametrize("character", ["x", "é", "'"])
@pytest.mark.parametrize("excess", [-1, 0, 1, 2])
def test_an_order_whose_statement_is_too_long_is_put(
    real: Table, character: str, excess: int
) -> None:
    quoted = writer._insert_statement("orders", (*entry("a", 1).item, "x")) or ""
    statement = json.loads(quoted)
    # A quote is doubled, and é takes two bytes.
    whole, rest = divmod(8192 + excess - len(statement.encode()) + 1, 1 + (character != "x"))
    name = character * whole + "x" * rest
    assert bool(writer._insert_statement("orders", (*entry("a", 1).item, name))) == (excess <= 0)

    outcomes = real.write(entry("long", 1, **{name: {"S": ""}}), entry("short", 1))

    assert outcomes == [WRITTEN, WRITTEN]
    assert set(real.items()) == {"long", "short"}


EXAMPLES = 500
QUOTED = st.text(st.sampled_from("'\"\\`?:,{} \n\0éx"), min_size=1, max_size=12)
HOSTILE_NAMES = QUOTED | st.sampled_from(NAMES) | st.text(st.characters(codec="utf-8"), min_size=1)
TABLES = st.from_regex(r"[a-zA-Z0-9_.-]{3,255}", fullmatch=True)


def tokens(statement: str) -> Iterator[tuple[str, str]]:
    """Yields the tokens of PartiQL; a quotation ends at the first quote that is not doubled."""
    position = 0
    while position < len(statement):
        first = statement[position]
        if first in "'\"":
            content = ""
            position += 1
            while statement[position] != first or statement[position : position + 2] == first * 2:
                content += statement[position]
                position += 1 + (statement[position] == first)
            position += 1
            yield first, content
        elif first.isalpha():
            end = position
            while end < len(statement) and statement[end].isalpha():
                end += 1
            yield "word", statement[position:end]
            position = end
        else:
            if not first.isspace():
                yield "sign", first
            position += 1


def parse_insert(statement: str) -> tuple[str, list[str]]:
    """Returns table and names of ``INSERT INTO "table" VALUE {'name':?,…}``, or fails."""
    left = list(tokens(statement))

    def take(kind: str, text: str | None = None) -> str:
        found, content = left.pop(0)
        assert found == kind
        assert text in (None, content)
        return content

    take("word", "INSERT")
    take("word", "INTO")
    table = take('"')
    take("word", "VALUE")
    take("sign", "{")
    names = []
    while True:
        names.append(take("'"))
        take("sign", ":")
        take("sign", "?")
        if left[0] != ("sign", ","):
            break
        take("sign", ",")
    take("sign", "}")
    assert left == []
    return table, names


@examples(EXAMPLES)
@given(
    table_name=TABLES,
    names=st.lists(HOSTILE_NAMES, min_size=1, max_size=30, unique=True),
    times=st.sampled_from([1, 1, 1, 50, 300]),
)
def test_a_statement_has_the_table_and_the_names_and_nothing_else(
    table_name: str, names: list[str], times: int
) -> None:
    names = [name * times for name in names]
    statement = writer._insert_statement(table_name, tuple(names))
    bytes_of_names = sum(len(name.encode()) + name.count("'") + len("'':?,") for name in names)
    fits = len(f'INSERT INTO "{table_name}" VALUE {{}}') + bytes_of_names - 1 <= 8192
    assert (statement is not None) == fits
    if statement is not None:
        assert parse_insert(json.loads(statement)) == (table_name, names)


@examples(EXAMPLES)
@given(
    several=st.lists(
        st.dictionaries(HOSTILE_NAMES, st.builds(lambda text: {"S": text}, QUOTED), max_size=5),
        min_size=1,
        max_size=3,
    )
)
def test_dynamodb_reads_a_statement_as_intended(
    dynamodb_local: Engine, several: list[dict[str, Any]]
) -> None:
    real = Table(dynamodb_local).without_put_item()
    several = [*several, {}]  # a single order would be put
    entries = [entry(str(number), 5, **attributes) for number, attributes in enumerate(several)]

    assert real.write(*entries) == [WRITTEN] * len(entries)

    assert real.items() == {one.key[0]: item_of(one) for one in entries}
