"""docs/capacity.md has the numbers that the simulator computes."""

import pytest

from tests.ops.capacity import document


@pytest.mark.parametrize("rate", document.WORKED)
def test_a_worked_example_works(rate: int) -> None:
    assert not document.worked(rate).problems


def test_the_document_is_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert document.main(["--check"]) == 0, capsys.readouterr().err
