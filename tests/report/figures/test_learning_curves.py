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
