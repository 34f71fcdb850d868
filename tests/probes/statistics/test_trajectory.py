"""Scale-free changes."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.probes.rat import rat, stream
from virtuallab.probes import Probe
from virtuallab.probes.statistics.features import features
from virtuallab.probes.statistics.inner_products import LayerResponses
from virtuallab.probes.statistics.trajectory import geometry, growth, silence
from virtuallab.vocabulary import OBSERVABLES


def recorded() -> xr.Dataset:
    tissue = rat(3)
    return Probe().implant(tissue, stream()).record(tissue, stream())


def changes_of(recording: xr.Dataset) -> xr.DataArray:
    return features(recording)["change"]


@settings(max_examples=25, deadline=None)
@given(st.floats(1e-12, 1e12))
def test_changes_do_not_depend_on_the_scale_of_what_is_measured(scale):
    plain = recorded()
    plain = plain.assign({name: plain[name].astype(np.float64) for name in OBSERVABLES})
    # Every observable in units of its own.
    scaled = plain.assign(
        activity=plain["activity"] * scale,
        weights=plain["weights"] * scale**0.5,
        activity_change=plain["activity_change"] / scale,
    )
    before, after = changes_of(plain), changes_of(scaled)
    np.testing.assert_allclose(after, before, rtol=1e-6, atol=1e-7)
    assert np.isfinite(before).mean() > 0.95


def test_statistics_do_depend_on_the_scale():
    plain = recorded()
    scaled = plain.assign(activity=2 * plain["activity"])
    name = "actraw_norm"
    np.testing.assert_allclose(
        features(scaled)["stat"].sel(statistic=name),
        2 * features(plain)["stat"].sel(statistic=name),
    )


def test_changes_do_not_depend_on_the_order_of_units_synapses_or_stimuli():
    plain = recorded()
    order = np.random.default_rng(0)

    def within(owner: str) -> np.ndarray:
        owners = plain[owner].values
        return np.concatenate(
            [order.permutation(np.flatnonzero(owners == layer)) for layer in plain["layer"].values]
        )

    shuffled = plain.isel(
        unit=within("unit_layer"),
        synapse=within("synapse_layer"),
        stimulus=order.permutation(plain.sizes["stimulus"]),
    )
    xr.testing.assert_allclose(features(shuffled), features(plain), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("until", [1, 2, 4])
def test_no_row_depends_on_a_later_visit(until):
    plain = recorded()
    short = changes_of(plain.isel(visit=slice(until)))
    np.testing.assert_allclose(short, changes_of(plain)[:until], rtol=1e-9, atol=1e-9)


def test_the_first_row_is_the_same_whatever_has_been_learned_since():
    first = changes_of(recorded())[0].to_series()
    telling = first[~first.index.get_level_values("change_name").str.contains("silent$|balance")]
    allowed = {0.0, 1.0}
    static = telling[~telling.index.get_level_values("change_name").str.endswith("separation")]
    assert set(static.round(9).unique()) <= allowed


def test_growth_is_the_logarithm_of_the_ratio_and_its_increments():
    scale = np.array([2.0, 4.0, 16.0])
    found = growth({"x": scale}, reference=0.0)
    np.testing.assert_allclose(found["x_logratio"], np.log([1, 2, 8]))
    np.testing.assert_allclose(found["x_increment"], np.log([1, 2, 4]))


def test_growth_from_a_scale_of_nothing_is_finite():
    found = growth({"x": np.array([0.0, 1.0])}, reference=1.0)
    np.testing.assert_allclose(found["x_logratio"], [0, np.log(1001)])


def test_the_geometry_of_a_turned_representation_is_the_same():
    responses = np.random.default_rng(0).standard_normal((1, 20, 6))
    turn = np.linalg.qr(np.random.default_rng(1).standard_normal((6, 6)))[0]
    found = geometry(np.concatenate([responses, 5 * responses @ turn + 3]))
    np.testing.assert_allclose(found["act_similarity_start"], 1)
    np.testing.assert_allclose(found["act_similarity_last"], 1)
    np.testing.assert_allclose(found["act_dimension_logratio"], 0, atol=1e-12)


def test_similarity_and_dimension_are_those_of_the_centred_covariance():
    responses = 2 + np.random.default_rng(0).standard_normal((3, 20, 6))
    found = geometry(responses)
    centred = responses - responses.mean(1, keepdims=True)
    cross = [np.linalg.norm(centred[v].T @ centred[0]) ** 2 for v in range(3)]
    own = [np.linalg.norm(centred[v].T @ centred[v]) for v in range(3)]
    wanted = [cross[v] / (own[v] * own[0]) for v in range(3)]
    np.testing.assert_allclose(found["act_similarity_start"], wanted)
    spectra = np.array([np.linalg.eigvalsh(c.T @ c) for c in centred])
    dimension = spectra.sum(1) ** 2 / (spectra**2).sum(1)
    np.testing.assert_allclose(
        found["act_dimension_logratio"], np.log(dimension / dimension[0]), atol=1e-12
    )


def test_silence_and_switching_are_counted():
    responses = np.array([[[1.0, 0.0, 0.0, 3.0]], [[1.0, 2.0, 0.0, 0.0]]])
    found = silence(LayerResponses(responses))
    np.testing.assert_allclose(found["act_silent"], [0.5, 0.5])
    np.testing.assert_allclose(found["act_switched"], [0, 0.5])


def test_responses_alike_within_their_class_are_all_separation():
    recording = recorded()
    labels = recording["stimulus_label"].values
    activity = recording["activity"].values
    by_class = np.stack([activity[:, labels == label][:, 0] for label in (0, 1)], axis=1)
    found = changes_of(
        recording.assign(activity=recording["activity"].copy(data=by_class[:, labels]))
    )
    live = found.sel(layer=["first", "second"])
    np.testing.assert_allclose(live.sel(change_name="act_separation"), 1, rtol=1e-6)
    np.testing.assert_allclose(live.sel(change_name="act_class_share")[1:], 1, rtol=1e-6)


def test_a_movement_that_all_stimuli_share_is_wholly_common():
    recording = recorded()
    activity = recording["activity"].values.astype(np.float64)
    shifted = activity[:1] + np.arange(6)[:, None, None] * np.linspace(1, 2, 24)
    found = changes_of(recording.assign(activity=(recording["activity"].dims, shifted)))
    np.testing.assert_allclose(
        found.sel(change_name="act_common_share"), [[0] * 3] + [[1] * 3] * 5, atol=1e-6
    )
    np.testing.assert_allclose(found.sel(change_name="act_tuned_step"), 0, atol=1e-6)


def test_a_sample_of_units_tells_what_all_of_them_tell():
    random = np.random.default_rng(7)
    start = random.standard_normal((40, 30)) @ random.standard_normal((30, 2000))
    activity = np.stack(
        [start + 0.3 * step * random.standard_normal(start.shape) for step in range(5)]
    )
    whole = xr.Dataset(
        {"activity": (("visit", "stimulus", "unit"), activity.astype(np.float32))},
        coords={
            "visit": np.arange(5),
            "layer": np.array(["one"], dtype=object),
            "layer_depth": ("layer", np.zeros(1)),
            "depth_group": ("layer", np.zeros(1, dtype=np.int64)),
            "unit_layer": ("unit", np.array(["one"] * 2000, dtype=object)),
        },
    )
    found, sample = changes_of(whole), changes_of(whole.isel(unit=slice(200)))
    np.testing.assert_allclose(sample, found, atol=0.08)
