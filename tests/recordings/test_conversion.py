"""Labelled arrays from elsewhere, read into the form in which the probes record."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from tests.probe.rat import rat, stream
from virtuallab.errors import MissingLibrary, UserError
from virtuallab.probe import Noise, Probe
from virtuallab.probe.calibration import Spread
from virtuallab.probe.features import features
from virtuallab.probe.implant import depth_group
from virtuallab.recordings import read_recording
from virtuallab.recordings.conversion import to_recording
from virtuallab.recordings.repeats import average_repeats, signal_to_noise

N_VISITS, N_STIMULI, N_UNITS = 3, 4, 6
DIMS = ("visit", "stimulus", "unit")


def responses(seed: int = 0, shape: tuple[int, ...] = (N_VISITS, N_STIMULI, N_UNITS)) -> np.ndarray:
    return np.random.default_rng(seed).gamma(2.0, size=shape)


def plain() -> xr.Dataset:
    return xr.Dataset({"activity": (DIMS, responses())})


def read(dataset: xr.Dataset, folder: Path) -> xr.Dataset:
    path = folder / "mine.nc"
    dataset.to_netcdf(path, engine="h5netcdf")
    return read_recording(path)


def refusal(dataset: xr.Dataset, folder: Path) -> str:
    with pytest.raises(UserError) as caught:
        read(dataset, folder)
    assert str(folder / "mine.nc") in str(caught.value)
    return str(caught.value)


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


def test_the_kind_of_file_does_not_matter(tmp_path):
    whole = plain().assign_coords(layer=("unit", list("aabbab")), step=("visit", [0, 5, 9]))
    expected = read(whole, tmp_path)
    whole.to_netcdf(tmp_path / "old.nc", engine="scipy")
    whole.to_zarr(tmp_path / "v2.zarr", zarr_format=2, consolidated=True)
    whole.drop_vars("layer").assign(layer=("unit", [1, 1, 2, 2, 1, 2])).to_zarr(
        tmp_path / "no_suffix", zarr_format=3, consolidated=False
    )
    xr.testing.assert_identical(read_recording(tmp_path / "old.nc"), expected)
    xr.testing.assert_identical(read_recording(tmp_path / "v2.zarr"), expected)
    numbered = read_recording(tmp_path / "no_suffix")
    assert numbered["layer"].values.tolist() == ["1", "2"]
    np.testing.assert_array_equal(numbered["activity"], expected["activity"])


def test_units_of_a_layer_lie_together_in_the_order_in_which_layers_first_come(tmp_path):
    owners = ["L4", "L2", "L4", "L5", "L2", "L4"]
    found = read(plain().assign_coords(layer=("unit", owners)), tmp_path)
    assert found["layer"].values.tolist() == ["L4", "L2", "L5"]
    assert found["unit_layer"].values.tolist() == ["L4", "L4", "L4", "L2", "L2", "L5"]
    assert found["n_units"].values.tolist() == [3, 2, 1]
    order = [0, 2, 5, 1, 4, 3]
    np.testing.assert_array_equal(found["activity"], responses().astype("f4")[..., order])
    assert found["layer_depth"].values.tolist() == [0.0, 0.5, 1.0]
    assert found["depth_group"].values.tolist() == [depth_group(i, 3) for i in range(3)]


@pytest.mark.parametrize("name", ["depth", "layer_depth"])
def test_layers_are_in_the_order_of_their_depth(tmp_path, name):
    owners = ["L4", "L2", "L4", "L5", "L2", "L4"]
    depth = np.array([0.5, 0.125, 0.5, 0.875, 0.125, 0.5]) * (800 if name == "depth" else 1)
    whole = plain().assign_coords({"layer": ("unit", owners), name: ("unit", depth)})
    found = read(whole, tmp_path)
    assert found["layer"].values.tolist() == ["L2", "L4", "L5"]
    assert found["unit_layer"].values.tolist() == ["L2", "L2", "L4", "L4", "L4", "L5"]
    wanted = [0.0, 0.5, 1.0] if name == "depth" else [0.125, 0.5, 0.875]
    assert found["layer_depth"].values.tolist() == wanted


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


DEPTH = ["layer_depth", "depth_group"]


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


def vars_of(probe: Probe) -> dict[str, object]:
    return {k: v for k, v in vars(probe).items() if k != "in_effect"}


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


# Repeats


def noisy(trials: int, deviation: float, seed: int = 0) -> tuple[np.ndarray, xr.Dataset]:
    """Twelve units in two layers of very different scale, each layer with the same ratio."""
    draw = np.random.default_rng(seed)
    scale = np.where(np.arange(12) < 6, 1.0, 50.0)
    signal = draw.standard_normal((4, 30, 12))
    for of_layer in (slice(6), slice(6, 12)):
        part = signal[..., of_layer]
        part /= part.std((1, 2), keepdims=True)
    noise = draw.standard_normal((4, 30, trials, 12)) * deviation
    shown = (signal[:, :, None] + noise + 2) * scale
    whole = xr.Dataset({"activity": (("visit", "stimulus", "trial", "unit"), shown)})
    return signal, whole.assign_coords(layer=("unit", list("aaaaaabbbbbb")))


@pytest.mark.parametrize(("trials", "deviation"), [(2, 1.0), (10, 1.0), (10, 4.0), (5, 0.1)])
def test_repeats_tell_the_planted_signal_to_noise_ratio(tmp_path, trials, deviation):
    _, whole = noisy(trials, deviation)
    found = read(whole, tmp_path)
    planted = np.sqrt(trials) / deviation  # signal has a deviation of 1
    assert found.attrs["snr"] == pytest.approx(planted, rel=0.1)
    assert found.attrs["snr_by_layer"] == pytest.approx([planted] * 2, rel=0.15)
    assert found.attrs["repeats"] == trials


def test_the_ratio_is_that_of_a_probes_noise():
    signal, _ = noisy(1, 0.0)
    measured = signal.astype(np.float32)[:, :, :6]
    draw = np.random.default_rng(3)
    spread = Spread(layer=float(measured[0].std()), unit=np.nan)
    noise = Noise(snr=0.8)
    shown = [noise.added(measured, noise.deviation(spread), draw) for _ in range(6)]
    ours = average_repeats(np.stack(shown, 2).astype(np.float64), np.arange(30))
    assert signal_to_noise(ours) == pytest.approx(0.8 * np.sqrt(6), rel=0.1)


def test_the_estimate_is_not_biased_where_noise_differs_between_units_and_signal_is_weak():
    draw = np.random.default_rng(0)
    signal = draw.standard_normal((1, 20, 8)) * 0.5
    deviation = np.linspace(0.2, 3, 8)
    truth = signal.var() / (np.mean(deviation**2) / 4)
    squares = []
    for _ in range(300):
        shown = signal[:, :, None] + deviation * draw.standard_normal((1, 20, 4, 8))
        found = average_repeats(shown, np.arange(20))
        noise = found.scatter.mean()
        squares.append((found.responses.var() - (1 - 1 / 160) * noise) / noise)
        assert signal_to_noise(found) == pytest.approx(np.sqrt(max(squares[-1], 0)))
    error = np.std(squares) / np.sqrt(len(squares))
    assert np.mean(squares) == pytest.approx(truth, abs=3 * error + 0.01 * truth)


def test_repeats_are_averaged_whether_they_have_an_axis_or_a_common_name(tmp_path):
    _, whole = noisy(5, 1.0)
    by_axis = read(whole, tmp_path)
    np.testing.assert_allclose(by_axis["activity"], whole["activity"].mean("trial"), rtol=1e-6)
    long = whole.stack(shown=("trial", "stimulus")).transpose("visit", "shown", "unit")
    names = [f"s{number}" for number in long["stimulus"].values]
    flat = xr.Dataset(
        {"activity": (DIMS, long["activity"].values)},
        {"stimulus": names, "layer": ("unit", list("aaaaaabbbbbb"))},
    )
    by_name = read(flat, tmp_path)
    np.testing.assert_allclose(by_name["activity"], by_axis["activity"], rtol=1e-6)
    assert by_name.attrs["repeats"] == 5
    assert by_name.attrs["snr"] == pytest.approx(by_axis.attrs["snr"], rel=1e-9)
    renamed = read(whole.rename(trial="repeat"), tmp_path)
    xr.testing.assert_identical(renamed, by_axis)


def test_stimuli_need_not_be_repeated_equally_often(tmp_path):
    _, whole = noisy(6, 1.0)
    activity = whole["activity"].values
    activity[:, ::3, 1:] = np.nan  # every third was shown once
    activity[0, 1, 4:] = np.nan
    found = read(whole, tmp_path)
    np.testing.assert_allclose(found["activity"], np.nanmean(activity, axis=2), rtol=1e-6)
    # A third of the noise has the variance 1, the others a sixth of it.
    planted = 1 / np.sqrt((1 + 2 / 6) / 3)
    assert found.attrs["snr"] == pytest.approx(planted, rel=0.1)


def test_without_signal_the_ratio_is_nothing_and_without_noise_it_is_unknown(tmp_path):
    draw = np.random.default_rng(0)
    # The square of the ratio is 0, with a standard error of 0.05 at one visit.
    shown = draw.standard_normal((3, 400, 2, 5))
    whole = xr.Dataset({"activity": (("visit", "stimulus", "trial", "unit"), shown)})
    assert read(whole, tmp_path).attrs["snr"] < 0.3
    exact = xr.concat([plain()["activity"]] * 2, "trial").to_dataset()
    assert read(exact, tmp_path).attrs == {"repeats": 2}


# What is refused


def test_a_file_that_is_not_there_is_named_with_the_nearest(tmp_path):
    read(plain(), tmp_path)
    with pytest.raises(UserError, match=r"mien.nc: there is no such file or folder. Did you mean"):
        read_recording(tmp_path / "mien.nc")
    with pytest.raises(UserError, match="no such file or folder"):
        read_recording(tmp_path / "nowhere" / "mine.nc")


def test_an_empty_folder_is_called_empty(tmp_path):
    with pytest.raises(UserError, match="no recording is in this folder; it is empty"):
        read_recording(tmp_path)


def test_an_unknown_format_is_refused_with_those_that_are_known(tmp_path):
    path = tmp_path / "mine.mat"
    path.write_bytes(b"MATLAB")
    with pytest.raises(UserError, match=r"cannot tell what .mat is. Known: a netCDF file"):
        read_recording(path)
    with pytest.raises(UserError, match=r"no recording is in this folder; it holds mine.mat"):
        read_recording(tmp_path)
    with pytest.raises(UserError, match="several files are read as visits if all are NWB"):
        read_recording([path, path])
    with pytest.raises(UserError, match="no file is named"):
        read_recording([])


@pytest.mark.parametrize(
    "content", [b"", b"no netCDF at all", b"\x89HDF\r\n\x1a\nbut then nothing"]
)
def test_a_damaged_netcdf_file_is_refused_without_a_traceback(tmp_path, content):
    path = tmp_path / "bad.nc"
    path.write_bytes(content)
    with pytest.raises(UserError, match="cannot be read as a netCDF file") as caught:
        read_recording(path)
    assert caught.value.__suppress_context__


def test_a_cut_netcdf_file_and_a_damaged_zarr_folder_are_refused(tmp_path):
    read(plain(), tmp_path)
    cut = tmp_path / "cut.nc"
    cut.write_bytes((tmp_path / "mine.nc").read_bytes()[:3000])
    with pytest.raises(UserError, match="cannot be read as a netCDF file"):
        read_recording(cut)
    folder = tmp_path / "mine.zarr"
    plain().to_zarr(folder, zarr_format=3, consolidated=False)
    for chunk in (folder / "activity" / "c").rglob("*"):
        if chunk.is_file():
            chunk.write_bytes(b"rubbish")
    with pytest.raises(UserError, match="cannot be read as a zarr folder"):
        read_recording(folder)
    (folder / "zarr.json").write_text("{")
    with pytest.raises(UserError, match="cannot be read as a zarr folder"):
        read_recording(folder)
    shutil.rmtree(folder)
    folder.mkdir()
    with pytest.raises(UserError, match="cannot be read as a zarr folder"):
        read_recording(folder)


def test_a_whole_experiment_is_refused_with_the_recordings_in_it(tmp_path):
    root = tmp_path / "runs.zarr"
    tree = xr.DataTree.from_dict({"recordings/units_200/knet4": plain()})
    tree.to_zarr(root, zarr_format=3, consolidated=False)
    with pytest.raises(UserError, match=r"a whole experiment. Name one of its recordings: .*knet4"):
        read_recording(root)
    found = read_recording(root / "recordings" / "units_200" / "knet4")
    np.testing.assert_array_equal(found["activity"], responses().astype("f4"))


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


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ({"unit": []}, "there are no units in it"),
        ({"stimulus": []}, "there are no stimuli in it"),
        ({"visit": [1]}, "one visit shows no change; at least two are needed"),
        ({"visit": []}, "no visits show no change; at least two are needed"),
    ],
)
def test_an_empty_recording_and_one_of_a_single_visit_are_refused(tmp_path, part, said):
    assert said in refusal(plain().isel(part), tmp_path)


def test_what_is_no_number_is_refused(tmp_path):
    text = plain().assign(activity=plain()["activity"].astype(str))
    assert "activity has to be numbers, found" in refusal(text, tmp_path)


def test_what_is_missing_at_one_visit_is_left_out_at_all_and_counted(tmp_path):
    whole = plain().assign_coords(unit=[f"u{number}" for number in range(N_UNITS)])
    whole["activity"][1, :, 3] = np.nan
    whole["activity"][2, 0, 5] = np.nan
    found = read(whole, tmp_path)
    assert found.sizes["unit"] == 5  # u3 has no response at visit 1
    seen = np.ones((N_STIMULI, 5), dtype=bool)
    seen[0, 4] = False
    np.testing.assert_array_equal(found["observed"], seen)
    assert found.attrs["missing_responses"] == 5
    assert found.attrs["notes"] == [
        "5 of 72 responses missing (2 units at visits 1, 2), left out; a response missing at one "
        "visit is left out at all, which leaves 57 of 72, of 5 units and 4 stimuli."
    ]
    assert "observed" not in read(whole.dropna("unit"), tmp_path)
    nothing = plain().where(False)
    assert "all responses are missing (NaN)" in refusal(nothing, tmp_path)
    never = plain()
    for visit in range(N_VISITS):
        never["activity"][visit, :, visit * 2 : visit * 2 + 2] = np.nan
    message = refusal(never, tmp_path)
    assert "no unit has a response to the same stimulus at every visit" in message
    assert "24 of 72 responses are missing (NaN), 6 units at visits 0, 1, 2" in message


def test_a_unit_missed_in_one_presentation_is_averaged_over_the_others(tmp_path):
    _, whole = noisy(3, 1.0)
    whole["activity"][0, 2, 1, 4] = np.nan
    found = read(whole, tmp_path)
    np.testing.assert_allclose(found["activity"], np.nanmean(whole["activity"], 2), rtol=1e-6)
    assert "observed" not in found
    assert found.attrs["repeats"] == 3
    planted = np.sqrt(3)
    assert found.attrs["snr"] == pytest.approx(planted, rel=0.1)


def test_features_of_what_was_measured_are_those_of_a_recording_of_it_alone(tmp_path):
    whole = plain().assign(label=("stimulus", list("xyxy")))
    gaps = whole.copy(deep=True)
    gaps["activity"][1, :, 3] = np.nan
    gaps["activity"][2, 1] = np.nan
    alone = whole.isel(unit=[0, 1, 2, 4, 5], stimulus=[0, 2, 3])
    xr.testing.assert_identical(features(read(gaps, tmp_path)), features(read(alone, tmp_path)))


# Null: what is missing is no learning


def test_gaps_in_a_recording_that_does_not_change_are_no_change(tmp_path):
    draw = np.random.default_rng(0)
    one = draw.gamma(2.0, size=(1, 20, 30))
    still = np.repeat(one, 5, 0)
    gaps = np.where(draw.random(still.shape) < 0.05, np.nan, still)
    whole = xr.Dataset({"activity": (DIMS, gaps)}).assign(label=("stimulus", list("xyxyx") * 4))
    found = read(whole, tmp_path)
    assert not found["observed"].all()
    made = features(found)
    for visit in range(1, 5):
        np.testing.assert_array_equal(made["stat"][visit], made["stat"][0])
    change = made["change"].sel(change_name=["act_step", "act_tuned_step", "act_switched"])
    assert (change == 0).all()
    assert np.allclose(made["change"].sel(change_name="act_class_cosine_start"), 1)
    followed = found.assign(unit_matched=(DIMS[::2], np.ones((5, found.sizes["unit"]), "i1")))
    same = features(followed)["change"].to_numpy()
    np.testing.assert_allclose(same, made["change"].to_numpy(), rtol=1e-9, atol=1e-9)


def test_gaps_in_a_noisy_recording_without_learning_leave_its_features_as_they_are():
    draw = np.random.default_rng(1)
    names = ["act_cosine_start", "act_tuned_cosine_start", "act_similarity_start"]
    names += ["act_class_cosine_start", "act_separation", "actraw_sd_logratio", "act_silent_gain"]
    names += ["act_evenness", "act_move_units_first", "act_move_class_share"]
    found: dict[bool, list[np.ndarray]] = {False: [], True: []}
    for _ in range(8):
        signal = draw.gamma(2.0, size=(1, 24, 40))
        shown = signal + draw.normal(size=(4, 24, 40)) * 0.5
        for masked in found:
            gaps = np.where((draw.random(shown.shape) < 0.04) & masked, np.nan, shown)
            whole = xr.Dataset({"activity": (DIMS, gaps)})
            made = to_recording(whole.assign(label=("stimulus", list("xyzw") * 6)), "planted")
            found[masked].append(features(made)["change"].sel(change_name=names)[3, 0].values)
    whole, gaps = (np.array(each) for each in found.values())
    error = np.sqrt((whole.var(0) + gaps.var(0)) / len(whole)) + 1e-3
    assert (np.abs(gaps.mean(0) - whole.mean(0)) < 4 * error).all()


def test_a_class_or_a_stimulus_that_is_nan_is_missing(tmp_path):
    values = responses(0, (N_VISITS, 6, N_UNITS))
    whole = xr.Dataset({"activity": (DIMS, values)})
    whole = whole.assign(label=("stimulus", [1.0, 2.0, np.nan, 1.0, 2.0, np.nan]))
    found = read(whole, tmp_path)
    assert found["stimulus_label"].values.tolist() == [1, 2, -1, 1, 2, -1]
    assert found.attrs["notes"] == [
        "2 of 6 stimuli have no class in label: what is said of classes leaves them out."
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


def test_a_unit_of_measurement_turns_no_number_into_a_time(tmp_path):
    whole = plain().assign_coords(step=("visit", [0, 10, 20]))
    whole["step"].attrs["units"] = "days since 2024-01-01"
    whole["activity"].attrs["units"] = "Hz since 2000-01-01"
    found = read(whole, tmp_path)
    np.testing.assert_array_equal(found["activity"], responses().astype("f4"))
    assert found["step"].values.tolist() == [0, 10, 20]


def test_depths_that_are_missing_are_taken_from_the_others_of_the_layer(tmp_path):
    owners = list("aabbcc")
    depth = [300.0, np.nan, 100.0, 110.0, np.nan, 200.0]
    whole = plain().assign_coords(layer=("unit", owners), depth=("unit", depth))
    assert read(whole, tmp_path)["layer"].values.tolist() == ["b", "c", "a"]
    unknown = whole.assign_coords(depth=("unit", [np.nan] * 6))
    assert read(unknown, tmp_path)["layer"].values.tolist() == ["a", "b", "c"]
    one = whole.assign_coords(depth=("unit", [1.0, 1.0, 2.0, 2.0, np.nan, np.nan]))
    assert "no unit of the layer c has a depth" in refusal(one, tmp_path)


def test_numbered_visits_that_do_not_ascend_are_said(tmp_path):
    def notes(names: list[str]) -> list[str]:
        return read(plain().assign_coords(visit=names), tmp_path).attrs.get("notes", [])

    assert notes(["d1", "d2", "d10"]) == []
    assert "in the order of the file, d1, d10, d2: check" in notes(["d1", "d10", "d2"])[0]
    assert notes(["naive", "early", "late"]) == []


# A missing library, a bug and a damaged file


def test_a_missing_library_is_no_damage(tmp_path, monkeypatch):
    read(plain(), tmp_path)
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingLibrary, match=r"^h5py is not installed; .* to read netCDF files"):
        read_recording(tmp_path / "mine.nc")


def test_a_bug_is_no_damage(tmp_path, monkeypatch):
    def bug(*_: object) -> None:
        raise KeyError("a bug of ours")

    read(plain(), tmp_path)
    monkeypatch.setattr("virtuallab.recordings.read.select_variables", bug)
    with pytest.raises(KeyError, match="a bug of ours"):
        read_recording(tmp_path / "mine.nc")


def test_tables_of_nwb_files_are_chosen_of_these_alone(tmp_path):
    read(plain(), tmp_path)
    with pytest.raises(UserError, match="--visits-from chooses a table of NWB files"):
        read_recording(tmp_path / "mine.nc", visits_from="epochs")


def test_infinite_responses_and_those_beyond_single_precision_are_refused(tmp_path):
    for value in (np.inf, -np.inf, 1e300):
        whole = plain()
        whole["activity"][0, 1, 2] = value
        message = refusal(whole, tmp_path)
        assert "1 responses are infinite" in message
        assert "in unit 2, at visit 0" in message


def test_two_units_of_one_name_are_refused(tmp_path):
    whole = plain().assign_coords(unit=[1, 2, 3, 3, 4, 1])
    assert "2 names in unit stand for several units: 1, 3." in refusal(whole, tmp_path)


def test_copies_of_a_unit_are_refused_and_silent_units_are_not_copies(tmp_path):
    whole = plain()
    whole["activity"][:, :, 4] = whole["activity"][:, :, 1]
    whole["activity"][:, :, 5] = whole["activity"][:, :, 1]
    said = "2 units respond exactly as another does: 4 as 1, 5 as 1."
    assert said in refusal(whole, tmp_path)
    silent = plain()
    silent["activity"][:, :, 2:4] = 0
    assert read(silent, tmp_path).sizes["unit"] == N_UNITS


def test_visits_have_to_ascend(tmp_path):
    whole = plain().assign_coords(step=("visit", [0, 9, 5]))
    message = refusal(whole, tmp_path)
    assert "visits must ascend in step, found 5 after 9. Sort them" in message
    read(whole.sortby("step"), tmp_path)
    assert "found 9 after 9" in refusal(whole.assign_coords(step=("visit", [0, 9, 9])), tmp_path)
    days = np.array(["2024-03-02", "2024-03-01", "2024-03-05"], dtype="M8[ns]")
    assert "must ascend in visit" in refusal(plain().assign_coords(visit=days), tmp_path)
    assert "step counts from 0" in refusal(
        plain().assign_coords(step=("visit", [-3, 0, 9])), tmp_path
    )
    assert "step is not a finite number everywhere" in refusal(
        plain().assign_coords(step=("visit", [0, 1, np.nan])), tmp_path
    )
    assert "step has to be numbers" in refusal(
        plain().assign_coords(step=("visit", list("abc"))), tmp_path
    )


def test_coordinates_along_the_wrong_dim_are_refused(tmp_path):
    message = refusal(plain().assign_coords(layer=("stimulus", list("abcd"))), tmp_path)
    assert "layer lies along (stimulus), expected (unit)" in message
    message = refusal(plain().assign_coords(step=("stimulus", range(4))), tmp_path)
    assert "step lies along (stimulus), expected (visit)" in message


def test_layers_that_cannot_be_are_refused(tmp_path):
    whole = plain().assign_coords(layer=("unit", ["a", "", "b", "b", "", "a"]))
    assert "2 units have no layer, first 1, 4" in refusal(whole, tmp_path)
    deep = plain().assign_coords(
        layer=("unit", list("aabbab")), layer_depth=("unit", [1, 1, 8, 8, 1, 8])
    )
    message = refusal(deep, tmp_path)
    assert "found 1 to 8. If it is a depth in another unit, call it depth" in message
    listed = plain().assign_coords(layer=["a", "b"], unit_layer=("unit", list("aabbac")))
    assert "found units of the layers c" in refusal(listed, tmp_path)


def test_one_stimulus_of_two_classes_is_refused(tmp_path):
    whole = plain().assign_coords(stimulus=list("xyxy")).assign(label=("stimulus", [0, 1, 0, 0]))
    assert "one stimulus has several classes in label" in refusal(whole, tmp_path)


def test_the_message_keeps_to_one_line(tmp_path):
    assert not re.search(r"\n", refusal(plain().rename(unit="neuron"), tmp_path))
