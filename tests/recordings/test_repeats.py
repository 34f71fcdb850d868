from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from tests.recordings.files import DIMS, noisy, plain, read
from virtuallab.probes import GaussianNoise
from virtuallab.probes.noise.calibration import Spread
from virtuallab.recordings.repeats import average_repeats, signal_to_noise


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
    noise = GaussianNoise(snr=0.8)
    shown = [noise.add(measured, noise.deviation(spread), draw) for _ in range(6)]
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
