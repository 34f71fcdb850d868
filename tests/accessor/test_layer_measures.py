from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from scipy.spatial.distance import pdist, squareform

from tests.accessor.recordings import LAYERS, RULES, of_layer
from virtuallab.accessor import variables as blocks_of
from virtuallab.errors import UserError


def ratio(values: np.ndarray) -> float:
    eigenvalues = np.linalg.eigvalsh(np.atleast_2d(np.cov(values, rowvar=False)))
    return float(eigenvalues.sum() ** 2 / (eigenvalues**2).sum())


def test_the_participation_ratio_is_of_each_subject_visit_and_layer(stored: xr.Dataset) -> None:
    found = stored.lab.participation_ratio()
    assert found.dims == ("subject", "visit", "layer")
    for layer in LAYERS:
        values = of_layer(stored, layer)
        for subject, visit in np.ndindex(len(RULES) - 1, 4):
            expected = ratio(values[subject, visit])
            one = found.isel(subject=subject, visit=visit).sel(layer=layer)
            np.testing.assert_allclose(float(one), expected, rtol=1e-9)
    assert np.isnan(found.isel(subject=-1)).all(), "of another architecture"


@pytest.mark.parametrize("metric", ["correlation", "euclidean"])
def test_dissimilarities_are_of_each_subject_visit_and_layer(
    stored: xr.Dataset, metric: str
) -> None:
    found = stored.lab.rdm(metric)
    assert found.dims == ("subject", "visit", "layer", "stimulus", "stimulus_2")
    for layer in ("conv1", "conv2"):
        values = of_layer(stored, layer)[1, 2]
        one = found.isel(subject=1, visit=2).sel(layer=layer)
        np.testing.assert_allclose(one, squareform(pdist(values, metric)), atol=1e-5)
    assert (found["stimulus_label"] == stored["stimulus_label"]).all()


def test_one_unit_has_distances_and_no_correlations(recording: xr.Dataset) -> None:
    of_one = recording.lab.select(layer="fc", architecture="knet4")
    assert np.isnan(of_one.lab.rdm()).all()
    assert np.isfinite(of_one.lab.rdm("euclidean")).all()


def test_drift_is_the_correlation_of_upper_triangles(stored: xr.Dataset) -> None:
    found = stored.lab.rdm_similarity()
    assert found.dims == ("subject", "layer", "visit", "visit_2")
    values = of_layer(stored, "conv1")[2]
    triangles = np.stack([pdist(each, "correlation") for each in values])
    np.testing.assert_allclose(
        found.isel(subject=2).sel(layer="conv1"), np.corrcoef(triangles), rtol=1e-9
    )
    assert (found["visit_2"].to_numpy() == found["visit"].to_numpy()).all()


def test_drift_takes_the_metric(recording: xr.Dataset) -> None:
    found = recording.lab.rdm_similarity("euclidean").isel(subject=0).sel(layer="fc")
    triangles = np.stack([pdist(each) for each in of_layer(recording, "fc")[0]])
    np.testing.assert_allclose(found, np.corrcoef(triangles), rtol=1e-5)


@pytest.mark.parametrize("measure", ["participation_ratio", "rdm", "rdm_similarity"])
def test_one_subject_without_its_axis_gives_the_same(recording: xr.Dataset, measure: str) -> None:
    alone = getattr(recording.isel(subject=1).lab, measure)()
    among = getattr(recording.lab, measure)().isel(subject=1)
    xr.testing.assert_allclose(alone, among)


