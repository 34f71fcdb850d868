"""Text of labelled arrays, however it is stored."""

from __future__ import annotations

import numpy as np
import xarray as xr


def label_text(labels: xr.DataArray) -> np.ndarray:
    """Labels as an array of text of fixed width, which compares, sorts and masks.

    A store gives text as objects or as variable-length strings, and NumPy does not convert the
    latter to fixed width itself.

    Parameters
    ----------
    labels : xr.DataArray
        With one dim.

    Returns
    -------
    array of str, of the same length
    """
    return np.array([str(label) for label in labels.to_numpy()], dtype=np.str_)
