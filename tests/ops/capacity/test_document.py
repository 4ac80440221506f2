"""docs/capacity.md and others have the numbers that the simulator computes."""

from pathlib import Path

import pytest

from tests.ops.capacity import document

LONG = "BREAKS"  # hundreds of simulations
PARTS = [
    pytest.param(path, name, id=f"{path.relative_to(document.ROOT)} {name}")
    for path, parts in document.DOCUMENTS.items()
    for name in parts
    if name != LONG
]


@pytest.mark.parametrize("rate", document.WORKED)
def test_a_worked_example_works(rate: int) -> None:
    assert not document.worked(rate).problems


@pytest.mark.parametrize(("path", "name"), PARTS)
def test_a_part_of_a_document_is_up_to_date(path: Path, name: str) -> None:
    text, part = path.read_text(), document.DOCUMENTS[path][name]

    assert document.written(text, {name: part}) == text, "make docs"


@pytest.mark.nightly
def test_all_documents_are_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert document.main(["--check"]) == 0, capsys.readouterr().err
