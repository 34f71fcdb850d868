import numpy as np
import xarray as xr

from virtuallab.report.figures import accuracy, controls

PROBES = np.array(["dense", "sparse"], dtype=object)
OBSERVABLES = np.array(["activity", "weights"], dtype=object)
BOUNDS = np.array(["low", "high"], dtype=object)
CELL = {"probe": PROBES, "observable": OBSERVABLES}
VALUES = xr.DataArray([[0.9, 0.6], [0.5, np.nan]], dims=tuple(CELL), coords=CELL)
INTERVAL = xr.concat([VALUES - 0.1, VALUES + 0.05], dim=xr.DataArray(BOUNDS, dims="bound"))
INTERVAL = INTERVAL.assign_coords(bound=BOUNDS)


def control_values(visit_0):
    coords = {**CELL, "control": np.array(["visit_0"], dtype=object)}
    values = xr.DataArray(np.full((2, 2, 1), visit_0), dims=tuple(coords), coords=coords)
    bounds = xr.concat([values - 0.1, values + 0.1], dim=xr.DataArray(BOUNDS, dims="bound"))
    return values, bounds.assign_coords(bound=BOUNDS)


def test_each_measured_value_is_a_point_with_its_interval():
    axes = accuracy.draw(VALUES, INTERVAL, chance=0.25).axes[0]
    points = [line for line in axes.lines if line.get_marker() != "None"]
    assert [list(line.get_xdata()) for line in points] == [[0.9, 0.5], [0.6]]
    segments = [s for lines in axes.collections for s in lines.get_segments()]
    np.testing.assert_allclose(
        sorted(s[:, 0].tolist() for s in segments), [[0.4, 0.55], [0.5, 0.65], [0.8, 0.95]]
    )


def test_chance_is_a_line_with_its_number():
    axes = accuracy.draw(VALUES, INTERVAL, chance=0.25).axes[0]
    assert any(list(line.get_xdata()) == [0.25, 0.25] for line in axes.lines)
    assert "chance 0.25" in [text.get_text() for text in axes.texts]


def test_a_probe_name_is_written_as_in_the_protocol():
    axes = accuracy.draw(VALUES.assign_coords(probe=["a_b", "c"]), INTERVAL, chance=0.5).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a_b", "c"]


def test_a_control_above_chance_is_named_as_that_in_the_legend():
    for level, wanted in ((0.27, "visit 0 alone"), (0.5, "visit 0 alone, above chance")):
        figure = controls.draw(VALUES, *control_values(level), chance=0.25)
        labels = [text.get_text() for text in figure.legends[0].get_texts()]
        assert labels == ["accuracy", wanted]


def test_a_control_that_was_judged_is_red_only_if_it_failed():
    values, bounds = control_values(0.5)
    figure = controls.draw(VALUES, values, bounds, chance=0.25, failed=values > 0.6)
    assert [text.get_text() for text in figure.legends[0].get_texts()][1:] == ["visit 0 alone"]


def test_controls_have_a_row_for_each_measured_value():
    axes = controls.draw(VALUES, *control_values(0.25), chance=0.25).axes[0]
    rows = [label.get_text() for label in axes.get_yticklabels()]
    assert rows == ["dense, activity", "dense, weights", "sparse, activity"]
