"""The simulator against figures that others published from AWS: published.py."""

import pytest

from tests.ops.capacity.published import FIGURES, Figure


@pytest.mark.parametrize("figure", FIGURES, ids=[figure.says for figure in FIGURES])
def test_a_published_figure_is_met_or_the_difference_is_explained(figure: Figure) -> None:
    simulated = figure.simulated()
    assert figure.is_met_by(simulated) is not bool(figure.difference), figure.source
    if figure.difference:
        assert simulated == pytest.approx(figure.explained, rel=0.005), figure.difference


def test_at_least_five_figures_are_met() -> None:
    met = [figure for figure in FIGURES if not figure.difference]
    assert len(met) >= 5
