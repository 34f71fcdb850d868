"""A small experiment with designs to compare and to search."""

from __future__ import annotations

from pathlib import Path

import xarray as xr

from virtuallab.lab.designs.compare import compare

DESIGNS = """\
compare:
  designs:
    array: {units: [5, 20], noise: {snr: [0.5, 4.0]}, observables: [activity]}
    both: {units: 12, synapses: 40, observables: [activity, weights]}
    tetrode: {device: tetrode}
  seeds: 2
  folds: 2
  inner_folds: 2
power:
  design: {observables: [activity], units: {log_uniform: [2, 20]}, visits: {uniform: [2, 4]}}
  prices: {unit: 1, visit: 5}
  target: 0.7
  trials: 6
  generation: 3
  seeds: 1
  folds: 2
  inner_folds: 2
"""


def compared(folder: Path, *overrides: str, name: str = "small", **more: object) -> xr.Dataset:
    options = {"store": folder / "small.zarr", **more}
    return compare(folder / f"{name}.yaml", overrides, workers=1, **options)  # type: ignore[arg-type]
