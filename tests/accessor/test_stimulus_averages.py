from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from virtuallab.errors import UserError


def test_tuning_follows_each_subjects_own_stimuli(stored: xr.Dataset) -> None:
    found = stored.lab.tuning()
    assert found.dims == ("subject", "visit", "stimulus_class", "unit")
    assert list(found["stimulus_class"].to_numpy()) == [0, 1, 2]
    activity, labels = stored["activity"].to_numpy(), stored["stimulus_label"].to_numpy()
    for subject in range(3):
        for number in range(3):
            expected = activity[subject][:, labels[subject] == number].mean(axis=1)
            np.testing.assert_allclose(found[subject, :, number], expected, rtol=1e-5)
    assert np.isnan(found[-1]).all()


def test_stimuli_common_to_all_subjects_need_no_axis_of_them(recording: xr.Dataset) -> None:
    labels = recording["stimulus_label"].isel(subject=0, drop=True)
    found = recording.assign(stimulus_label=labels).lab.tuning()
    activity = recording["activity"].to_numpy()
    expected = activity[:3][:, :, labels.to_numpy() == 1].mean(axis=2)
    np.testing.assert_allclose(found[:3, :, 1], expected, rtol=1e-5)


def test_a_single_subject_is_tuned_as_among_others(recording: xr.Dataset) -> None:
    alone = recording.isel(subject=1).lab.tuning()
    xr.testing.assert_allclose(alone, recording.lab.tuning().isel(subject=1))


def test_a_class_that_a_subject_was_not_shown_is_nan(recording: xr.Dataset) -> None:
    recording["stimulus_label"][0] = 7
    found = recording.lab.tuning()
    assert list(found["stimulus_class"].to_numpy()) == [0, 1, 2, 7]
    assert np.isnan(found.isel(subject=0).sel(stimulus_class=[0, 1, 2])).all()
    assert np.isfinite(found.isel(subject=0).sel(stimulus_class=7)).all()
    assert np.isnan(found.isel(subject=1).sel(stimulus_class=7)).all()


def test_a_subject_that_was_not_recorded_adds_no_class(recording: xr.Dataset) -> None:
    recording["stimulus_label"][:3] += 4
    assert list(recording.lab.tuning()["stimulus_class"].to_numpy()) == [4, 5, 6]


def test_tuning_leaves_missing_responses_out(recording: xr.Dataset) -> None:
    recording["activity"][0, 0, 0, 0] = np.nan
    labels = recording["stimulus_label"][0].to_numpy()
    rest = recording["activity"][0, 0, 1:, 0].to_numpy()[labels[1:] == labels[0]]
    found = recording.lab.tuning()[0, 0].sel(stimulus_class=labels[0])[0]
    np.testing.assert_allclose(found, rest.mean(), rtol=1e-5)


def test_words_may_be_classes(recording: xr.Dataset) -> None:
    words = np.array(["cat", "dog", "fox"], dtype="T")[recording["stimulus_label"].to_numpy()]
    named = recording.assign(stimulus_label=(("subject", "stimulus"), words))
    found = named.isel(subject=slice(0, 3)).lab.tuning()
    assert list(found["stimulus_class"].to_numpy()) == ["cat", "dog", "fox"]
    np.testing.assert_array_equal(found, recording.lab.tuning()[:3])


def test_without_classes_there_is_no_tuning(recording: xr.Dataset) -> None:
    with pytest.raises(UserError, match="no 'stimulus_label'"):
        recording.drop_vars("stimulus_label").lab.tuning()


def test_an_axis_of_trials_is_averaged(recording: xr.Dataset) -> None:
    noise = xr.DataArray(np.array([-1.0, 0.0, 1.0], dtype=np.float32), dims="trial")
    repeated = recording.assign(activity=recording["activity"] + noise)
    found = repeated.lab.trial_average()
    xr.testing.assert_allclose(found, recording)
    assert found.attrs == recording.attrs
    assert found["activity"].dtype == np.float32


def test_any_axis_of_repetitions_may_be_named(recording: xr.Dataset) -> None:
    repeated = recording.assign(activity=recording["activity"].expand_dims(session=2))
    assert repeated.lab.trial_average("session")["activity"].dims == recording["activity"].dims
    with pytest.raises(UserError, match=r"no axis 'sezion'. Did you mean 'session'"):
        repeated.lab.trial_average("sezion")


