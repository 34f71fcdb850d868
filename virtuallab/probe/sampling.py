"""Which units and synapses a probe reaches."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


def shares(sizes: Mapping[str, int], total: int) -> dict[str, int]:
    """Divide a number of units over layers in proportion to their sizes.

    Every layer gets its whole share, and the largest remainders get what is left over; the result
    depends on the sizes alone, so all subjects of one make have the same number in each layer.

    >>> shares({"conv1": 90, "fc2": 10}, 20)
    {'conv1': 18, 'fc2': 2}
    """
    everything = sum(sizes.values())
    exact = {layer: size * total / everything for layer, size in sizes.items()}
    given = {layer: int(share) for layer, share in exact.items()}
    order = sorted(sizes, key=lambda layer: (given[layer] - exact[layer], layer))
    for layer in order[: total - sum(given.values())]:
        given[layer] += 1
    return given


def chosen(size: int, count: int, stream: np.random.Generator) -> np.ndarray:
    """Draw ``count`` different indices below ``size``, in ascending order."""
    return np.sort(stream.choice(size, count, replace=False)).astype(np.int64)


def spaced(total: int, count: int) -> np.ndarray:
    """Return ``count`` indices below ``total``, evenly spread, the first and the last among them.

    >>> spaced(21, 5)
    array([ 0,  5, 10, 15, 20])
    """
    if count == 1:
        return np.array([total - 1])
    return np.round(np.linspace(0, total - 1, count)).astype(np.int64)
