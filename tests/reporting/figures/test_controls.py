import numpy as np
import pytest
import xarray as xr

from tests.reporting.synthetic import experiment
from virtuallab.reporting.figures import controls
from virtuallab.reporting.figures.controls import controls_figure
from virtuallab.reporting.results.analyses import analyses

PROBES = np.array(["dense", "sparse"], dtype=object)
OBSERVABLES = np.array(["activity", "weights"], dtype=object)
BOUNDS = np.array(["low", "high"], dtype=object)
CELL = {"probe": PROBES, "observable": OBSERVABLES}
VALUES = xr.DataArray([[0.9, 0.6], [0.5, np.nan]], dims=tuple(CELL), coords=CELL)


def drawn(level, names=("visit_0",), failed=False):
    coords = {**CELL, "control": np.array(names, dtype=object)}
    shape = tuple(map(len, coords.values()))
    values = xr.DataArray(np.full(shape, level), dims=tuple(coords), coords=coords)
    bounds = xr.concat([values - 0.3, values + 0.3], dim=xr.DataArray(BOUNDS, dims="bound"))
    bounds = bounds.assign_coords(bound=BOUNDS)
    fails = xr.full_like(values, failed, dtype=bool)
    return controls.draw(VALUES, values, bounds, failed=fails, chance=0.25)


def legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_a_control_is_red_only_if_it_failed():
    assert legend(drawn(0.9)) == ["recording", "visit 0 alone"]
    assert legend(drawn(0.9, failed=True)) == ["recording", "visit 0 alone, failed"]


def test_controls_have_a_row_for_each_measured_value():
    rows = [label.get_text() for label in drawn(0.25).axes[0].get_yticklabels()]
    assert rows == ["dense, activity", "dense, weights", "sparse, activity"]


@pytest.mark.parametrize("count", [5, 20])
def test_every_control_has_a_marker_of_its_own(count):
    axes = drawn(0.25, names=[f"control_{place}" for place in range(count)]).axes[0]
    marked = [line for line in axes.lines if line.get_label().startswith("control")]
    looks = {(line.get_marker(), line.get_markerfacecolor()) for line in marked}
    assert len(looks) == len(marked) == count


def test_an_interval_is_drawn_from_0_to_1_only():
    (lines,) = drawn(0.1).axes[0].collections
    assert {tuple(segment[:, 0].round(6)) for segment in lines.get_segments()} == {(0.0, 0.4)}


def test_without_controls_there_is_no_figure_of_controls():
    tree = experiment()
    node = tree["decoding/main"].to_dataset().drop_vars(["control_accuracy", "control_interval"])
    tree["decoding/main"] = node
    assert controls_figure(analyses(tree)[0]) is None


def test_the_figure_shows_evaluated_controls_that_must_be_at_chance():
    one = ("random_forest",)
    tree = experiment(
        judged=True, not_evaluated=("schedule",), failing=("metadata",), classifiers=one
    )
    figure = controls_figure(analyses(tree)[0])
    (panel,) = figure.panels
    labels = [text.get_text() for text in panel.figure.legends[0].get_texts()]
    assert labels == [
        *("recording", "visit 0 alone", "permuted labels"),
        "metadata, failed",
    ]
    assert "11 of 33 failed" in panel.alt
    assert "(visit 0 alone, permuted labels and metadata)" in figure.caption


def test_the_caption_explains_the_controls():
    caption = controls_figure(analyses(experiment(judged=True))[0]).caption
    assert "controls that must be at chance" in caption
    assert "Red: failed control." in caption
