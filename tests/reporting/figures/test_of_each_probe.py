import pytest

from tests.reporting.synthetic import experiment
from virtuallab.reporting.figures.held_out import held_out_figure
from virtuallab.reporting.figures.left_out import left_out_figure
from virtuallab.reporting.figures.reliability import reliability_figure
from virtuallab.reporting.results.analyses import analyses

FIGURES = pytest.mark.parametrize("make", [reliability_figure, held_out_figure, left_out_figure])


@FIGURES
def test_each_probe_has_the_panel_of_its_best_result(make, tree):
    (analysis,) = analyses(tree)
    titles = [panel.figure.axes[0].get_title(loc="left") for panel in make(analysis).panels]
    assert [title.split(":")[0] for title in titles] == [r.probe for r in analysis.of_probes]


@FIGURES
def test_without_its_numbers_there_is_no_figure(make):
    assert make(analyses(experiment())[0]) is None


def test_the_error_stands_beside_what_exact_probabilities_would_give(tree):
    figure = reliability_figure(analyses(tree)[0])
    assert "all_units 0.05 (expected of exact probabilities: 0.04)" in figure.caption
    assert "stated 0.80, correct 0.70, 10 subjects" in figure.panels[0].alt


def test_every_group_held_out_is_said_in_words(tree):
    (analysis,) = analyses(tree)
    alt = held_out_figure(analysis).panels[0].alt
    for label, accuracy in analysis.best.held_out.items():
        assert f"{label} {accuracy}" in alt


def test_rules_left_out_are_in_one_order_the_best_told_first(tree):
    orders = [
        [label.get_text() for label in panel.figure.axes[0].get_yticklabels()]
        for panel in left_out_figure(analyses(tree)[0]).panels
    ]
    assert orders == 3 * [
        ["information alignment", "feedback alignment", "SGD, momentum", "Adam"],
    ]
