from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb

from virtuallab.registry import RULES
from virtuallab.reporting.figures import confusion
from virtuallab.reporting.figures.confusion import confusion_figure
from virtuallab.reporting.results.analyses import analyses


def counts(values, names="abcdefgh"):
    rules = np.array(list(names)[: len(values)], dtype=object)
    coords = {"true_rule": rules, "predicted_rule": rules}
    return xr.DataArray(np.array(values, dtype=float), dims=tuple(coords), coords=coords)


def test_each_row_adds_up_to_one_whichever_way_the_array_lies():
    wanted = [[0.75, 0.25], [0.5, 0.5]]
    table = counts([[3, 1], [2, 2]])
    np.testing.assert_allclose(confusion.row_shares(table), wanted)
    np.testing.assert_allclose(confusion.row_shares(table.T), wanted)


def test_a_rule_of_nobody_stays_blank():
    table = counts([[3, 1], [0, 0]])
    assert np.isnan(confusion.row_shares(table)[1]).all()
    texts = [text.get_text() for text in confusion.draw(table).axes[0].texts]
    assert texts == ["0.75", "0.25"]


def test_the_darkest_cell_is_the_largest_share():
    axes = confusion.draw(counts([[3, 1], [4, 0]])).axes[0]
    assert [patch.get_alpha() for patch in axes.patches] == [0.75, 0.25, 1.0, 0.0]


def test_equal_steps_of_a_share_are_nearly_equal_steps_of_lightness():
    def lightness(colour):
        linear = np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)
        return 116 * np.cbrt(linear @ (0.2126, 0.7152, 0.0722)) - 16

    axes = confusion.draw(counts([[3, 1], [4, 0]])).axes[0]
    fill = np.array(to_rgb(axes.patches[0].get_facecolor()))
    opacity = np.linspace(0, 1, 11)[:, None]
    steps = -np.diff(lightness(1 - opacity + opacity * fill))
    assert steps == pytest.approx(steps.mean(), rel=0.1)


def test_rules_taken_for_one_another_stand_side_by_side():
    table = counts([[9, 0, 0, 1], [0, 8, 2, 0], [0, 3, 7, 0], [4, 0, 0, 6]])
    for one in (table, table.isel(true_rule=[2, 0, 3, 1])):
        first, second, third, fourth = confusion.neighbours(one)
        assert {frozenset((first, second)), frozenset((third, fourth))} == {
            frozenset("ad"),
            frozenset("bc"),
        }


def test_rules_that_nobody_confuses_stay_as_they_come():
    assert confusion.neighbours(counts(np.eye(4) * 5)) == ["a", "b", "c", "d"]


def test_no_number_touches_another_with_as_many_rules_as_there_are():
    names = list(RULES)
    assert len(names) >= 14
    figure = confusion.draw(counts(np.full((len(names), len(names)), 1.0), names))
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    boxes += [tick.get_window_extent() for tick in figure.axes[0].get_yticklabels()]
    for place, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[place + 1 :])


def test_each_probe_has_the_confusion_of_its_best_result(tree):
    (analysis,) = analyses(tree)
    figure = confusion_figure(analysis)
    titles = [panel.figure.axes[0].get_title(loc="left") for panel in figure.panels]
    assert [title.split(":")[0] for title in titles] == [r.probe for r in analysis.of_probes]


def test_the_confusions_of_all_probes_have_their_rules_in_one_order(tree):
    figure = confusion_figure(analyses(tree)[0])
    orders = {
        tuple(label.get_text() for label in labels)
        for panel in figure.panels
        for axes in panel.figure.axes
        for labels in (axes.get_xticklabels(), axes.get_yticklabels())
    }
    assert len(orders) == 1


def test_many_rules_take_the_width_of_the_page(tree):
    (analysis,) = analyses(tree)
    assert not confusion_figure(analysis).full_width
    names = np.array([f"rule {number}" for number in range(12)], dtype=object)
    counts = analysis.dataset["confusion"].isel(true_rule=0, predicted_rule=0, drop=True)
    table = counts.expand_dims({"true_rule": names, "predicted_rule": names})
    dataset = analysis.dataset.drop_dims(["true_rule", "predicted_rule"]).assign(confusion=table)
    assert confusion_figure(replace(analysis, dataset=dataset)).full_width
