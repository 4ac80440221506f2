"""The simulator against figures that others published from AWS: published.py."""

import pytest

from tests.ops.capacity.published import FIGURES, Figure


@pytest.mark.parametrize("figure", FIGURES, ids=[figure.says for figure in FIGURES])
def test_a_published_figure(figure: Figure) -> None:
    simulated = figure.simulated()
    assert figure.lowest <= simulated <= figure.highest, f"{figure.source}: {figure.difference}"