def test_trials_of_different_stimuli_are_not_averaged(recording: xr.Dataset) -> None:
    index = recording["stimulus_index"]
    differing = xr.concat([index, index + 1], "trial")
    repeated = recording.assign(
        activity=recording["activity"].expand_dims(trial=2), stimulus_index=differing
    )
    with pytest.raises(UserError, match="'stimulus_index' differs along 'trial'"):
        repeated.lab.trial_average()
    same = repeated.assign(stimulus_index=xr.concat([index, index], "trial"))
    np.testing.assert_array_equal(same.lab.trial_average()["stimulus_index"], index)


def test_stimuli_of_one_index_are_repetitions(stored: xr.Dataset) -> None:
    index = np.array([[9, 9, 4, 4] * 3, [1, 2, 3, 4] * 3, [5, 6, 7, 8] * 3, [0] * 12])
    labels = index // 3
    repeated = stored.assign(
        stimulus_index=(("subject", "stimulus"), index),
        stimulus_label=(("subject", "stimulus"), labels),
    )
    found = repeated.lab.trial_average()
    assert found["activity"].dims == stored["activity"].dims
    assert found["activity"].dtype == np.float32
    np.testing.assert_array_equal(
        found["stimulus_index"][:3], [[9, 4, -1, -1], [1, 2, 3, 4], [5, 6, 7, 8]]
    )
    np.testing.assert_array_equal(found["stimulus_label"][0], [3, 1, -1, -1])
    activity = stored["activity"].to_numpy()
    for subject, place in [(0, 0), (0, 1), (1, 3), (2, 2)]:
        shown = index[subject] == int(found["stimulus_index"][subject, place])
        expected = activity[subject][:, shown].mean(axis=1)
        np.testing.assert_allclose(found["activity"][subject, :, place], expected, rtol=1e-5)
    assert np.isnan(found["activity"][0, :, 2:]).all()
    change = stored["activity_change"].to_numpy()[1][:, index[1] == 2].mean(axis=1)
    np.testing.assert_allclose(found["activity_change"][1, :, 1], change, rtol=1e-5)
    np.testing.assert_array_equal(found["weights"], stored["weights"])
    assert set(found.coords) == set(stored.coords)


def test_what_was_averaged_is_a_recording_again(recording: xr.Dataset) -> None:
    recording["stimulus_index"][0] = [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6]
    averaged = recording.lab.trial_average()
    found = averaged.lab.participation_ratio().isel(subject=0, visit=0).sel(layer="conv1")
    pairs = recording["activity"][0, 0, :, :6].to_numpy().astype(float)
    eigenvalues = np.linalg.eigvalsh(np.cov(pairs.reshape(6, 2, 6).mean(1), rowvar=False))
    np.testing.assert_allclose(found, eigenvalues.sum() ** 2 / (eigenvalues**2).sum(), rtol=1e-5)
    assert -1 not in averaged.lab.tuning()["stimulus_class"]


def test_stimuli_shown_once_stay_as_they_are(recording: xr.Dataset) -> None:
    recorded = recording.isel(subject=slice(0, 3))
    assert recorded.lab.trial_average().identical(recorded)
    alone = recording.isel(subject=0)
    assert alone.lab.trial_average().identical(alone)


def test_without_an_index_nothing_says_what_was_repeated(recording: xr.Dataset) -> None:
    with pytest.raises(UserError, match="no axis 'trial' and no 'stimulus_index'"):
        recording.drop_vars("stimulus_index").lab.trial_average()


def test_one_index_for_all_subjects_is_enough(recording: xr.Dataset) -> None:
    shared = recording.assign(stimulus_index=("stimulus", np.repeat(np.arange(6), 2)))
    found = shared.lab.trial_average()
    assert found.sizes["stimulus"] == 6
    pairs = recording["activity"].to_numpy().reshape(4, 4, 6, 2, -1).mean(3)
    np.testing.assert_allclose(found["activity"], pairs, rtol=1e-5)
    np.testing.assert_array_equal(
        found["stimulus_label"], recording["stimulus_label"].to_numpy()[:, ::2]
    )
