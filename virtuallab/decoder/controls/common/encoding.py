"""Settings of subjects as columns for a classifier."""

from __future__ import annotations

import jaxtyping as jt
import numpy as np


def one_hot(values: np.ndarray) -> jt.Float[np.ndarray, "subject level"]:
    """Indicator columns, one for each value that occurs."""
    words = np.array([str(value) for value in values])
    return np.asarray(words[:, None] == np.unique(words), dtype=np.float64)


def numeric(values: np.ndarray) -> jt.Float[np.ndarray, "subject column"]:
    """The numbers, with an indicator of missing ones if there are any."""
    numbers = values.astype(np.float64)
    absent = ~np.isfinite(numbers)
    columns = [np.where(absent, 0.0, numbers)]
    if absent.any():
        columns.append(absent.astype(np.float64))
    return np.stack(columns, axis=1)


def is_text(values: np.ndarray) -> bool:
    """Return whether values are text."""
    return values.dtype.kind in "OUT" and any(isinstance(value, str) for value in values)


def all_equal(values: jt.Float[np.ndarray, "subject column"]) -> bool:
    """Return whether all subjects have the same values."""
    return bool((values == values[:1]).all())
