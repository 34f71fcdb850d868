"""Labelled arrays from elsewhere, converted to the form in which the probes record."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from tests.probes.rat import rat, stream
from tests.recordings.files import DIMS, N_UNITS, N_VISITS, plain, read, refusal, responses
from virtuallab.errors import UserError
from virtuallab.probes import Probe
from virtuallab.probes.statistics.features import features
from virtuallab.recordings import read_recording

# What is read


def test_the_least_that_a_file_may_say_is_activity_with_three_dims(tmp_path):
    found = read(plain(), tmp_path)
    assert found["activity"].dims == DIMS
    assert found["activity"].dtype == np.float32
    np.testing.assert_array_equal(found["activity"], responses().astype(np.float32))
    assert found["visit"].values.tolist() == [0, 1, 2]
    assert found["layer"].values.tolist() == ["recorded"]
    assert found["unit_layer"].values.tolist() == ["recorded"] * N_UNITS
    assert found["n_units"].values.tolist() == [N_UNITS]
    assert found["layer_depth"].values.tolist() == [0.0]
    assert found["depth_group"].values.tolist() == [0]
    assert found.attrs == {"repeats": 1}
    assert "step" not in found.coords
    assert "stimulus_label" not in found


def test_dims_may_be_in_any_order(tmp_path):
    turned = plain().transpose("unit", "visit", "stimulus")
    xr.testing.assert_identical(read(turned, tmp_path), read(plain(), tmp_path))


def test_an_array_without_a_name_is_the_activity(tmp_path):
    path = tmp_path / "array.nc"
    plain()["activity"].rename(None).to_netcdf(path, engine="h5netcdf")
    xr.testing.assert_identical(read_recording(path), read(plain(), tmp_path))
    xr.testing.assert_identical(read_recording(str(path)), read_recording(path))


def test_words_for_classes_become_numbers_that_are_explained(tmp_path):
    whole = plain().assign(label=("stimulus", ["face", "old house", "face", "car"]))
    found = read(whole, tmp_path)["stimulus_label"]
    assert found.values.tolist() == [1, 2, 1, 0]
    assert found.attrs["flag_meanings"] == "car face old_house"
    numbered = plain().assign_coords(stimulus_label=("stimulus", [7.0, 7.0, 3.0, 3.0]))
    assert read(numbered, tmp_path)["stimulus_label"].values.tolist() == [7, 7, 3, 3]


def test_which_units_were_matched_is_kept_in_their_new_order(tmp_path):
    matched = responses(1, (N_VISITS, N_UNITS)) > 2
    whole = plain().assign_coords(layer=("unit", list("abaaba")))
    found = read(whole.assign(unit_matched=(("unit", "visit"), matched.T)), tmp_path)
    assert found["unit_matched"].dims == ("visit", "unit")
    np.testing.assert_array_equal(found["unit_matched"], matched[:, [0, 2, 3, 5, 1, 4]])


DEPTH = ["layer_depth", "depth_group"]


def test_features_are_those_of_each_layer_alone(tmp_path):
    owners = list("abaaba")
    whole = plain().assign_coords(layer=("unit", owners), step=("visit", [0, 3, 9]))
    whole = whole.assign(label=("stimulus", list("xyxy")))
    found = features(read(whole, tmp_path))
    for layer in "ab":
        alone = whole.isel(unit=[place for place, own in enumerate(owners) if own == layer])
        wanted = features(read(alone, tmp_path)).sel(layer=layer)
        xr.testing.assert_identical(
            found.sel(layer=layer)["change"].drop_vars(DEPTH), wanted["change"].drop_vars(DEPTH)
        )
        mean = float(found["stat"].sel(layer=layer, statistic="actabs_mean")[1])
        assert mean == pytest.approx(float(alone["activity"][1].mean()), rel=1e-6)
    assert np.isfinite(found["change"].sel(change_name="act_separation")).all()


def vars_of(probe: Probe) -> dict[str, object]:
    return {k: v for k, v in vars(probe).items() if k != "resolved"}


@pytest.mark.parametrize("kind", ["netcdf", "zarr"])
@pytest.mark.parametrize(
    "probe",
    [Probe(units=14), Probe(units=14, turnover=0.4), Probe(units_per_layer=3, layers=("second",))],
    ids=["chronic", "turnover", "one layer"],
)
def test_a_recording_of_ours_gives_the_same_features(tmp_path, kind, probe):
    tissue = rat()
    seen = Probe(**{**vars_of(probe), "observables": ("activity",)})
    ours = seen.implant(tissue, stream()).record(tissue, stream())
    path = tmp_path / ("ours.nc" if kind == "netcdf" else "ours.zarr")
    if kind == "netcdf":
        ours.to_netcdf(path, engine="h5netcdf")
    else:
        ours.assign(unit_layer=ours["unit_layer"].astype("U")).assign_coords(
            layer=ours["layer"].astype("U")
        ).to_zarr(path, zarr_format=2, consolidated=True)
    xr.testing.assert_identical(features(read_recording(path)), features(ours))


def test_one_subject_of_many_is_read_by_its_name(tmp_path):
    names = ["sub-1", "sub-2", "sub-3"]
    each = [xr.Dataset({"activity": (DIMS, responses(seed))}) for seed in range(3)]
    many = xr.concat(each, "subject").assign_coords(subject=names)
    many.to_netcdf(tmp_path / "many.nc", engine="h5netcdf")
    for seed, name in enumerate(names):
        found = read_recording(tmp_path / "many.nc", subject=name)
        np.testing.assert_array_equal(found["activity"], responses(seed).astype("f4"))
    with pytest.raises(UserError, match=r"which subject\? It has 3, sub-1 to sub-3\. Name one"):
        read_recording(tmp_path / "many.nc")
    with pytest.raises(UserError, match=r"no subject is called 'sub-9'\. It has 3, sub-1 to"):
        read_recording(tmp_path / "many.nc", subject="sub-9")
    many.isel(subject=[1]).to_netcdf(tmp_path / "one.nc", engine="h5netcdf")
    np.testing.assert_array_equal(
        read_recording(tmp_path / "one.nc")["activity"], responses(1).astype("f4")
    )


def test_another_name_of_the_responses_is_suggested(tmp_path):
    message = refusal(plain().rename(activity="activities"), tmp_path)
    assert "there is no variable 'activity'. Did you mean 'activities'?" in message
    assert "no variables at all" in refusal(xr.Dataset(), tmp_path)


def test_other_dims_are_refused_with_what_is_there_and_what_is_expected(tmp_path):
    expected = "expected (visit, stimulus, unit) in any order, and 'trial' or 'repeat'"
    message = refusal(plain().rename(unit="neuron"), tmp_path)
    assert f"activity has the dims (visit, stimulus, neuron), {expected}" in message
    assert "(visit, stimulus)" in refusal(plain().isel(unit=0), tmp_path)
    assert "(time, visit, stimulus, unit)" in refusal(plain().expand_dims("time"), tmp_path)
    assert "(repeat, trial," in refusal(plain().expand_dims(["repeat", "trial"]), tmp_path)


def test_a_class_or_a_stimulus_that_is_nan_is_missing(tmp_path):
    values = responses(0, (N_VISITS, 6, N_UNITS))
    whole = xr.Dataset({"activity": (DIMS, values)})
    whole = whole.assign(label=("stimulus", [1.0, 2.0, np.nan, 1.0, 2.0, np.nan]))
    found = read(whole, tmp_path)
    assert found["stimulus_label"].values.tolist() == [1, 2, -1, 1, 2, -1]
    assert found.attrs["notes"] == [
        "2 of 6 stimuli have no class in label: analyses of classes leave them out."
    ]
    classes = [
        str(name) for name in features(found)["change_name"].values if "class" in str(name)
    ] + ["act_separation"]
    known = features(read(whole.isel(stimulus=[0, 1, 3, 4]), tmp_path))["change"]
    of_all = features(found)["change"]
    np.testing.assert_allclose(
        of_all.sel(change_name=classes), known.sel(change_name=classes), rtol=1e-12
    )
    unlabelled = features(read(whole.drop_vars("label"), tmp_path))["change"]
    np.testing.assert_array_equal(
        of_all.sel(change_name="act_tuned_step"), unlabelled.sel(change_name="act_tuned_step")
    )
    words = whole.assign(label=("stimulus", ["face", "", "car", "face", "", "car"]))
    named = read(words, tmp_path)["stimulus_label"]
    assert named.values.tolist() == [1, -1, 0, 1, -1, 0]
    assert named.attrs["flag_meanings"] == "missing car face"
    negative = whole.assign(label=("stimulus", [-1, 1] * 3))
    assert read(negative, tmp_path)["stimulus_label"].attrs["flag_meanings"] == "-1 1"
    none = whole.assign(label=("stimulus", [np.nan] * 6))
    assert "stimulus_label" not in read(none, tmp_path)

    unnamed = whole.drop_vars("label").assign_coords(stimulus=[1.0, np.nan, 3.0, 4.0, np.nan, 6.0])
    found = read(unnamed, tmp_path)
    np.testing.assert_array_equal(found["activity"], values[:, [0, 2, 3, 5]].astype("f4"))
    assert found.attrs["notes"] == [
        "2 of 6 entries along the dim stimulus have no name and were left out."
    ]
    lost = unnamed.assign_coords(stimulus=[np.nan] * 6)
    assert "no stimulus has a name" in refusal(lost, tmp_path)


def test_numbered_visits_that_do_not_ascend_are_said(tmp_path):
    def notes(names: list[str]) -> list[str]:
        return read(plain().assign_coords(visit=names), tmp_path).attrs.get("notes", [])

    assert notes(["d1", "d2", "d10"]) == []
    assert "in the order of the file, d1, d10, d2: check" in notes(["d1", "d10", "d2"])[0]
    assert notes(["naive", "early", "late"]) == []


def test_one_stimulus_of_two_classes_is_refused(tmp_path):
    whole = plain().assign_coords(stimulus=list("xyxy")).assign(label=("stimulus", [0, 1, 0, 0]))
    assert "one stimulus has several classes in label" in refusal(whole, tmp_path)
