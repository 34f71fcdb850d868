import numpy as np
import pytest
import xarray as xr

from tests.reporting.synthetic import experiment
from virtuallab.errors import UserError
from virtuallab.reporting.figures import accuracy
from virtuallab.reporting.figures.accuracy import accuracy_figure, summary_figure
from virtuallab.reporting.results.analyses import analyses

PROBES = np.array(["dense", "sparse"], dtype=object)
OBSERVABLES = np.array(["activity", "weights"], dtype=object)
BOUNDS = np.array(["low", "high"], dtype=object)
CELL = {"probe": PROBES, "observable": OBSERVABLES}
VALUES = xr.DataArray([[0.9, 0.6], [0.5, np.nan]], dims=tuple(CELL), coords=CELL)
INTERVAL = xr.concat([VALUES - 0.1, VALUES + 0.05], dim=xr.DataArray(BOUNDS, dims="bound"))
INTERVAL = INTERVAL.assign_coords(bound=BOUNDS)


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


def test_each_classifier_has_a_panel_of_accuracy(tree):
    (analysis,) = analyses(tree)
    figure = accuracy_figure(analysis)
    assert len(figure.panels) == 2
    assert "41 subjects" in figure.caption
    assert "noisy, activity change: " in figure.panels[0].alt


def test_the_summary_shows_the_classifier_of_the_best_result(tree):
    (analysis,) = analyses(tree)
    axes = summary_figure(tree).axes[0]
    drawn = sorted(
        float(x) for line in axes.lines if line.get_marker() != "None" for x in line.get_xdata()
    )
    wanted = [
        r.accuracy.value for r in analysis.results if r.classifier == analysis.best.classifier
    ]
    assert drawn == pytest.approx(sorted(wanted))


def test_there_is_no_summary_before_decoding():
    with pytest.raises(UserError, match=r"^there is nothing to draw\. Nothing is decoded yet"):
        summary_figure(experiment(decoded=False))
