"""Text of labelled arrays, in any form of storage."""

from __future__ import annotations

import numpy as np
import xarray as xr


def label_text(labels: xr.DataArray) -> np.ndarray:
    """Return labels as an array of text of fixed width, (label,), which compares and sorts.

    Text of a store consists of objects or of variable-length strings, and NumPy does not convert
    the latter to fixed width.

    Parameters
    ----------
    labels : xr.DataArray
        With one dim.
    """
    return np.array([str(label) for label in labels.to_numpy()], dtype=np.str_)
