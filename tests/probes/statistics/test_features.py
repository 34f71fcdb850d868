"""From a recording to what a decoder reads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import xarray as xr

from tests.probes.rat import SIZES, rat, set_on_rats, stream
from tests.probes.statistics.test_published import APPLIED, slowly
from virtuallab.probes import GaussianNoise, Probe
from virtuallab.probes.statistics.features import feature_arrays, features, theory_names
from virtuallab.probes.statistics.published import OBSERVABLE_OF, PUBLISHED_STATISTICS
from virtuallab.vocabulary import DEAD, EXPLODED, LIVE, THEORY


def recorded(probe: Probe | None = None) -> xr.Dataset:
    tissue = rat()
    probe = probe or Probe()
    return probe.implant(tissue, stream()).record(tissue, stream(), set_on_rats(probe))


def test_features_without_theory_are_the_others() -> None:
    recording = recorded()
    found, whole = feature_arrays(recording, theory=False), feature_arrays(recording)
    predicted = np.isin(features(recording)["change_name"], theory_names())
    np.testing.assert_array_equal(found.stat, whole.stat)
    np.testing.assert_array_equal(found.change[..., ~predicted], whole.change[..., ~predicted])
    assert np.isnan(found.change[..., predicted]).all()
    assert np.isfinite(whole.change[..., predicted]).any()


def entries(recording: xr.Dataset, name: str, visit: int, layer: str) -> list[list[float]]:
    """The sets over which a statistic is taken, one for each image."""
    if name.startswith("weight"):
        mine = recording["synapse_layer"].values == layer
        return [recording["weights"].values[visit, mine].tolist()]
    mine = recording["unit_layer"].values == layer
    return recording["activity"].values[visit][:, mine].tolist()


@pytest.mark.parametrize("name", PUBLISHED_STATISTICS)
def test_each_of_the_45_is_its_definition_averaged_over_images(name):
    recording = recorded()
    found = features(recording)["stat"]
    function = next(f for f in APPLIED if f"{f}_" in name)
    for visit, layer in ((0, "first"), (5, "second")):
        if name.startswith("gradavg"):
            values = recording["activity_change"].sel(layer=layer).values[visit].tolist()
            wanted = np.mean([APPLIED[function](g) for g in values])
        else:
            sets = [
                [APPLIED[function](z) for z in one]
                for one in entries(recording, name, visit, layer)
            ]
            kernel = name.split("_")[1]
            wanted = np.mean([slowly(one)[kernel] for one in sets if np.ptp(one)])
        got = float(found.sel(layer=layer, statistic=name)[visit])
        assert got == pytest.approx(wanted, rel=1e-9)


def test_features_are_labelled():
    found = features(recorded())
    assert found["stat"].dims == ("visit", "layer", "statistic")
    assert found["change"].dims == ("visit", "layer", "change_name")
    assert found["flag"].dims == ("visit", "layer", "observable")
    assert (found["stat"].dtype, found["flag"].dtype) == (np.float64, np.int8)
    assert found["statistic"].values.tolist() == list(PUBLISHED_STATISTICS)
    owners = found["statistic_observable"].values.tolist()
    assert owners == [OBSERVABLE_OF[name] for name in PUBLISHED_STATISTICS]
    assert set(found["change_observable"].values) == {*owners, THEORY}
    assert found["depth_group"].values.tolist() == [0, 1, 2]
    assert len(set(found["change_name"].values)) == found.sizes["change_name"]


@pytest.mark.parametrize("observable", ["weights", "activity", "activity_change"])
def test_what_is_not_measured_is_missing_and_nothing_else_is(observable):
    found = features(recorded(Probe(observables=(observable,))))
    whole = features(recorded())
    for name, owner in (("stat", "statistic_observable"), ("change", "change_observable")):
        mine, theory = (found[owner].values == kind for kind in (observable, THEORY))
        np.testing.assert_array_equal(found[name][..., mine], whole[name][..., mine])
        assert np.isnan(found[name][..., ~mine & ~theory]).all()


@pytest.mark.parametrize(
    ("observable", "prefix"),
    [("weights", "theory_weight_"), ("activity", "theory_act_"), ("activity_change", None)],
)
def test_a_probe_gives_the_theory_of_what_it_measures(observable, prefix):
    found, whole = (
        features(recorded(probe))["change"].sel(change_name=list(theory_names()))
        for probe in (Probe(observables=(observable,)), Probe())
    )
    mine = [name for name in theory_names() if prefix and name.startswith(prefix)]
    np.testing.assert_array_equal(found.sel(change_name=mine), whole.sel(change_name=mine))
    if prefix:
        assert np.isfinite(found.sel(change_name=mine)[:, :2]).mean() > 0.8
    assert np.isnan(found.drop_sel(change_name=mine)).all()


def test_a_dead_layer_is_flagged_and_the_others_are_live():
    recording = recorded()
    activity = recording["activity"].values.copy()
    activity[3, :, recording["unit_layer"].values == "second"] = 0
    found = features(recording.assign(activity=(recording["activity"].dims, activity)))
    flag = found["flag"].sel(observable="activity")
    assert flag[3].values.tolist() == [LIVE, DEAD, LIVE]
    assert (flag[2] == LIVE).all()
    dead = found["stat"].sel(layer="second")[3]
    assert np.isnan(dead.sel(statistic=["actraw_skew", "actsq_kurtosis"])).all()
    assert dead.sel(statistic="actabs_mean") == 0


def test_units_that_respond_alike_to_each_image_are_dead():
    recording = recorded()
    alike = np.repeat(np.random.default_rng(0).standard_normal((6, 10, 1)), 24, axis=2)
    found = features(recording.assign(activity=(recording["activity"].dims, alike)))
    assert (found["flag"].sel(observable="activity") == DEAD).all()


def test_a_single_unit_is_dead_only_if_it_never_responds():
    recording = recorded(Probe(units_per_layer=1))
    activity = np.abs(recording["activity"].values) + 1
    activity[2] = 0
    found = features(recording.assign(activity=(recording["activity"].dims, activity)))
    flag = found["flag"].sel(observable="activity")
    assert (flag[2] == DEAD).all()
    assert (flag[[0, 1, 3, 4, 5]] == LIVE).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("observable", ["weights", "activity", "activity_change"])
def test_what_exploded_is_flagged_and_missing_and_spoils_nothing_else(observable, value):
    recording = recorded()
    values = recording[observable].values.copy()
    values[4, ..., 0] = value  # of the first layer
    found = features(recording.assign({observable: (recording[observable].dims, values)}))
    flag = found["flag"]
    assert flag.sel(layer="first", observable=observable)[4] == EXPLODED
    assert (flag == EXPLODED).sum() == 1
    stat = found["stat"]
    mine = found["statistic_observable"].values == observable
    assert np.isnan(stat.sel(layer="first")[4, mine]).all()
    assert not np.isinf(stat).any()
    assert not np.isinf(found["change"]).any()
    others, whole = ["second", "third"], features(recording)["stat"]
    xr.testing.assert_allclose(stat.sel(layer=others), whole.sel(layer=others), rtol=1e-12)
    xr.testing.assert_allclose(stat[:4], whole[:4], rtol=1e-12)


def test_responses_near_the_largest_number_do_not_overflow():
    recording = recorded()
    huge = (recording["activity"].values * 1e37).astype(np.float32)
    found = features(recording.assign(activity=(recording["activity"].dims, huge)))
    assert (found["flag"] == LIVE).all()
    name = "actsq_var"  # the first to overflow in single precision
    assert np.isfinite(found["stat"].sel(statistic=name, layer="first")).all()


def test_a_layer_without_recorded_units_is_neither_dead_nor_exploded():
    found = features(recorded(Probe(units=2)))
    assert found["layer"].values.tolist() == list(SIZES)
    assert (found["flag"].sel(layer="third") == LIVE).all()
    third = found["stat"].sel(layer="third")
    assert np.isnan(third[:, found["statistic_observable"].values != "weights"]).all()


def test_threads_do_not_disturb_one_another():
    recordings = [recorded(Probe(units=12, noise=GaussianNoise(snr=1.0 + k))) for k in range(6)]
    alone = [features(recording) for recording in recordings]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(features, recordings))
    for one, other in zip(alone, together, strict=True):
        xr.testing.assert_identical(one, other)