@pytest.mark.parametrize("measure", ["participation_ratio", "rdm", "rdm_similarity", "tuning"])
def test_subjects_read_one_at_a_time_give_the_same(
    recording: xr.Dataset, measure: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = getattr(recording.lab, measure)()
    monkeypatch.setattr(blocks_of, "_BLOCK_BYTES", 1)
    xr.testing.assert_allclose(getattr(recording.lab, measure)(), at_once)


@pytest.mark.parametrize("measure", ["participation_ratio", "rdm", "rdm_similarity", "tuning"])
def test_results_keep_their_coordinates_and_say_what_they_are(
    recording: xr.Dataset, measure: str
) -> None:
    found = getattr(recording.lab, measure)()
    assert found.attrs["units"] == "1"
    assert found.attrs["long_name"]
    assert found.name == measure
    for name, coord in recording.coords.items():
        if set(coord.dims) <= set(found.dims):
            assert found[name].variable.identical(coord.variable), name
    assert list(found["rule"].to_numpy()) == list(RULES)
    for name in set(found.coords) - set(recording.coords):
        assert found[name].attrs["long_name"], name


def test_distances_are_in_the_units_of_responses(recording: xr.Dataset) -> None:
    recording["activity"].attrs["units"] = "Hz"
    assert recording.lab.rdm("euclidean").attrs["units"] == "Hz"
    assert recording.lab.rdm().attrs["units"] == "1"
    assert recording.lab.tuning().attrs["units"] == "Hz"


def test_a_layer_without_recorded_units_is_nan(recording: xr.Dataset) -> None:
    without = recording.isel(unit=slice(0, 6))
    assert np.isnan(without.lab.participation_ratio().sel(layer="conv2")).all()
    for metric in ("correlation", "euclidean"):
        assert np.isnan(without.lab.rdm(metric).sel(layer="conv2")).all()
    assert np.isnan(without.lab.rdm_similarity().sel(layer="conv2")).all()


def test_one_layer_picked_by_name_keeps_its_axis(recording: xr.Dataset) -> None:
    found = recording.sel(layer="conv2").lab.participation_ratio()
    assert list(found["layer"].to_numpy()) == ["conv2"]
    expected = recording.lab.participation_ratio().sel(layer=["conv2"])
    np.testing.assert_array_equal(found, expected)


def test_a_recording_without_an_axis_of_layers_takes_them_from_its_units(
    recording: xr.Dataset,
) -> None:
    without = recording.drop_dims("layer").drop_vars("layer", errors="ignore")
    found = without.lab.participation_ratio()
    np.testing.assert_array_equal(found, recording.lab.participation_ratio())
    assert list(found["layer"].to_numpy()) == list(LAYERS)


def test_what_exploded_is_missing_and_warns_of_nothing(recording: xr.Dataset) -> None:
    recording["activity"][0, 1:] = np.inf
    assert np.isnan(recording.lab.participation_ratio().isel(subject=0, visit=1)).all()
    assert np.isfinite(recording.lab.participation_ratio().isel(subject=0, visit=0)).all()
    assert np.isnan(recording.lab.rdm_similarity().isel(subject=0, visit=1)).all()


def test_stimuli_and_visits_need_no_coordinate(recording: xr.Dataset) -> None:
    bare = recording.drop_vars(["visit", "epoch", "stimulus_label", "stimulus_index"])
    np.testing.assert_array_equal(bare.lab.rdm(), recording.lab.rdm())
    np.testing.assert_array_equal(bare.lab.rdm_similarity(), recording.lab.rdm_similarity())


def test_named_stimuli_are_named_on_both_axes(recording: xr.Dataset) -> None:
    named = recording.assign_coords(stimulus=np.arange(12) * 10)
    assert list(named.lab.rdm()["stimulus_2"].to_numpy()) == list(range(0, 120, 10))


def test_an_unknown_metric_is_refused_with_the_nearest(recording: xr.Dataset) -> None:
    for measure in (recording.lab.rdm, recording.lab.rdm_similarity, recording.lab.plot_rdm):
        with pytest.raises(UserError, match="Did you mean 'euclidean'"):
            measure(metric="euclidien")


def test_drift_without_an_axis_of_visits_is_refused(recording: xr.Dataset) -> None:
    with pytest.raises(UserError, match=r"no axis 'visit'.*isel\(visit=\[0\]\)"):
        recording.isel(visit=0).lab.rdm_similarity()


def test_a_dataset_without_responses_is_refused(recording: xr.Dataset) -> None:
    with pytest.raises(UserError, match=r"no variable 'activity'.*Did you mean 'activity_change'"):
        recording.drop_vars("activity").lab.rdm()


def test_a_dataset_that_does_not_know_its_layers_is_refused(recording: xr.Dataset) -> None:
    with pytest.raises(UserError, match="'unit_layer'"):
        recording.drop_vars("unit_layer").lab.participation_ratio()
    with pytest.raises(UserError, match="it is no recording"):
        recording.drop_dims("layer").drop_vars("unit_layer").lab.rdm()
