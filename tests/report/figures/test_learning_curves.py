import numpy as np
import xarray as xr

from virtuallab.report.figures import learning_curves


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
    near = learning_curves.draw(curves([[2.3, 2.0, 1.0], [2.3, 2.2, 2.1]], ["a", "b"]), loss=True)
    far = learning_curves.draw(curves([[2.3, 2.0, 0.1], [2.3, 30.0, 40.0]], ["a", "b"]), loss=True)
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
