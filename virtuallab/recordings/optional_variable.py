"""Optional variables of a file, with a check of their axes."""

from __future__ import annotations

import numpy as np
import xarray as xr

from virtuallab.errors import UserError


def optional_variable(
    dataset: xr.Dataset, name: str, dims: tuple[str, ...], source: str
) -> np.ndarray | None:
    """Return the values of a coordinate or variable with these dims; None if there is none.

    Raises
    ------
    UserError
        If it lies along other axes. The message begins with ``source``.
    """
    if name not in dataset.variables:
        return None
    found = dataset.variables[name]
    if set(found.dims) != set(dims):
        raise UserError(
            f"{source}: {name} lies along ({', '.join(map(str, found.dims))}), expected "
            f"({', '.join(dims)}). Rename its axes, or leave it out."
        )
    values: np.ndarray = found.transpose(*dims).to_numpy()
    return values


def optional_numbers(
    dataset: xr.Dataset, name: str, dims: tuple[str, ...], source: str, *, gaps: bool = False
) -> np.ndarray | None:
    """Return finite numbers, or NaN where gaps are allowed, as :func:`optional_variable` does.

    Raises
    ------
    UserError
        If it lies along other axes or holds anything else.
    """
    values = optional_variable(dataset, name, dims, source)
    if values is None:
        return None
    if values.dtype.kind not in "biuf":
        raise UserError(f"{source}: {name} has to be numbers, found {values.dtype}.")
    if not (np.isfinite(values) | (gaps & np.isnan(values))).all():
        raise UserError(f"{source}: {name} is not a finite number everywhere. Fill it in.")
    return values
