"""docs/capacity.md has the numbers that the simulator computes."""

import pytest

from tests.ops.capacity import document


@pytest.mark.parametrize("rate", document.WORKED)
def test_a_worked_example_works(rate: int) -> None:
    assert not document.worked(rate).problems


def test_the_document_is_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert document.main(["--check"]) == 0, capsys.readouterr().err


@pytest.mark.parametrize("part", document.PARTS)
def test_each_part_has_its_place(part: str) -> None:
    text = document.DOCUMENT.read_text()
    assert text.index(f"<!-- BEGIN_{part} -->") < text.index(f"<!-- END_{part} -->")
