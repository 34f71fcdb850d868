from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

from virtuallab.accessor.plots import drift
from virtuallab.errors import UserError
from virtuallab.reporting.style import looks


def test_drift_draws_the_mean_of_each_rule_in_its_look(recording: xr.Dataset) -> None:
    figure = recording.lab.plot_drift(reference=2)
    axes = figure.axes[0]
    similarity = recording.lab.rdm_similarity()[:, 0, :, 1].to_numpy()
    lines = [line for line in axes.lines if len(line.get_xdata()) == 4]
    look = looks(["adam", "feedback_alignment"])
    means = {"adam": similarity[:2].mean(0), "feedback_alignment": similarity[2]}
    for line, (rule, mean) in zip(lines, means.items(), strict=True):
        np.testing.assert_allclose(line.get_ydata(), mean)
        np.testing.assert_allclose(line.get_xdata(), [0, 1.5, 3, 4.5])
        assert line.get_color() == look[rule].colour
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["Adam", "feedback alignment"], "nobody with the third rule was recorded"
    assert figure.get_suptitle() == "RDMs compared with those after 1.5 epochs; 3 subjects"


def test_the_band_is_the_interval_of_students_t() -> None:
    values = pd.Series([0.1, 0.4, 0.35, 0.9])
    expected = stats.t.interval(0.95, 3, loc=values.mean(), scale=stats.sem(values))
    np.testing.assert_allclose(drift._interval(values), expected)
    assert drift._interval(values[:1]) == (0.1, 0.1)


def test_without_a_rule_there_is_one_line_and_no_legend(recording: xr.Dataset) -> None:
    nameless = recording.drop_vars(["rule", "architecture", "subject", "epoch", "visit"])
    figure = nameless.lab.plot_drift()
    assert not figure.legends
    assert figure.axes[0].get_xlabel() == "visit"
    assert nameless.lab.plot_activity().get_title(loc="left") == "at visit 3"


def test_one_subject_has_lines_without_a_band(recording: xr.Dataset) -> None:
    figure = recording.isel(subject=1).lab.plot_drift()
    assert figure.axes[0].lines
    assert figure.get_suptitle() == "RDMs compared with those before learning"


def test_a_layer_that_cannot_be_compared_is_left_empty(recording: xr.Dataset) -> None:
    figure = recording.lab.plot_drift()
    assert [text.get_text() for text in figure.axes[2].texts] == ["none"]


def test_drift_that_cannot_be_drawn_is_refused(recording: xr.Dataset) -> None:
    with pytest.raises(UserError, match="there is no visit 9"):
        recording.lab.plot_drift(reference=9)
    with pytest.raises(UserError, match="only one"):
        recording.isel(visit=[0]).lab.plot_drift()
    with pytest.raises(UserError, match="at least three stimuli"):
        recording.isel(stimulus=[0, 1]).lab.plot_drift()
