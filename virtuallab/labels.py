"""Text of a labelled array, however it was stored."""

from __future__ import annotations

import numpy as np
import xarray as xr


def words(labels: xr.DataArray) -> np.ndarray:
    """Return labels as NumPy text that compares, sorts and masks.

    A stored tree gives text as objects or as variable-length strings, and NumPy does not turn the
    latter into text of fixed width itself.

    Parameters
    ----------
    labels : xr.DataArray
        Of one dim.
    """
    return np.array([str(label) for label in labels.to_numpy()], dtype=np.str_)
