import numpy as np
import xarray as xr

from tests.reporting.synthetic import RULES, experiment
from virtuallab.reporting.figures import learning_curves
from virtuallab.reporting.figures.learning_curves import learning_figure
from virtuallab.reporting.style import looks
from virtuallab.vocabulary import DONE


def curves(values, rules):
    return xr.DataArray(
        np.array(values, dtype=float),
        dims=("subject", "visit"),
        coords={"rule": ("subject", np.array(rules, dtype=object)), "step": ("visit", [0, 5, 9])},
    )


def test_the_line_is_the_median_and_the_band_the_quartiles_of_each_rule():
    values = [[0.1, 0.2, 0.3], [0.1, 0.4, 0.7], [0.1, 0.3, 0.8], [0.5, 0.5, 0.5]]
    figure = learning_curves.draw(curves(values, ["a", "a", "a", "b"]))
    axes = figure.axes[0]
    first, second = axes.lines
    np.testing.assert_allclose(first.get_ydata(), [0.1, 0.3, 0.7])
    np.testing.assert_allclose(second.get_ydata(), [0.5, 0.5, 0.5])
    np.testing.assert_array_equal(first.get_xdata(), [0, 5, 9])
    band = axes.collections[0].get_paths()[0].vertices
    np.testing.assert_allclose(band[band[:, 0] == 9][:, 1].max(), 0.75)


def test_a_visit_that_nobody_reached_leaves_a_gap():
    figure = learning_curves.draw(curves([[0.1, np.nan, 0.3], [0.2, np.nan, 0.5]], ["a", "a"]))
    np.testing.assert_allclose(figure.axes[0].lines[0].get_ydata(), [0.15, np.nan, 0.4])


def test_missing_values_of_one_subject_do_not_hide_the_others():
    figure = learning_curves.draw(curves([[0.1, 0.2, np.nan], [0.2, 0.4, 0.5]], ["a", "a"]))
    np.testing.assert_allclose(figure.axes[0].lines[0].get_ydata(), [0.15, 0.3, 0.5])


def test_losses_have_their_unit_and_powers_of_ten_where_rules_lie_far_apart():
    near = learning_curves.draw(
        curves([[2.3, 2.0, 1.0], [2.3, 2.2, 2.1]], ["a", "b"]), "validation loss (nat)"
    )
    far = learning_curves.draw(
        curves([[2.3, 2.0, 0.1], [2.3, 30.0, 40.0]], ["a", "b"]), "validation loss (nat)"
    )
    assert near.axes[0].get_ylabel() == "validation loss (nat)"
    assert [figure.axes[0].get_yscale() for figure in (near, far)] == ["linear", "log"]


def test_one_visit_is_a_point():
    (axes,) = learning_curves.draw(curves([[0.1, 0.2, 0.3]], ["a"]).isel(visit=[1])).axes
    assert axes.lines[0].get_marker() != "None"
    assert [label.get_text() for label in axes.get_xticklabels()] == ["5"]


def test_a_legend_of_many_rules_takes_nothing_from_the_curves():
    rules = [f"rule_{index}" for index in range(20)]
    few, many = (learning_curves.draw(curves([[0, 0.5, 1]] * n, rules[:n])) for n in (4, 20))
    heights = []
    for figure in (few, many):
        figure.draw_without_rendering()
        heights.append(figure.axes[0].get_window_extent().height)
    assert heights[1] > 0.85 * heights[0]


def test_each_architecture_has_a_panel_and_the_caption_says_who_is_left_out(tree):
    figure = learning_figure(tree, looks(RULES))
    assert [panel.alt.split(", ")[1] for panel in figure.panels] == [
        *("knet4", "knet4"),
        *("mlp", "mlp"),
    ]
    assert [panel.alt.split(" over ")[0] for panel in figure.panels[:2]] == [
        "Validation accuracy",
        "Validation loss",
    ]
    status = tree["subjects/status"].to_numpy()
    assert f"{(status == DONE).sum()} subjects" in figure.caption
    assert f"{(status != DONE).sum()} subjects that diverged" in figure.caption


def test_two_losses_are_never_drawn_as_one(tree):
    two = tree.copy()
    count = two["subjects"].sizes["subject"]
    losses = np.array(["cross_entropy", "squared_error"] * (count // 2), dtype=object)
    two["subjects"] = two["subjects"].to_dataset().assign(loss=("subject", losses))
    figure = learning_figure(two, looks(RULES))
    assert len(figure.panels) == 8
    labels = [panel.figure.axes[0].get_ylabel() for panel in figure.panels[1::2]]
    assert labels == ["validation loss (nat)", "validation loss"] * 2
    assert "squared error" in figure.panels[2].alt


def test_before_training_there_are_no_learning_curves():
    tree = experiment(decoded=False, recorded=False, pending=48)
    assert learning_figure(tree, looks(RULES)) is None
