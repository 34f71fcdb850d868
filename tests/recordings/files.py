"""Recordings for the tests, written to a file and read again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from virtuallab.errors import UserError
from virtuallab.recordings import read_recording

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
