import numpy as np
import pytest
import xarray as xr
from scipy import stats

from virtuallab.reporting.figures.common import layer_grid
from virtuallab.reporting.figures.common.layer_grid import ANGLE, RATIO, MeasureRow, mean_interval
from virtuallab.reporting.style import looks

RULES = ["a", "a", "a", "b"]


def column(values, rules=RULES, steps=(0, 5, 9)):
    return xr.DataArray(
        np.array(values, dtype=float),
        dims=("subject", "visit"),
        coords={
            "rule": ("subject", np.array(rules, dtype=object)),
            "step": ("visit", list(steps)),
            "epoch": ("visit", [step / 10 for step in steps]),
        },
    )


def draw(*rows, rules=("a", "b"), **options):
    return layer_grid.draw(rows, rule_looks=looks(rules), **options)


ANGLES = column([[90, 60, 30], [90, 70, 50], [90, 80, 70], [88, 88, 88]])


def test_the_line_is_the_mean_and_the_band_its_interval():
    (axes,) = draw(MeasureRow("weights (°)", ANGLE, {"conv1": ANGLES})).axes
    first, second, chance = axes.lines
    np.testing.assert_allclose(first.get_ydata(), [90, 70, 50])
    np.testing.assert_allclose(second.get_ydata(), 88)
    np.testing.assert_array_equal(first.get_xdata(), [0, 5, 9])
    assert list(chance.get_ydata()) == [90, 90]
    band = axes.collections[0].get_paths()[0].vertices
    expected = stats.ttest_1samp([30, 50, 70], 0).confidence_interval(0.95)
    np.testing.assert_allclose(band[band[:, 0] == 9][:, 1].max(), expected.high)


def test_an_interval_is_that_of_students_t_and_misses_nothing_but_what_is_missing():
    values = np.array([[1.0, 1.0, np.nan], [2.0, np.nan, np.nan], [6.0, np.nan, np.nan]])
    low, mean, high = mean_interval(values)
    expected = stats.ttest_1samp([1, 2, 6], 0).confidence_interval(0.95)
    np.testing.assert_allclose([low[0], mean[0], high[0]], [expected.low, 3, expected.high])
    np.testing.assert_array_equal([low[1], mean[1], high[1]], 1.0)
    assert np.isnan([low[2], mean[2], high[2]]).all()


def test_ratios_have_their_geometric_mean_and_zero_has_none():
    ratios = column([[1, 4, 0], [1, 9, 2], [1, 6, 8], [1, 1, 1]])
    (axes,) = draw(MeasureRow("gradient norm", RATIO, {"conv1": ratios})).axes
    np.testing.assert_allclose(axes.lines[0].get_ydata(), [1, 6, 4])
    assert axes.get_yscale() == "log"


def test_a_rule_without_a_measure_is_not_in_its_legend():
    only_a = ANGLES.where(ANGLES["rule"] == "a")
    figure = draw(MeasureRow("weights (°)", ANGLE, {"conv1": only_a}))
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a"]
    assert MeasureRow("", ANGLE, {"conv1": only_a}).rules == ("a",)


def test_a_rule_that_has_it_in_one_layer_only_is_in_the_legend_once():
    upper = ANGLES.where(ANGLES["rule"] == "b")
    figure = draw(MeasureRow("weights (°)", ANGLE, {"conv1": ANGLES, "fc2": upper}))
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a", "b"]


def test_a_layer_without_a_measure_says_so_and_keeps_its_column():
    rows = (
        MeasureRow("local gradient (°)", ANGLE, {"conv1": ANGLES * np.nan, "fc2": ANGLES}),
        MeasureRow("weights (°)", ANGLE, {"conv1": ANGLES, "fc2": ANGLES}),
    )
    figure = draw(*rows)
    assert [axes.get_title() for axes in figure.axes] == ["conv1", "fc2", "", ""]
    assert [text.get_text() for text in figure.axes[0].texts] == ["none"]
    assert not figure.axes[0].lines
    assert figure.axes[0].get_ylabel() == "local gradient (°)"


def test_one_visit_shows_rules_beside_one_another():
    (axes,) = draw(MeasureRow("weights (°)", ANGLE, {"conv1": ANGLES.isel(visit=[1])})).axes
    points = [line for line in axes.lines if line.get_marker() != "None"]
    assert [(p.get_xdata()[0], p.get_ydata()[0]) for p in points] == [(0, 70), (1, 88)]
    assert axes.get_xlabel() == "training step 5"


@pytest.mark.parametrize(("highest", "top"), [(80, 100), (120, 135), (170, 180)])
def test_the_axis_of_angles_reaches_as_far_as_the_means(highest, top):
    values = ANGLES * 0 + highest
    (axes,) = draw(MeasureRow("weights (°)", ANGLE, {"conv1": values})).axes
    assert axes.get_ylim()[1] == pytest.approx(1.02 * top)


def test_twenty_rules_leave_room_for_their_panels():
    rules = [f"rule_with_a_long_name_{index}" for index in range(20)]
    values = column([[90, 60, 30]] * 20, rules)
    figure = draw(MeasureRow("weights (°)", ANGLE, {"conv1": values, "fc2": values}), rules=rules)
    figure.draw_without_rendering()
    box = figure.legends[0].get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.x1
    assert figure.axes[0].get_window_extent().height > 0.6 * figure.dpi
