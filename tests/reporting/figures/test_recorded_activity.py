import numpy as np
import xarray as xr

from tests.reporting.synthetic import RULES, experiment
from virtuallab.reporting.figures import recorded_activity
from virtuallab.reporting.figures.recorded_activity import activity_figure
from virtuallab.vocabulary import DONE


def recording(values, layers, labels=None, visits=None):
    values = np.array(values, dtype=np.float32)
    coords = {
        "visit": np.arange(len(values)) if visits is None else visits,
        "unit_layer": ("unit", np.array(layers, dtype=object)),
    }
    if labels is not None:
        coords["stimulus_label"] = ("stimulus", labels)
    return xr.DataArray(values, dims=("visit", "stimulus", "unit"), coords=coords)


def images(figure):
    return [axes.images[0].get_array() for axes in figure.axes if axes.images]


def test_units_are_grouped_by_layer_and_stimuli_by_class():
    values = np.zeros((1, 2, 3))
    values[0, 0, 2] = values[0, 1, 1] = 1.0  # unit 2 answers to class 1, unit 1 to class 0
    shown = recording(values, ["deep", "early", "deep"], labels=[1, 0])
    (image,) = images(recorded_activity.draw(shown))
    # rows: units 0 and 2 of "deep", then unit 1 of "early"; columns: class 0, class 1
    np.testing.assert_array_equal(image > 0, [[False, False], [False, True], [True, False]])


def test_each_layer_is_scaled_by_its_own_largest_response_before_and_after():
    values = np.zeros((2, 40, 4))
    values[1, :, :2], values[0, :, 2:], values[1, :, 2:] = 1.0, 50.0, 100.0
    before, after = images(recorded_activity.draw(recording(values, ["a", "a", "b", "b"])))
    np.testing.assert_allclose(before[:, 0], [0, 0, 0.5, 0.5])
    np.testing.assert_allclose(after[:, 0], 1.0)


def test_a_silent_layer_stays_dark():
    (after,) = images(recorded_activity.draw(recording(np.zeros((1, 3, 2)), ["a", "a"])))
    np.testing.assert_array_equal(after, 0.0)


def test_more_units_than_can_be_seen_are_thinned_evenly():
    layers = ["a"] * 300 + ["b"] * 300
    (shown,) = images(recorded_activity.draw(recording(np.ones((1, 2, 600)), layers)))
    assert len(shown) == recorded_activity.MAX_UNITS


def test_a_probe_that_missed_visit_0_does_not_claim_to_show_it():
    figure = recorded_activity.draw(recording(np.ones((2, 2, 1)), ["a"], visits=[3, 8]))
    assert [axes.get_title() for axes in figure.axes[:2]] == ["visit 3", "visit 8"]


def test_the_probe_that_is_asked_for_is_shown_if_it_kept_its_recordings(tree):
    assert "“sparse”" in activity_figure(tree, ["sparse"]).caption
    assert "“sparse”" in activity_figure(tree, ["all_units", "sparse", "noisy"]).caption
    assert "“noisy”" in activity_figure(tree, ["all_units"]).caption


def test_a_subject_of_each_rule_is_shown_and_none_that_diverged(tree):
    figure = activity_figure(tree, ["noisy"])
    shown = [panel.alt.split(" in ")[1].split(",")[0] for panel in figure.panels]
    subjects = tree["subjects"].to_dataset().sel(subject=shown)
    assert sorted(subjects["rule"].to_numpy()) == sorted(RULES)
    assert (subjects["status"] == DONE).all()
    assert (subjects["architecture"] == "knet4").all()


def test_without_recordings_there_is_no_figure_of_activity():
    assert activity_figure(experiment(recorded=False)) is None
