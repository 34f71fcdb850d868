from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from virtuallab.errors import UserError


def test_scores_are_those_of_scipy(stored: xr.Dataset) -> None:
    found = stored.lab.zscore()
    assert found.dims == stored["activity"].dims
    assert found.dtype == np.float32
    expected = stats.zscore(stored["activity"].to_numpy().astype(float), axis=2)
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(("over", "axes"), [("visit", 1), (("subject", "visit"), (0, 1))])
def test_scores_are_over_the_axes_asked_for(
    stored: xr.Dataset, over: str | tuple[str, ...], axes: int | tuple[int, ...]
) -> None:
    weights = stored["weights"].to_numpy().astype(float)[:3]
    expected = (weights - weights.mean(axes, keepdims=True)) / weights.std(axes, keepdims=True)
    found = stored.lab.zscore("weights", over=over)
    np.testing.assert_allclose(found[:3], expected, atol=1e-5)
    assert np.isnan(found[3]).all()


def test_dask_arrays_stay_unread(recording: xr.Dataset) -> None:
    assert recording.chunk({"subject": 1}).lab.zscore().chunks is not None


def test_what_is_constant_scores_zero(recording: xr.Dataset) -> None:
    recording["activity"] = recording["activity"].astype(np.float64)
    recording["activity"][..., 0] = 0.1  # the mean of twelve of it is not quite 0.1
    assert (recording.lab.zscore().isel(unit=0) == 0).all()


def test_what_is_missing_stays_missing(recording: xr.Dataset) -> None:
    recording["activity"][0, 0, 3] = np.inf
    found = recording.lab.zscore()
    assert np.isnan(found[0, 0, 3]).all()
    kept = np.delete(recording["activity"][0, 0].to_numpy().astype(float), 3, axis=0)
    np.testing.assert_allclose(found[0, 0, 4], stats.zscore(kept, axis=0)[3], atol=1e-5)
    assert np.isnan(found[-1]).all()


def test_scores_have_no_unit_and_keep_coordinates(recording: xr.Dataset) -> None:
    recording["activity"].attrs["units"] = "Hz"
    found = recording.lab.zscore()
    assert found.attrs == {"units": "1", "long_name": "z-scored activation"}
    assert set(found.coords) == set(recording["activity"].coords)


def test_an_unknown_variable_or_axis_is_refused(recording: xr.Dataset) -> None:
    with pytest.raises(UserError, match=r"no variable 'activitee'. Did you mean 'activity'"):
        recording.lab.zscore("activitee")
    with pytest.raises(
        UserError, match=r"'activity' has no axis 'stimuli'. Did you mean 'stimulus'"
    ):
        recording.lab.zscore(over="stimuli")
    with pytest.raises(UserError, match="names no axis"):
        recording.lab.zscore(over=())
    with pytest.raises(UserError, match="not made of numbers"):
        recording.reset_coords("rule").lab.zscore("rule", over="subject")
