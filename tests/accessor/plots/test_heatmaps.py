from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from virtuallab.errors import UserError


def drawn(axes: Axes) -> np.ndarray:
    """The numbers of a heat map."""
    values = np.ma.filled(axes.collections[0].get_array().astype(float), np.nan)
    return np.asarray(values)


@pytest.mark.parametrize("stored", ["by plain xarray", "in dask arrays"], indirect=True)
def test_every_picture_can_be_saved(stored: xr.Dataset, tmp_path: Path) -> None:
    lab = stored.lab
    pictures = [lab.plot_activity(), lab.plot_tuning(), lab.plot_rdm(), lab.plot_drift()]
    for number, picture in enumerate(pictures):
        figure = picture if isinstance(picture, Figure) else picture.figure
        figure.savefig(tmp_path / f"{number}.png", dpi=30)
        assert figure.get_facecolor() == (1, 1, 1, 1)


def test_activity_is_z_scored_with_stimuli_by_class_and_units_by_layer(
    recording: xr.Dataset,
) -> None:
    shuffled = recording.isel(unit=[10, 6, 0, 7, 1, 8, 2, 9, 3, 4, 5])
    axes = shuffled.lab.plot_activity(subject="sub-0002", visit=4)
    order = np.argsort(recording["stimulus_label"][1].to_numpy(), kind="stable")
    expected = stats.zscore(recording["activity"][1, 2].to_numpy().astype(float), axis=0)[order]
    np.testing.assert_allclose(drawn(axes), expected, atol=1e-5)
    assert [text.get_text() for text in axes.get_xticklabels()] == ["conv1", "conv2", "fc"]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["0", "1", "2"]
    assert axes.get_title(loc="left") == "sub-0002, Adam, knet4, after 3 epochs"


def test_tuning_shows_classes_with_units_by_preference(recording: xr.Dataset) -> None:
    axes = recording.lab.plot_tuning(subject="sub-0003", visit=0)
    chosen, shown = (
        recording.lab.tuning(half)[2, 0].to_numpy().astype(float) for half in ("first", "second")
    )
    first = np.argsort(chosen[:, :6].argmax(0), kind="stable")
    expected = stats.zscore(shown, axis=0)[:, first]
    np.testing.assert_allclose(drawn(axes)[:, :6], expected, atol=1e-4)
    assert "preferred in the other half" in axes.get_xlabel()
    assert axes.get_title(loc="left").endswith("feedback alignment, knet4, before learning")


@pytest.mark.parametrize(("planted", "low", "high"), [(0.0, -0.14, 0.14), (1.5, 0.5, 1.0)])
def test_a_diagonal_is_tuning_and_not_noise(planted: float, low: float, high: float) -> None:
    rng = np.random.default_rng(5)
    labels, prefers = np.arange(60) % 10, rng.integers(0, 10, 200)
    noise = rng.normal(size=(60, 200))
    of_class = planted * (labels[:, None] == prefers)
    one = xr.Dataset(
        {"activity": (("stimulus", "unit"), noise + of_class)},
        {"stimulus_label": ("stimulus", labels), "unit_layer": ("unit", ["fc"] * 200)},
    )
    order = stats.spearmanr(np.arange(200), drawn(one.lab.plot_tuning()).argmax(0)).statistic
    assert low < order < high  # 0.14 is two standard errors of the rank correlation of 200 pairs


def test_a_preference_that_cannot_be_checked_is_not_drawn(recording: xr.Dataset) -> None:
    once = recording.isel(stimulus=[0, 1, 2]).assign(stimulus_label=("stimulus", [0, 1, 2]))
    with pytest.raises(UserError, match="no class has two stimuli"):
        once.lab.plot_tuning()


def test_dissimilarities_have_a_row_for_each_visit_and_a_column_for_each_layer(
    recording: xr.Dataset,
) -> None:
    figure = recording.lab.plot_rdm(subject="sub-0001", visits=[2, 6])
    panels = [axes for axes in figure.axes if axes.collections and axes.get_label() == ""]
    assert [axes.get_title() for axes in panels[:3]] == ["conv1", "conv2", "fc"]
    assert panels[0].get_ylabel() == "after 1.5 epochs"
    assert panels[3].get_ylabel() == "after 4.5 epochs"
    order = np.argsort(recording["stimulus_label"][0].to_numpy(), kind="stable")
    expected = recording.lab.rdm()[0, 1, 0].to_numpy()[order][:, order]
    np.testing.assert_allclose(drawn(panels[0]), expected)


