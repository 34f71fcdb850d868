"""What is decided about subjects, as columns a classifier can read."""

from __future__ import annotations

import jaxtyping as jt
import numpy as np


def one_hot(values: np.ndarray) -> jt.Float[np.ndarray, "subject level"]:
    """One column for each value that occurs."""
    words = np.array([str(value) for value in values])
    return np.asarray(words[:, None] == np.unique(words), dtype=np.float64)


def numeric(values: np.ndarray) -> jt.Float[np.ndarray, "subject column"]:
    """Return the numbers, and beside them who has none: that, too, may tell rules apart."""
    numbers = values.astype(np.float64)
    absent = ~np.isfinite(numbers)
    columns = [np.where(absent, 0.0, numbers)]
    if absent.any():
        columns.append(absent.astype(np.float64))
    return np.stack(columns, axis=1)


def is_text(values: np.ndarray) -> bool:
    """Whether values are words and no numbers."""
    return values.dtype.kind in "OUS" and any(isinstance(value, str) for value in values)


def are_alike(values: jt.Float[np.ndarray, "subject column"]) -> bool:
    """Whether all subjects have the same."""
    return bool((values == values[:1]).all())
