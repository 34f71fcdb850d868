from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from tests.recordings.files import DIMS, N_STIMULI, N_UNITS, N_VISITS, noisy, plain, read, refusal
from virtuallab.probes.statistics.features import features
from virtuallab.recordings.conversion import to_recording


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