def test_euclidean_distances_are_drawn_as_shares_of_their_layers_largest(
    recording: xr.Dataset,
) -> None:
    figure = recording.lab.plot_rdm(metric="euclidean")
    panels = [axes for axes in figure.axes if axes.get_label() == ""][:6]
    for layer in range(3):
        both = [drawn(panels[layer]), drawn(panels[layer + 3])]
        assert max(values.max() for values in both) == pytest.approx(1)


def test_who_was_not_recorded_is_passed_over(recording: xr.Dataset) -> None:
    turned = recording.isel(subject=[3, 2, 1])
    assert turned.lab.plot_activity().get_title(loc="left").startswith("sub-0003")


def test_one_subject_and_one_visit_can_be_drawn(recording: xr.Dataset) -> None:
    one = recording.isel(subject=1)
    assert (
        one.lab.plot_activity().get_title(loc="left") == "sub-0002, Adam, knet4, after 4.5 epochs"
    )
    at_once = one.isel(visit=0)
    assert at_once.lab.plot_tuning().get_title(loc="left").endswith("before learning")
    assert at_once.lab.plot_rdm().axes[0].get_ylabel() == "before learning"
    numbered = one.drop_vars("epoch").lab.plot_activity(visit=2)
    assert numbered.get_title(loc="left").endswith("at visit 2")
    bare = at_once.drop_vars(["visit", "epoch", "subject", "rule", "architecture"])
    assert bare.lab.plot_activity().get_title(loc="left") == ""


def test_without_classes_stimuli_keep_their_order(recording: xr.Dataset) -> None:
    axes = recording.drop_vars("stimulus_label").lab.plot_activity()
    expected = stats.zscore(recording["activity"][0, -1].to_numpy().astype(float), axis=0)
    np.testing.assert_allclose(drawn(axes), expected, atol=1e-5)
    assert axes.get_ylabel() == "stimulus"
    figure = recording.drop_vars("stimulus_label").lab.plot_rdm()
    assert "order of recording" in figure.get_suptitle()


def test_one_layer_picked_by_name_is_drawn_alone(recording: xr.Dataset) -> None:
    picked = recording.sel(layer="conv2").lab
    assert drawn(picked.plot_activity()).shape == (12, 4)
    assert drawn(picked.plot_tuning()).shape == (3, 4)
    assert picked.plot_rdm().axes[0].get_title() == "conv2"
    assert picked.plot_drift().axes[0].get_title() == "conv2"


def test_a_picture_can_be_drawn_into_axes(recording: xr.Dataset) -> None:
    _, (left, right) = plt.subplots(1, 2)
    assert recording.lab.plot_activity(ax=left) is left
    assert recording.lab.plot_tuning(ax=right) is right


def test_drawing_leaves_settings_as_they_were(recording: xr.Dataset) -> None:
    before = dict(plt.rcParams)
    recording.lab.plot_drift()
    assert dict(plt.rcParams) == before


def test_what_cannot_be_drawn_is_refused(recording: xr.Dataset) -> None:
    lab = recording.lab
    with pytest.raises(UserError, match="no subject is called 'sub-9'"):
        lab.plot_activity(subject="sub-9")
    with pytest.raises(UserError, match="nothing was recorded of sub-0004"):
        lab.plot_activity(subject="sub-0004")
    with pytest.raises(UserError, match="nothing was recorded of any subject"):
        recording.isel(subject=3).lab.plot_tuning()
    with pytest.raises(UserError, match="there is no visit 1"):
        lab.plot_rdm(visits=1)
    with pytest.raises(UserError, match="no 'stimulus_label'"):
        recording.drop_vars("stimulus_label").lab.plot_tuning()
    repeated = recording.assign(activity=recording["activity"].expand_dims(trial=2))
    with pytest.raises(UserError, match="Average over repetitions first"):
        repeated.lab.plot_activity()


def test_a_visit_at_which_a_subject_had_diverged_is_refused(recording: xr.Dataset) -> None:
    recording["activity"][0, 2:] = np.nan
    with pytest.raises(UserError, match=r"no response after 4.5 epochs is a finite number"):
        recording.lab.plot_activity(subject="sub-0001")
    assert recording.lab.plot_activity(subject="sub-0001", visit=2)
    assert recording.lab.plot_rdm(subject="sub-0001")
