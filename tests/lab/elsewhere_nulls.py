"""Recordings without learning of the laboratory of its own: five ways in which nothing is learned.

They are made from a recording of :mod:`tests.lab.elsewhere` with plain numpy, and share no code
with the package's null models.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from tests.lab import elsewhere

KINDS = ("static", "slow walk", "fast walk", "fresh tuning", "gain")
_STEP = {"slow walk": 0.05, "fast walk": 0.5}


def record(kind: str, seed: int, file: Path) -> None:
    """Write the recording of a network that learned, with one visit of it changed as ``kind`` says.

    The visit is the first of networks with an even seed, and the last of the others.
    """
    stream = np.random.default_rng([seed, KINDS.index(kind), 77])
    elsewhere.record(elsewhere.RULES[seed % len(elsewhere.RULES)], seed, file)
    recording = xr.load_dataset(file)
    activity = recording["activity"].to_numpy()
    first = activity[-(seed % 2)].astype(float)
    spread, is_rectified = first.std(0), first.min(0) >= 0
    now, visits = first, [first]
    for _ in range(len(activity) - 1):
        noise = spread * stream.standard_normal(first.shape)
        if kind in _STEP:
            now = now + _STEP[kind] * noise
        elif kind == "fresh tuning":
            now = first.mean(0) + noise
        elif kind == "gain":
            now = now * np.exp(0.2 * stream.standard_normal(first.shape[1]))
        visits.append(np.where(is_rectified, np.maximum(now, 0), now))
    recording["activity"].values[:] = np.stack(visits)
    recording.to_netcdf(file, engine="h5netcdf")
