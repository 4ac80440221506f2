"""local/patches/dynamodb.py: what DynamoDB checks of a PartiQL statement."""

from typing import Any

from local.emulator import Emulator
from tests.local.patches.checks import Checks, code_of, text_of
from tests.support.tables import create_table

Json = dict[str, Any]

check = Checks("dynamodb")

(
    test_every_patch_has_a_check,
    test_the_check_passes_with_the_patch,
    test_the_check_fails_without_the_patch,
) = check.tests()


@check()
def inserts_are_checked_as_puts_are(emulator: Emulator) -> None:
    table = Table(emulator, id="S", sort="S")
    key = {"id": {"S": "k"}, "sort": {"S": "k"}}

    refused: list[Json] = [
        {"id": {"S": "k"}},
        {"sort": {"S": "k"}},
        key | {"id": {"N": "1"}},
        key | {"sort": {"N": "1"}},
        key | {"sort": {"S": ""}},
        key | {"id": {"S": "k" * 2049}},
        key | {"sort": {"S": "k" * 1025}},
        key | {"": {"S": "x"}},
        key | {"set": {"SS": []}},
        *(
            key | {"number": number}
            for text in ("1e126", "-1e126", "1e-131", "0e126", "0e-131", "1" * 39)
            for number in ({"N": text}, {"L": [{"N": text}]}, {"NS": ["1", text]})
        ),
    ]
    for item in refused:
        assert table.insert(item) == "ValidationError", item
        assert code_of(table.dynamodb.execute_statement, **table.statement(item)) == (
            "ValidationException"
        )
    assert table.items() == []
    assert table.insert({"id": {"S": "k" * 2048}, "sort": {"S": "k" * 1024}}) is None

    normal = {
        "1.10": "1.1",
        "00042": "42",
        "-0": "0",
        "1.5E2": "150",
        "1E125": "1" + "0" * 125,
        "0042.1200": "42.12",
    }
    numbers = {"M": {f"n{n}": {"N": text} for n, text in enumerate(normal)}}
    assert table.insert(key | {"numbers": numbers}) is None
    (item,) = (item for item in table.items() if item["id"] == {"S": "k"})
    read = {f"n{n}": {"N": text} for n, text in enumerate(normal.values())}
    assert item["numbers"]["M"] == read

    table = Table(emulator, id="N")
    assert [table.insert({"id": {"N": text}}) for text in ("8.0", "8", "80E-1")] == [
        None,
        "DuplicateItem",
        "DuplicateItem",
    ]
    assert table.items() == [{"id": {"N": "8"}}]


@check()
def statements_have_at_most_8192_bytes(emulator: Emulator) -> None:
    table = Table(emulator, id="S")
    shortest = len(table.statement({"id": {"S": "x"}, "": {"S": "x"}})["Statement"])

    def calls(length: int) -> list[Any]:
        """Returns the texts with which calls with a statement of this size are refused."""
        name = "é" * ((length - shortest) // 2) + "x" * ((length - shortest) % 2)
        one, two = (
            table.statement({"id": {"S": f"{length}{way}"}, name: {"S": "x"}}) for way in "ab"
        )
        beside = table.statement({"id": {"S": f"beside {length}"}})
        dynamodb = table.dynamodb
        return [
            text_of(dynamodb.execute_statement, **one),
            text_of(dynamodb.batch_execute_statement, Statements=[two, beside]),
        ]

    assert calls(8192) == [""] * 2
    assert calls(8193) == ["Member must have length less than or equal to 8192"] * 2
    ids = {item["id"]["S"] for item in table.items()}
    assert ids == {"8192a", "8192b", "beside 8192"}


@check()
def batches_insert_a_key_once(emulator: Emulator) -> None:
    by_text, by_number = Table(emulator, id="S", sort="S"), Table(emulator, id="N")
    key = {"id": {"S": "k"}, "sort": {"S": "1"}}

    def insert(table: Table, *items: Json) -> str:
        statements = [table.statement(item) for item in items]
        return text_of(table.dynamodb.batch_execute_statement, Statements=statements)

    text = "Provided list of item keys contains duplicates"
    assert insert(by_text, key, key | {"more": {"S": "x"}}) == text
    assert insert(by_number, *({"id": {"N": spelled}} for spelled in ("70", "7E1"))) == text
    assert by_text.items() == by_number.items() == []
    # Items with another sort key, or in another table, are not duplicates.
    assert insert(by_text, key, key | {"sort": {"S": "2"}}) == ""
    assert len(by_text.items()) == 2


class Table:
    """A new table, and INSERTs into it."""

    def __init__(self, emulator: Emulator, **keys: str) -> None:
        self.dynamodb = emulator.client("dynamodb")
        self.name = "-".join(("table", *keys.values()))
        create_table(emulator.client("dynamodb"), self.name, keys)

    def statement(self, item: Json) -> Json:
        names = ", ".join(f"'{name}': ?" for name in item)
        text = f'INSERT INTO "{self.name}" VALUE {{{names}}}'
        return {"Statement": text, "Parameters": list(item.values())}

    def insert(self, item: Json) -> str | None:
        """Returns the code with which a batch refuses the statement, or None."""
        statements = [self.statement(item)]
        (answer,) = self.dynamodb.batch_execute_statement(Statements=statements)["Responses"]
        return str(answer["Error"]["Code"]) if "Error" in answer else None

    def items(self) -> list[Json]:
        return list(self.dynamodb.scan(TableName=self.name)["Items"])
