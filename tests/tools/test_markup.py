"""What programs read from documents, and write into them."""

import pytest

from tools import markup

TEXT = "before\n<!-- BEGIN_A -->\nold\n<!-- END_A -->\nafter\n"


def test_only_the_part_is_another() -> None:
    assert markup.with_part(TEXT, "A", "new\n") == TEXT.replace("old", "new")


@pytest.mark.parametrize(
    "text", ["", TEXT.replace("BEGIN", "END"), TEXT.replace("END", "X"), TEXT + TEXT]
)
def test_a_document_without_a_place_for_the_part_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="unpack"):
        markup.with_part(text, "A", "new\n")


def test_blocks_are_those_of_one_language() -> None:
    text = "```hcl\na = 1\n```\n\n```json\n{}\n```\n\n```hcl\nb = 2\n```\n"

    assert markup.blocks(text, "hcl") == ["a = 1\n", "b = 2\n"]


def test_a_table_has_a_line_for_each_row() -> None:
    assert markup.table(("x", "y"), [("1", "2")]) == "| x | y |\n| --- | --- |\n| 1 | 2 |\n"
